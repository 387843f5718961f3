"""Making a picture of a stranger's file: decoded and drawn anew, so that nothing of the file itself is kept or given to others.

Only the formats that browsers send are tried, how many pixels there are is looked at before any of them is decoded, and of
moving pictures only the first is taken.
"""

from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from hongyan.core.errors import Invalid

SIDE = 256
_FORMATS = ("PNG", "JPEG", "WEBP")
_MOST_PIXELS = 16_777_216
"""4,096 by 4,096: 64 MiB while it is worked on."""
_LONGEST = 16_384
_BAD = (
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    IndexError,
    KeyError,
    OverflowError,
)
"""What Pillow raises for files that are broken, on purpose or not."""


def avatar_of(file: bytes) -> bytes:
    """A square WebP picture of the middle of a PNG, JPEG or WebP file. Raises Invalid."""
    try:
        with Image.open(BytesIO(file), formats=_FORMATS) as image:
            width, height = image.size
            if width * height > _MOST_PIXELS or max(width, height) > _LONGEST:
                raise Invalid("A picture may have 4,096 by 4,096 pixels")
            image.draft("RGB", (SIDE * 2, SIDE * 2))
            upright = ImageOps.exif_transpose(image)
            has_alpha = "A" in upright.getbands() or "transparency" in upright.info
            plain = upright.convert("RGBA" if has_alpha else "RGB")
            drawn = ImageOps.fit(plain, (SIDE, SIDE), Image.Resampling.LANCZOS)
    except _BAD:
        raise Invalid("This is no PNG, JPEG or WebP picture") from None
    made = BytesIO()
    Image.frombytes(drawn.mode, drawn.size, drawn.tobytes()).save(made, "WEBP", quality=85, method=4)  # and nothing it carried
    return made.getvalue()
