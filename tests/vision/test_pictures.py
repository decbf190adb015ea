"""Pictures of every kind against the colours that they were made of."""

import io

import numpy as np
import pytest
from PIL import Image

from augrnn.errors import UserError
from augrnn.vision.pictures import Picture, decode


def stored(image: Image.Image, form: str = "PNG", **options: object) -> Picture:
    file = io.BytesIO()
    image.save(file, form, **options)
    return Picture(f"a.{form.lower()}", file.getvalue())


def pixel(picture: Picture, at: tuple[int, int] = (0, 0)) -> tuple[int, ...]:
    image = decode(picture)
    assert image.mode == "RGB"
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return found


def test_grey_and_black_and_white_become_three_equal_channels() -> None:
    assert pixel(stored(Image.new("L", (3, 2), 77))) == (77, 77, 77)
    assert pixel(stored(Image.new("1", (3, 2), 1))) == (255, 255, 255)


def test_sixteen_bits_are_scaled_and_not_white() -> None:
    values = np.array([[0, 257, 40000, 65535]], dtype=np.uint16)
    image = decode(stored(Image.fromarray(values)))
    assert np.asarray(image)[0, :, 1].tolist() == [0, 1, 156, 255]


def test_cmyk_keeps_its_colours() -> None:
    cyan = stored(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG", quality=95)
    assert np.abs(np.subtract(pixel(cyan), (0, 255, 255))).max() < 8


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode: str) -> None:
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255))
    if mode == "P":
        palette = Image.new("P", (2, 1), 0)
        palette.putpalette([200, 10, 10, 0, 0, 0])
        palette.putpixel((1, 0), 1)
        picture = stored(palette, transparency=0)
    else:
        picture = stored(image.convert(mode))
    assert pixel(picture) == (255, 255, 255)
    assert pixel(picture, (1, 0)) == (0, 0, 0)


def test_the_camera_said_which_way_is_up() -> None:
    image = Image.new("RGB", (20, 10), "blue")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    assert decode(stored(image, "JPEG", exif=exif)).size == (10, 20)


@pytest.mark.parametrize("size", [(1, 1), (10_000, 3)])
def test_odd_sizes_are_read(size: tuple[int, int]) -> None:
    assert decode(stored(Image.new("RGB", size, "red"))).size == size


def test_no_image_is_named_in_one_line() -> None:
    whole = stored(Image.effect_noise((64, 64), 50).convert("RGB"), "JPEG")
    cut = Picture("cut.jpg", whole.content[: len(whole.content) // 2])
    for picture in (Picture("text.jpg", b"not a picture\n"), Picture("empty.png", b""), cut):
        with pytest.raises(UserError, match=picture.name) as caught:
            decode(picture)
        assert "\n" not in str(caught.value)


def test_floating_point_pictures_are_refused() -> None:
    with pytest.raises(UserError, match=r"a\.tiff cannot be read as an image: its pixels are floating-point"):
        decode(stored(Image.new("F", (2, 2), 0.5), "TIFF"))
