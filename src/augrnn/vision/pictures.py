"""Image files as red, green and blue, whatever they are: rotated, grey, CMYK, with a palette, see-through, 16 bits."""

import io
import struct
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from augrnn.errors import UserError

SIXTEEN = ("I", "I;16", "I;16L", "I;16B", "I;16N")
"""PIL's modes of grey pictures with 16 bits a pixel. Its own conversion to 8 bits makes all above 255 white."""

UNREADABLE = (OSError, SyntaxError, ValueError, struct.error, OverflowError, EOFError, Image.DecompressionBombError)
"""What PIL raises on a file that is no picture, is cut off, or is too large to be one."""


class Picture(NamedTuple):
    """An image file.

    Attributes:
      name: what messages call it.
      content: the bytes of the file.
    """

    name: str
    content: bytes


def decode(picture: Picture) -> Image.Image:
    """The picture in RGB, 8 bits a channel, the way up that its EXIF data say.

    What is transparent becomes white. 16 bits a pixel are scaled to 8. Of an animation the first frame is taken.

    Raises:
      UserError: the bytes are no picture that can be read; names it.
    """
    try:
        with Image.open(io.BytesIO(picture.content)) as opened:
            image = ImageOps.exif_transpose(opened)
            return _rgb(image)
    except UNREADABLE as error:
        told = "no image format is recognised" if isinstance(error, Image.UnidentifiedImageError) else error
        raise UserError(f"{picture.name} cannot be read as an image: {' '.join(str(told).split())}") from None


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN:
        scaled = np.clip(np.asarray(image, dtype=np.float64) / 257, 0, 255)
        image = Image.fromarray(np.round(scaled).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers, whose range is not known")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
