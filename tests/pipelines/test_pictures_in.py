"""Pictures that people send: whatever the file, upright 8-bit RGB or a sentence that says why not."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipelines import pictures_in
from pipelines.errors import BadRequest


def saved(picture: Image.Image, kind: str = "PNG", **settings: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def noise(mode: str = "RGB", width: int = 40, height: int = 30) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, len(mode)), dtype=np.uint8)
    return Image.frombytes(mode, (width, height), values.tobytes())


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_usual_files_come_as_they_are(kind: str) -> None:
    picture = noise().quantize(16).convert("RGB")
    assert pictures_in.read(saved(picture, kind)).tobytes() == picture.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_files_come_about_as_they_are(kind: str) -> None:
    picture = Image.linear_gradient("L").convert("RGB")
    read = np.asarray(pictures_in.read(saved(picture, kind, quality=95)), dtype=int)
    assert np.abs(read - np.asarray(picture, dtype=int)).mean() < 2


def test_a_photo_is_turned_as_the_camera_says() -> None:
    upright = Image.new("RGB", (40, 20), "white")
    upright.paste((255, 0, 0), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # held sideways: turn by 90 degrees clockwise to see it upright
    read = pictures_in.read(saved(upright.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif))
    assert read.tobytes() == upright.tobytes()


def test_cmyk_becomes_the_colours_it_stands_for() -> None:
    ink = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # magenta and yellow make red
    assert pictures_in.read(saved(ink, "TIFF")).getpixel((4, 4)) == (255, 0, 0)
    assert pictures_in.read(saved(ink, "JPEG", quality=100)).getpixel((4, 4))[0] > 240


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_brightness(kind: str) -> None:
    ramp = Image.fromarray(np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, 0))
    assert ramp.mode == "I;16"
    read = pictures_in.read(saved(ramp, kind))
    assert read.mode == "RGB"
    assert np.array_equal(np.asarray(read)[0, :, 0], np.arange(256))


def test_transparent_parts_are_white_and_mean_keep_in_a_mask() -> None:
    half = Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    half.paste((10, 20, 30, 255), (0, 0, 4, 8))
    read = pictures_in.read(saved(half))
    assert (read.getpixel((0, 0)), read.getpixel((7, 0))) == ((10, 20, 30), (255, 255, 255))
    painted = Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    painted.paste((255, 255, 255, 255), (0, 0, 4, 8))
    mask = pictures_in.read_mask(saved(painted), like=read)
    assert (mask.mode, mask.getpixel((0, 0)), mask.getpixel((7, 0))) == ("L", 255, 0)


def test_a_palette_with_a_transparent_colour_is_laid_on_white() -> None:
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 200, 0, 0] + [0] * 762)
    palette.info["transparency"] = 1
    assert pictures_in.read(saved(palette, transparency=1)).getpixel((0, 0)) == (255, 255, 255)


def test_a_mask_of_another_size_is_scaled_and_of_another_shape_refused() -> None:
    picture = noise(width=40, height=30)
    half = Image.new("L", (80, 60), 0)
    half.paste(255, (0, 0, 40, 60))
    mask = pictures_in.read_mask(saved(half), like=picture)
    assert mask.size == (40, 30) and mask.getpixel((5, 5)) == 255 and mask.getpixel((35, 5)) == 0
    with pytest.raises(BadRequest, match="“mask” is 30 x 30 pixels and the picture 40 x 30: their shapes differ"):
        pictures_in.read_mask(saved(Image.new("L", (30, 30))), like=picture)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.95])
def test_a_file_that_is_cut_off_is_refused(kind: str, part: float) -> None:
    whole = saved(noise(width=100, height=100), kind)
    with pytest.raises(BadRequest, match=r"cut off or damaged|not a picture that can be read"):
        pictures_in.read(whole[: int(len(whole) * part)])


@pytest.mark.filterwarnings("ignore::UserWarning")  # PIL's, of TIFF tags that it leaves out
def test_damage_anywhere_ends_in_a_picture_or_a_sentence() -> None:
    """Never in another exception."""
    random = np.random.default_rng(1)
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF"):
        whole = saved(noise(), kind)
        for _ in range(60):
            bent = bytearray(whole)
            for place in random.integers(0, len(bent), 4):
                bent[place] = random.integers(0, 256)
            try:
                pictures_in.read(bytes(bent))
            except BadRequest:
                continue


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("data", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg/>", b"\x00" * 1000])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest, match="“image” is not a picture that can be read"):
        pictures_in.check(data)


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims this size: a bomb is a small file that says it is large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "side", [8_000, 10_000, 50_000]
)  # PIL takes the first, warns of the second, stops at the third
def test_a_decompression_bomb_is_refused_unopened(side: int) -> None:
    with pytest.raises(BadRequest, match=r"pixels.* Send a smaller picture"):
        pictures_in.check(png_header(side, side))


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(BadRequest, match="larger than 50 MiB"):
        pictures_in.check(b"x" * (pictures_in.MOST_BYTES + 1))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_is_refused(kind: str) -> None:
    frames = [noise(), noise().transpose(Image.Transpose.ROTATE_180)]
    with pytest.raises(BadRequest, match="“image” has 2 frames or pages"):
        pictures_in.check(saved(frames[0], kind, save_all=True, append_images=frames[1:]))


def test_a_phones_photo_with_a_second_picture_inside_is_taken() -> None:
    photo = saved(noise(), "MPO", save_all=True, append_images=[noise(width=8, height=8)])
    assert pictures_in.read(photo).size == (40, 30)


def test_floating_point_pixels_are_refused() -> None:
    with pytest.raises(BadRequest, match="floating-point"):
        pictures_in.read(saved(Image.new("F", (8, 8), 0.5), "TIFF"))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_whose_exif_is_broken_is_refused_in_words(kind: str) -> None:
    """PIL only finds out when it is asked which way up the picture is."""
    with pytest.raises(BadRequest, match="“image” is cut off or damaged"):
        pictures_in.read(saved(noise(), kind, exif=b"no exif at all"))


def test_a_strip_is_no_frame_of_a_clip() -> None:
    pictures_in.check_shape(noise(width=400, height=20))
    with pytest.raises(BadRequest, match="“image” is 401 x 20 pixels: too long and thin"):
        pictures_in.check_shape(noise(width=401, height=20))
