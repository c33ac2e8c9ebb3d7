"""What is decided from the device: parts moved in and out, and attention. No GPU is here: the libraries are played."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines import image_placement
from pipelines.device import Device
from pipelines.image_placement import held, kernels

GPU = Device("cuda", "a GPU", 24, half=True)
CPU = Device("cpu", "a CPU", 64, half=False)


@pytest.mark.parametrize(
    ("device", "budget", "ram", "expected"),
    [
        (GPU, 24, 64, (22, 2, False)),  # it fits whole
        (GPU, 23, 64, (12, 6, True)),
        (GPU, 14, 64, (12, 2, True)),
        (GPU, 13, 64, (22, 2, False)),  # the largest does not fit either
        (GPU, 23, 20, (22, 2, False)),  # main memory cannot hold it
        (GPU, None, 64, (22, 2, False)),
        (CPU, 23, 64, (22, 2, False)),
    ],
)
def test_parts_are_moved_in_and_out_only_where_nothing_else_does(
    device: Device, budget: int | None, ram: int, expected: tuple[int, int, bool]
) -> None:
    resident, working, offload = held(device, (12, 9, 1), 2, budget, ram)
    assert (resident, working, offload) == expected
    assert not offload or budget is None or resident + working <= budget < resident + 2 * working, "one run at a time"


def test_a_model_of_one_part_cannot_be_held_part_by_part() -> None:
    assert held(GPU, (22,), 2, 23, 64) == (22, 2, False)


@pytest.mark.parametrize(
    ("capability", "installed", "unmasked", "expected"),
    [
        ((9, 0), {"flash_attn_3", "flash_attn"}, True, ("_flash_3", "flash", "native")),
        ((8, 6), {"flash_attn_3", "flash_attn"}, True, ("flash", "native")),
        ((12, 0), {"flash_attn_3", "flash_attn"}, True, ("flash", "native")),
        ((7, 5), {"flash_attn"}, True, ("native",)),
        ((9, 0), set(), True, ("native",)),
        ((9, 0), {"flash_attn_3", "flash_attn"}, False, ("native",)),
    ],
)
def test_a_kernel_is_tried_where_the_gpu_the_package_and_the_model_allow_it(
    capability: tuple[int, int], installed: set[str], unmasked: bool, expected: tuple[str, ...]
) -> None:
    assert kernels(capability, unmasked, lambda name: name in installed) == expected


def test_every_kernel_is_one_that_diffusers_knows() -> None:
    from diffusers.models.attention_dispatch import AttentionBackendName

    names = {each.value for each in AttentionBackendName}
    assert {each.name for each in image_placement.KERNELS} | {image_placement.OWN} <= names


class Played:
    """A pipeline that notes what is done with it; its denoiser refuses some kernels."""

    def __init__(self, refused: tuple[str, ...] = ()) -> None:
        self.done: list[str] = []
        self.transformer = self
        self._refused = refused

    def to(self, kind: str) -> Played:
        self.done.append(f"to {kind}")
        return self

    def enable_model_cpu_offload(self, device: str) -> None:
        self.done.append(f"offload to {device}")

    def set_attention_backend(self, name: str) -> None:
        if name in self._refused:
            raise RuntimeError("built for another torch")
        self.done.append(name)


def test_a_pipeline_is_put_where_it_runs_and_attends_with_the_first_kernel_that_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (9, 0))
    monkeypatch.setattr(image_placement, "kernels", lambda *facts: ("_flash_3", "flash", "native"))

    def placed(device: Device, offload: bool, *refused: str) -> list[str]:
        played: Any = Played(refused)
        image_placement.place(played, device, offload, unmasked=True)
        return list(played.done)

    assert placed(GPU, False) == ["to cuda", "_flash_3"]
    assert placed(GPU, True, "_flash_3") == ["offload to cuda", "flash"]
    assert placed(GPU, False, "_flash_3", "flash") == ["to cuda", "native"]
    assert placed(CPU, False) == ["to cpu"]
