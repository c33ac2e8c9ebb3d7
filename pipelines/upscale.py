"""Enlarges a picture four times with Real-ESRGAN, a GAN: it invents the detail that a sharp picture would have.

Covers what can be in a file: grey, palette, CMYK and 16-bit pictures become RGB with 8 bits, rotation by EXIF is
carried out, transparency is enlarged by itself. Of an animation the current frame is taken. Not covered: pictures
that are too large (refused), and colour profiles, which are dropped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pipelines.device import Device
from pipelines.errors import BadRequest, BadWeights
from pipelines.events import Emit, Progress

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from pipelines.rrdb import Network

MOST_PIXELS = 4_000_000
CPU_TILE, GPU_TILE = 128, 512  # pixels a side; a CPU's last-level cache holds what a tile of 128 needs
SPREAD, TIMES = 7, 6  # colour goes on under transparency by half of a box of 7 pixels, 6 times over

Bytes = NDArray[np.uint8]


class Upscaler:
    """A loaded network. Used by one thread at a time; keeps no state of a run."""

    def __init__(self, network: Network, tile: int = CPU_TILE) -> None:
        self._network = network
        self._tile = tile

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self._network.conv_first.weight.dtype

    def run(self, image: Image.Image | Bytes, emit: Emit) -> Image.Image:
        """The picture four times as wide and high: RGBA where anything is transparent, otherwise RGB.

        Reports after every tile of every stage (dozens of times even for a small picture) and can be cancelled there.
        """
        import torch

        picture = as_rgb(image if isinstance(image, Image.Image) else Image.fromarray(image))
        with torch.inference_mode(), self._network.working() as network:
            layers = _layers(self._tensor(np.asarray(picture)))
            step = self._steps(picture, len(layers), emit)
            larger = [_bytes(network.in_tiles(layer, self._tile, step)) for layer in layers]
        if len(larger) == 2:
            larger[1] = larger[1][..., :1]  # transparency was enlarged as a grey picture
        return Image.fromarray(np.concatenate(larger, axis=2))

    def _steps(self, picture: Image.Image, layers: int, emit: Emit) -> Callable[[], None]:
        """Says where we are, now and whenever it is called."""
        total = layers * self._network.steps(picture.height, picture.width, self._tile)
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            emit(Progress(done, total, "Enlarging"))

        emit(Progress(0, total, "Enlarging"))
        return step

    def _tensor(self, pixels: Bytes) -> Tensor:
        """(h, w, channels) from 0 to 255 -> (1, channels, h, w) from 0 to 1, where and as the network computes."""
        import torch

        weight = self._network.conv_first.weight
        tensor = torch.from_numpy(pixels.copy()).to(weight.device).permute(2, 0, 1)[None]
        return tensor.to(self.dtype, memory_format=torch.channels_last).div_(255)


def load(device: Device, folder: Path) -> Upscaler:
    """The upscaler in `folder`: config.json and model.safetensors."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from pipelines.rrdb import RRDBNet
    from pipelines.rrdb_cpu import CpuNetwork, suits

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with torch.device("meta"):  # no memory and no random numbers for what is replaced at once
            network = RRDBNet(blocks=config["blocks"], width=config["width"], growth=config["growth"])
        network.load_state_dict(load_file(folder / "model.safetensors"), assign=True)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise BadWeights(
            f"{folder} holds no upscaler that can be read ({error}). Restore it (“git checkout -- assets/models”), or "
            "delete it from the cache to have it fetched again."
        ) from error
    network.requires_grad_(False)
    quick = device.kind == "cpu" and suits(config["width"], config["growth"])
    placed: Any = network.to(device.kind, torch.float32 if quick else device.dtype())
    placed.to(memory_format=torch.channels_last)  # which torch's type stubs leave out
    upscaler = Upscaler(CpuNetwork(network, torch.get_num_threads()) if quick else network.eval(), _tile(device))
    if quick:
        upscaler.run(Image.new("RGB", (4, 4)), lambda update: None)  # compiles it
    return upscaler


def parameter_bytes(device: Device) -> int:
    """What one of its parameters takes at most: on a CPU four floats, in the form that it computes with."""
    return 16 if device.kind == "cpu" else device.parameter_bytes


def working_bytes(device: Device, pixels: int = MOST_PIXELS) -> int:
    """What enlarging a picture of so many pixels takes besides the weights.

    Three sets of 64 features for each pixel, and the result; for the tile under way what was measured on a CPU, in all
    170 MB for tiles of 128 (float32, by Winograd's algorithm), and in torch 100 MB, taken in proportion on a GPU.
    """
    floats, size = (2400, 4) if device.kind == "cpu" else (1500, device.parameter_bytes)
    return (pixels * (3 * 64 + 3 * 16) + floats * _tile(device) ** 2) * size


def _tile(device: Device) -> int:
    return CPU_TILE if device.kind == "cpu" else GPU_TILE


def as_rgb(image: Image.Image) -> Image.Image:
    """The picture as a person sees it, with 8 bits a channel: RGBA where anything is transparent, otherwise RGB."""
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise BadRequest(
            f"The picture has {pixels / 1e6:.1f} megapixels ({image.width} x {image.height}); at most "
            f"{MOST_PIXELS / 1e6:.0f} can be enlarged. Make it smaller, or cut out a part."
        )
    if pixels == 0:
        raise BadRequest("The picture is empty. Choose another one.")
    try:
        image = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise BadRequest(
            f"The picture cannot be read: the file is cut off or damaged ({error}). Save it again, or choose another."
        ) from error
    if image.mode == "I" or image.mode.startswith("I;16"):
        image = _eight_bits(image)
    elif image.mode == "F":
        raise BadRequest("Pictures of floating-point numbers have no agreed range. Save it with 8 or 16 bits first.")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    opaque = image.getchannel("A").getextrema() == (255, 255)
    return image.convert("RGB") if opaque else image


def _eight_bits(image: Image.Image) -> Image.Image:
    """A 16-bit grey picture with 8 bits. (Pillow's own conversion cuts off at 255.)"""
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise BadRequest("The picture has more than 16 bits a pixel. Save it with 8 or 16 first.")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def _layers(picture: Tensor) -> list[Tensor]:
    """What the network can enlarge: a colour picture and, where there is transparency, that as a grey picture."""
    import torch

    if picture.shape[1] == 3:
        return [picture]
    colour, alpha = _continued(picture[:, :3], picture[:, 3:]), picture[:, 3:].expand(-1, 3, -1, -1)
    return [layer.contiguous(memory_format=torch.channels_last) for layer in (colour, alpha)]


def _continued(colour: Tensor, alpha: Tensor) -> Tensor:
    """The colours, going on where nothing can be seen: whatever a file has there would be drawn as a rim."""
    import torch
    import torch.nn.functional as F

    def blurred(values: Tensor) -> Tensor:
        return F.avg_pool2d(values, SPREAD, stride=1, padding=SPREAD // 2)

    known = (alpha > 0).to(colour.dtype)
    colour = colour * known
    for _ in range(TIMES):
        near = blurred(known)
        spread = blurred(colour) / near.clamp_min(1e-3)  # one known pixel in a box gives 0.02
        colour = torch.where(known > 0, colour, spread)
        known = (near > 0).to(colour.dtype)
    return colour


def _bytes(picture: Tensor) -> Bytes:
    """(1, channels, h, w) around 0 to 1 -> (h, w, channels) from 0 to 255."""
    pixels: Bytes = picture[0].permute(1, 2, 0).float().clamp_(0, 1).mul_(255).round_().byte().cpu().numpy()
    return pixels
