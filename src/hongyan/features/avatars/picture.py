"""Making a picture of a stranger's file: decoded and drawn anew, so that nothing of the file itself is kept or given to others.

It happens in a process of its own with a bound on memory and time: a fault in a decoder harms that one. Only the formats that
browsers send are tried, how many pixels there are is looked at before any of them is decoded, and of moving pictures only the
first is taken.
"""

import asyncio
import resource
import sys
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
_MOST_MEMORY = 1 << 30
_CPU_SECONDS = 10
_SECONDS = 30.0
_NO_PICTURE = "This is no PNG, JPEG or WebP picture"
_TOLD = 3
"""The exit code of who writes why there is no picture."""


async def draw(file: bytes) -> bytes:
    """`avatar_of` in a process of its own. Raises Invalid."""
    words = (sys.executable, "-I", __file__)  # as a file: the package would bring the whole store with it
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={}
    )
    try:
        async with asyncio.timeout(_SECONDS):
            made, _ = await process.communicate(file)
    except TimeoutError:
        raise Invalid("This picture takes too long to draw") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == _TOLD:
        raise Invalid(made.decode())
    if process.returncode != 0 or not made:
        raise Invalid(_NO_PICTURE)
    return made


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
        raise Invalid(_NO_PICTURE) from None
    made = BytesIO()
    Image.frombytes(drawn.mode, drawn.size, drawn.tobytes()).save(made, "WEBP", quality=85, method=4)  # and nothing it carried
    return made.getvalue()


def _main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    try:
        made, status = avatar_of(sys.stdin.buffer.read()), 0
    except Invalid as error:
        made, status = str(error).encode(), _TOLD
    sys.stdout.buffer.write(made)
    return status


if __name__ == "__main__":
    sys.exit(_main())
