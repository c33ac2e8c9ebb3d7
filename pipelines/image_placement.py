"""Where an image model's parts are held, and with which kernels they attend: decided from the device, as data.

A model that does not fit a GPU whole may fit it part by part: encoder, denoiser and decoder work one after the other,
and diffusers moves each there when its turn comes. That takes seconds for each picture, and main memory for the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pipelines.device import Device

log = logging.getLogger("polymuse.image")


@dataclass(frozen=True)
class Kernel:
    """Attention that beats torch's own where its package is installed and the GPU is new enough."""

    name: str  # as diffusers knows it
    package: str
    capability: tuple[int, int]  # of the oldest GPU that runs it
    below: tuple[int, int] = (99, 0)  # and of the oldest that no longer does


KERNELS = (Kernel("_flash_3", "flash_attn_3", (9, 0), (10, 0)), Kernel("flash", "flash_attn", (8, 0)))
OWN = "native"  # torch's scaled dot product, which brings flash attention of its own


def held(device: Device, parts: Sequence[int], working: int, budget: int | None, ram: int) -> tuple[int, int, bool]:
    """Bytes on the device while loaded, further bytes of a run, and whether to move the parts in and out.

    `parts` are the bytes of each. Runs pass the device on at every step, so a second run would bring a second part
    onto it. Therefore one run is said to take more than half of what is left: then the next one waits for memory.
    """
    whole, largest = sum(parts), max(parts, default=0)
    enough = budget is None or device.kind != "cuda" or whole + working <= budget
    if enough or budget is None or largest + working > budget or largest == whole or whole > ram:
        return whole, working, False
    return largest, max(working, (budget - largest) // 2 + 1), True


def kernels(
    capability: tuple[int, int], unmasked: bool, installed: Callable[[str], object] = find_spec
) -> tuple[str, ...]:
    """What to try, best first. Those faster than torch's know no masks."""
    able = [each for each in KERNELS if each.capability <= capability < each.below and installed(each.package)]
    return (*(each.name for each in able if unmasked), OWN)


def place(pipe: Any, device: Device, offload: bool, unmasked: bool) -> None:
    """Put a loaded pipeline where it will run."""
    if offload:
        pipe.enable_model_cpu_offload(device=device.kind)
    else:
        pipe.to(device.kind)
    if device.kind == "cuda":
        import torch

        _attend(pipe, kernels(torch.cuda.get_device_capability(), unmasked))


def _attend(pipe: Any, names: Sequence[str]) -> None:
    """Use the first of these kernels that works. Always set: diffusers lets what is not follow the model set last."""
    denoiser = getattr(pipe, "transformer", None) or getattr(pipe, "unet", None)
    for name in names:
        try:
            if denoiser is not None:
                denoiser.set_attention_backend(name)
            return
        except RuntimeError as error:  # the package is too old, or was built for another torch
            log.warning("attention with %s is not to be had: %s", name, error)
