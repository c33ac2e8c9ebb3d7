"""Enlarging pictures: the built-in weights against ncnn's own output, transparency, odd files, and Stop."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.device import Device
from pipelines.errors import BadRequest, BadWeights
from pipelines.events import Cancelled, Progress, Update
from pipelines.upscale import MOST_PIXELS, Upscaler, as_rgb, load, working_bytes
from pipelines.weights import ASSETS

HERE = Path(__file__).parent / "upscale"
CPU = Device("cpu", "test", 2**33, half=False)


@pytest.fixture(scope="module")
def built_in() -> Upscaler:
    return load(CPU, ASSETS / "realesrgan-x4-anime")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Upscaler:
    """The real classes with random weights, loaded as the real ones are."""
    return load(CPU, save_tiny(tmp_path_factory.mktemp("tiny")))


def save_tiny(folder: Path) -> Path:
    import torch
    from safetensors.torch import save_file

    from pipelines.rrdb import RRDBNet

    torch.manual_seed(0)
    save_file(RRDBNet(blocks=1, width=8, growth=4).half().state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text('{"network": "RRDBNet", "blocks": 1, "width": 8, "growth": 4}')
    return folder


def silent(update: Update) -> None:
    pass


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def difference(a: Image.Image, b: Image.Image) -> int:
    return int(np.abs(np.asarray(a).astype(int) - np.asarray(b)).max())


def psnr(a: Image.Image, b: Image.Image) -> float:
    squares = (np.asarray(a).astype(float) - np.asarray(b)) ** 2
    return float(10 * np.log10(255**2 / squares.mean()))


def test_the_built_in_weights_give_what_ncnn_gives(built_in: Upscaler) -> None:
    """Beyond the border ncnn's program mirrors ten pixels; the network's authors, and we, have nothing there."""
    picture, theirs = Image.open(HERE / "house.png"), Image.open(HERE / "house-by-ncnn.png")
    assert psnr(built_in.run(picture, silent), theirs) > 40
    mirrored = built_in.run(np.pad(np.asarray(picture), ((10, 10), (10, 10), (0, 0)), "reflect"), silent)
    assert psnr(mirrored.crop((40, 40, 40 + theirs.width, 40 + theirs.height)), theirs) > 60


def test_tiles_do_not_show(built_in: Upscaler) -> None:
    """In the real network, after rounding to bytes: at most the last bit of a few differs."""
    picture = Image.open(HERE / "house.png")
    whole = built_in.run(picture, silent)
    tiled = Upscaler(built_in._network, tile=20).run(picture, silent)
    assert difference(whole, tiled) <= 1


def test_the_same_picture_gives_the_same_bytes(tiny: Upscaler) -> None:
    picture = Image.fromarray(noise(9, 11, 3))
    assert tiny.run(picture, silent).tobytes() == tiny.run(picture, silent).tobytes()


def test_an_array_is_as_good_as_a_picture(tiny: Upscaler) -> None:
    pixels = noise(9, 11, 3)
    assert tiny.run(pixels, silent) == tiny.run(Image.fromarray(pixels), silent)


@pytest.mark.parametrize("channels", [3, 4])
def test_progress_runs_from_nothing_to_all(tiny: Upscaler, channels: int) -> None:
    updates: list[Update] = []
    Upscaler(tiny._network, tile=8).run(noise(9, 11, channels), updates.append)
    done = [update.done for update in updates if isinstance(update, Progress)]
    total = (4 * 3 + 9) * (channels - 2)  # tiles for three dense blocks, for the end; colour and transparency
    assert done == list(range(total + 1))
    assert {update.total for update in updates if isinstance(update, Progress)} == {total}


@pytest.mark.parametrize("at", [0, 1, 5])
def test_stop_takes_effect_within_a_tile(tiny: Upscaler, at: int) -> None:
    updates: list[Update] = []

    def emit(update: Update) -> None:
        updates.append(update)
        if len(updates) > at:
            raise Cancelled

    with pytest.raises(Cancelled):
        Upscaler(tiny._network, tile=8).run(noise(9, 11, 3), emit)
    assert len(updates) == at + 1


def test_transparency_is_enlarged_and_opaque_stays_so(built_in: Upscaler) -> None:
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[4:12, 4:12] = (200, 60, 40, 255)
    larger = built_in.run(pixels, silent)
    assert (larger.mode, larger.size) == ("RGBA", (64, 64))
    alpha = np.asarray(larger)[..., 3]
    assert alpha[24:40, 24:40].min() > 245
    assert alpha[:8].max() < 10
    assert built_in.run(np.full((4, 4, 4), 255, np.uint8), silent).mode == "RGB"


def test_there_is_no_rim_around_a_cut_out(built_in: Upscaler) -> None:
    """Files mostly have black where nothing is seen; none of it may show up at the edge."""
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[4:12, 4:12] = (250, 220, 60, 255)
    larger = np.asarray(built_in.run(pixels, silent)).astype(int)
    seen = larger[larger[..., 3] > 30][:, :3]
    assert np.abs(seen - (250, 220, 60)).max() < 25


def test_what_is_hidden_does_not_matter(tiny: Upscaler) -> None:
    black = np.zeros((16, 16, 4), np.uint8)
    black[4:12, 4:12] = 255
    coloured = np.where(black[..., 3:] > 0, black, np.array([0, 255, 0, 0], np.uint8))
    assert tiny.run(black, silent) == tiny.run(coloured, silent)


def ramp() -> np.ndarray:
    """Grey from 0 to 255."""
    return np.arange(256, dtype=np.uint8).reshape(16, 16)


def sixteen_bits() -> Image.Image:
    return Image.fromarray(ramp().astype(np.uint16) * 257)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Image.fromarray(ramp()),
        lambda: Image.fromarray(ramp()).convert("RGB"),
        lambda: Image.fromarray(ramp()).convert("P"),
        lambda: Image.fromarray(ramp()).convert("RGBA"),
        lambda: Image.fromarray(ramp()).convert("LA"),
        lambda: Image.fromarray(ramp()).convert("CMYK"),
        sixteen_bits,
        lambda: sixteen_bits().convert("I"),
        lambda: Image.fromarray(ramp().astype(">u2") * np.array(257, ">u2")),
    ],
    ids=["grey", "rgb", "palette", "rgba", "grey-alpha", "cmyk", "16-bit", "16-bit-in-32", "16-bit-big-endian"],
)
def test_every_kind_of_picture_becomes_rgb(make: Callable[[], Image.Image]) -> None:
    picture = as_rgb(make())
    assert picture.mode == "RGB"
    assert np.abs(np.asarray(picture).astype(int) - ramp()[..., None]).max() <= 1


def test_transparency_of_a_palette_is_seen() -> None:
    picture = Image.new("P", (4, 4))
    picture.info["transparency"] = 0
    assert as_rgb(picture).mode == "RGBA"


def test_rotation_by_exif_is_carried_out() -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 4), "red").save(file, "JPEG", exif=exif)
    assert as_rgb(Image.open(file)).size == (4, 8)


def test_the_first_frame_of_an_animation_is_taken() -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert as_rgb(Image.open(file)).getpixel((0, 0)) == (255, 0, 0)


def test_too_large_a_picture_is_refused_before_it_is_decoded() -> None:
    class Huge(Image.Image):
        size = (MOST_PIXELS // 1000 + 1, 1000)

        def load(self) -> None:
            raise AssertionError("decoded")

    with pytest.raises(BadRequest, match=r"4\.0 megapixels \(4001 x 1000\); at most 4"):
        as_rgb(Huge())


def test_a_picture_that_is_cut_off_is_refused() -> None:
    file = io.BytesIO()
    Image.fromarray(noise(64, 64, 3)).save(file, "PNG")
    with pytest.raises(BadRequest, match="cut off or damaged"):
        as_rgb(Image.open(io.BytesIO(file.getvalue()[:2000])))


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (Image.new("RGB", (0, 3)), "empty"),
        (Image.new("F", (3, 3)), "floating-point"),
        (Image.new("I", (3, 3), 70_000), "more than 16 bits"),
    ],
)
def test_what_has_no_meaning_is_refused(picture: Image.Image, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        as_rgb(picture)


def test_the_memory_it_asks_for_is_what_was_measured() -> None:
    """On a CPU: 170 MB at 128 x 128 pixels, 346 MB at 512 x 512; allowed for: that to a fifth more."""
    assert 170e6 <= working_bytes(CPU, 128 * 128) <= 204e6
    assert 346e6 <= working_bytes(CPU, 512 * 512) <= 415e6


@pytest.mark.parametrize("what", ["nothing", "text", "half"])
def test_broken_weights_are_refused(what: str, tmp_path: Path) -> None:
    if what == "text":
        save_tiny(tmp_path)
        (tmp_path / "config.json").write_text("{}")
    if what == "half":
        weights = save_tiny(tmp_path) / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:2000])
    with pytest.raises(BadWeights, match="no upscaler that can be read"):
        load(CPU, tmp_path)


def test_16_bit_arithmetic_is_close_to_32_bits(built_in: Upscaler) -> None:
    """On devices that multiply 16-bit numbers; here torch does it."""
    import torch
    from safetensors.torch import load_file

    from pipelines.rrdb import RRDBNet

    folder = ASSETS / "realesrgan-x4-anime"
    config = json.loads((folder / "config.json").read_text())
    network = RRDBNet(blocks=config["blocks"], width=config["width"], growth=config["growth"])
    network.load_state_dict(load_file(folder / "model.safetensors"))
    half = Upscaler(network.to(torch.bfloat16).eval().requires_grad_(False))
    picture = Image.open(HERE / "house.png").crop((0, 0, 24, 24))
    assert 35 < psnr(half.run(picture, silent), built_in.run(picture, silent)) < 60
