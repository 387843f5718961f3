"""Strangers' files become pictures of one size and format, or are refused before they cost anything."""

import contextlib
import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hongyan.core.errors import Invalid
from hongyan.features.avatars.picture import avatar_of, draw


def file_of(kind: str, size: tuple[int, int] = (400, 300), mode: str = "RGB", **more: object) -> bytes:
    made = BytesIO()
    Image.new(mode, size, 128 if mode in ("L", "P") else (200, 30, 40, 90)[: len(mode)]).save(made, kind, **more)
    return made.getvalue()


def opened(file: bytes) -> Image.Image:
    image = Image.open(BytesIO(file))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("size", [(400, 300), (1, 1), (10, 3000), (256, 256)])
def test_every_format_and_shape_becomes_a_square(kind: str, size: tuple[int, int]) -> None:
    made = opened(avatar_of(file_of(kind, size)))
    assert (made.format, made.size) == ("WEBP", (256, 256))
    red, green, blue = made.convert("RGB").getpixel((128, 128))  # type: ignore[misc]
    assert red > 150 > 90 > max(green, blue)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16"])
def test_every_kind_of_pixels_is_taken(mode: str) -> None:
    made = BytesIO()
    Image.new(mode, (20, 20)).save(made, "JPEG" if mode == "CMYK" else "PNG")
    assert opened(avatar_of(made.getvalue())).size == (256, 256)


def test_what_is_clear_stays_clear() -> None:
    made = BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(made, "PNG")
    assert opened(avatar_of(made.getvalue())).mode == "RGBA"


def test_it_stands_upright_and_tells_nothing_of_the_camera() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to the right
    exif[0x010F] = "SECRET CAMERA"
    image = Image.new("RGB", (300, 300))
    image.paste((255, 255, 255), (0, 0, 300, 150))
    made = BytesIO()
    image.save(made, "JPEG", exif=exif)
    drawn = avatar_of(made.getvalue())
    assert b"SECRET" not in drawn
    assert b"EXIF" not in drawn
    upright = opened(drawn).convert("L")
    assert upright.getpixel((250, 128)) > 200 > 50 > upright.getpixel((5, 128))  # type: ignore[operator]


def _png(width: int, height: int) -> bytes:
    """A file of a few bytes that says to be so large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(4097, 4096), (65_000, 65_000), (2_000_000_000, 1), (20_000, 1), (0, 0)])
def test_pictures_that_say_to_be_huge_are_not_opened(size: tuple[int, int]) -> None:
    with pytest.raises(Invalid):
        avatar_of(_png(*size))


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PDF", "ICO", "PPM"])
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(Invalid):
        avatar_of(file_of(kind, (32, 32)))


@pytest.mark.parametrize(
    "file", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\xff\xffWEBPVP8 "]
)
def test_what_is_no_picture_is_refused(file: bytes) -> None:
    with pytest.raises(Invalid):
        avatar_of(file)


_GOOD = [file_of(kind, (40, 30)) for kind in ("PNG", "JPEG", "WEBP")]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_GOOD), st.integers(0, 2000), st.binary(min_size=1, max_size=8), st.integers(0, 400))
def test_broken_files_are_refused_or_drawn(file: bytes, at: int, bytes_: bytes, cut: int) -> None:
    at %= len(file)
    broken = file[:at] + bytes_ + file[at + len(bytes_) :]
    with contextlib.suppress(Invalid):
        avatar_of(broken[: len(broken) - cut])


async def test_it_is_drawn_in_a_process_of_its_own_which_may_die() -> None:
    assert opened(await draw(file_of("PNG"))).size == (256, 256)
    with pytest.raises(Invalid, match="no PNG"):
        await draw(b"GIF89a")
    with pytest.raises(Invalid, match="4,096"):
        await draw(_png(5_000, 5_000))


async def test_a_picture_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hongyan.features.avatars.picture._SECONDS", 0.0)
    with pytest.raises(Invalid, match="too long"):
        await draw(file_of("PNG"))
