"""The device: found without torch, and never promised when it is not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.device import Device, detect, ram
from pipelines.errors import BadRequest


def fake_nvidia_smi(folder: Path, answer: str) -> None:
    script = folder / "nvidia-smi"
    script.write_text(f"#!/bin/sh\n{answer}\n")
    script.chmod(0o755)


def test_a_gpu_is_found_by_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nvidia_smi(tmp_path, 'echo "NVIDIA H100 80GB HBM3, 81559"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert detect("auto") == Device("cuda", "NVIDIA H100 80GB HBM3", 81559 * 2**20, half=True)


def test_a_gpu_without_memory_of_its_own_has_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nvidia_smi(tmp_path, 'echo "NVIDIA GB10, [N/A]"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert detect("auto") == Device("cuda", "NVIDIA GB10", ram(), half=True)


def test_a_driver_that_fails_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nvidia_smi(tmp_path, "echo broken >&2; exit 9")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert detect("auto").kind == "cpu"
    with pytest.raises(BadRequest, match="--device auto"):
        detect("cuda")


def test_the_cpu_is_always_there() -> None:
    cpu = detect("cpu")
    assert cpu.kind == "cpu" and 0 < cpu.free() <= cpu.total


def test_finding_the_device_does_not_import_torch() -> None:
    code = "import sys; from pipelines.device import detect; detect().free(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_cpu_without_units_for_bfloat16_computes_in_float32() -> None:
    import torch

    assert Device("cpu", "", 1, half=False).dtype() is torch.float32
    assert Device("cpu", "", 1, half=True).dtype() is torch.bfloat16
