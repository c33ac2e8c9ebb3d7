"""Pictures that people send, made safe and plain: any usual file becomes 8-bit RGB, upright, on white.

What cannot be read, or would fill the memory when it is, is refused with a reason. Nothing here looks at what a
picture shows.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from pipelines.errors import BadRequest

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # PIL knows others, some of which start programs
MOST_PIXELS = 50_000_000  # 200 MB once unpacked: PIL keeps four bytes for each
MOST_BYTES = 50 * 2**20
LONGEST = 20  # how many times as long as wide a frame of a clip may be
BROKEN = (OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error)
"""What PIL's readers raise, between them, on damaged files."""


def read(data: bytes, name: str = "image") -> Image:
    """The picture in a file's bytes: mode RGB, turned as its camera says, transparency laid on white."""
    return _on("white", _upright(data, name)).convert("RGB")


def read_first(data: bytes, name: str = "image") -> tuple[Image, int]:
    """As `read`, but the first frame of a picture that has several; and how many it has."""
    opened = _opened(data, name, several=True)
    frames = 1 if opened.format == "MPO" else getattr(opened, "n_frames", 1)
    return _on("white", _upright(data, name, several=True)).convert("RGB"), frames


def read_mask(data: bytes, like: Image, name: str = "mask") -> Image:
    """A mask for the picture `like`: mode L, white where to repaint; transparent means keep.

    One of another size is scaled if its shape is the picture's, and refused if not.
    """
    from PIL import Image as images

    mask = _on("black", _upright(data, name)).convert("L")
    if mask.size == like.size:
        return mask
    if abs(mask.width * like.height - mask.height * like.width) > 0.02 * mask.width * like.height:
        raise BadRequest(
            f"“{name}” is {mask.width} x {mask.height} pixels and the picture {like.width} x {like.height}: their "
            "shapes differ. Send a mask of the picture's size."
        )
    return mask.resize(like.size, images.Resampling.BILINEAR)


def check_shape(picture: Image, name: str = "image") -> None:
    """Raise BadRequest for a strip, of which no frame of a clip can be made."""
    if max(picture.size) > LONGEST * min(picture.size):
        raise BadRequest(
            f"“{name}” is {picture.width} x {picture.height} pixels: too long and thin for a clip. Send one that is "
            f"at most {LONGEST} times as long as wide."
        )


def check(data: bytes, name: str = "image") -> None:
    """Raise BadRequest unless this begins like a picture of a kind and size that we take; unpacks nothing."""
    _opened(data, name)


def _opened(data: bytes, name: str, several: bool = False) -> Image:
    from PIL import Image as images

    if len(data) > MOST_BYTES:
        raise BadRequest(f"“{name}” is larger than {MOST_BYTES // 2**20} MiB. Send a smaller file.")
    try:
        picture = images.open(io.BytesIO(data), formats=FORMATS)
        frames = getattr(picture, "n_frames", 1)  # found by reading on
    except (images.DecompressionBombError, images.DecompressionBombWarning):
        raise BadRequest(f"“{name}” has far more than {MOST_PIXELS:,} pixels. Send a smaller picture.") from None
    except BROKEN:
        raise BadRequest(f"“{name}” is not a picture that can be read ({', '.join(FORMATS)}).") from None
    if picture.width * picture.height > MOST_PIXELS:
        raise BadRequest(
            f"“{name}” is {picture.width} x {picture.height} pixels; at most {MOST_PIXELS:,} in all are taken. "
            "Send a smaller picture."
        )
    # MPO is how phones pack a photo with its depth map or thumbnail.
    if frames > 1 and not several and picture.format != "MPO":
        raise BadRequest(f"“{name}” has {frames} frames or pages. Send a picture of one.")
    return picture


def _upright(data: bytes, name: str, several: bool = False) -> Image:
    from PIL import ImageOps

    picture = _opened(data, name, several)
    try:
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
    except BROKEN:
        raise BadRequest(f"“{name}” is cut off or damaged. Save it again, or send another.") from None
    return _eight_bit(picture, name)


def _eight_bit(picture: Image, name: str) -> Image:
    """The picture with 8 bits a channel; PIL has done so already except where there is one channel only."""
    import numpy as np
    from PIL import Image as images

    if picture.mode == "F":
        raise BadRequest(f"“{name}” holds floating-point numbers. Save it with 8 or 16 bits a channel.")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).clip(0, 65535).astype(np.uint32)
    values += 128
    values //= 257
    return images.fromarray(values.astype(np.uint8))


def _on(colour: str, picture: Image) -> Image:
    from PIL import Image as images

    if not picture.has_transparency_data:
        return picture
    layer = picture.convert("RGBA")
    return images.alpha_composite(images.new("RGBA", layer.size, colour), layer)
