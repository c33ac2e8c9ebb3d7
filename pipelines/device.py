"""The device that computes, found without importing torch, so that the page is up before a model library is."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psutil

from pipelines.errors import BadRequest

if TYPE_CHECKING:
    import torch

Kind = Literal["cpu", "cuda", "mps"]


@dataclass(frozen=True)
class Device:
    """Where models are held and run.

    `total` is the memory of the whole device in bytes. `half` says whether 16-bit floats are its fast ones. Most CPUs
    fall back to a loop, where a matrix product was measured at a hundredth of float32's speed; those with AVX-512's
    instructions for bfloat16, but no units for whole matrices, took twice float32's time. So they compute in float32,
    and a model takes twice the bytes.
    """

    kind: Kind
    name: str
    total: int
    half: bool

    @property
    def cores(self) -> int:
        """Cores of the machine that this process may use: a container often has fewer than the machine."""
        return _cores()

    @property
    def parameter_bytes(self) -> int:
        """Bytes that one parameter of a model takes here."""
        return 2 if self.half else 4

    def free(self) -> int:
        """Bytes free on the device right now, other programs counted. Imports torch on a GPU, never on a CPU."""
        if self.kind == "cuda":
            import torch

            return int(torch.cuda.mem_get_info()[0]) + _cached_by_torch()
        return min(self.total, int(psutil.virtual_memory().available))

    def release_cache(self) -> None:
        """Give freed blocks back to the device, so that free() sees them."""
        torch = sys.modules.get("torch")
        if torch is not None and self.kind == "cuda":
            torch.cuda.empty_cache()
        elif torch is not None and self.kind == "mps":
            torch.mps.empty_cache()

    def dtype(self) -> torch.dtype:
        """The floating-point type that models are held and run in here."""
        import torch

        if not self.half:
            return torch.float32
        if self.kind == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.float16
        return torch.bfloat16


def detect(wanted: Literal["auto", "cpu", "cuda", "mps"] = "auto") -> Device:
    """Find the device asked for; `auto` takes the first GPU there is. Raises BadRequest when it is not there."""
    found = _nvidia() or _apple() if wanted == "auto" else {"cuda": _nvidia, "mps": _apple, "cpu": _cpu}[wanted]()
    if found is None and wanted != "auto":
        raise BadRequest(
            f"No {wanted} device was found on this machine. Start with --device auto, or check that the driver works "
            "(nvidia-smi lists NVIDIA GPUs)."
        )
    return found or _cpu()


def _cpu() -> Device:
    return Device("cpu", f"{_cores()} CPU cores", ram(), half=_cpu_prefers_bfloat16())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_prefers_bfloat16() -> bool:
    """By the flags that Linux lists; elsewhere the answer is no, which is always correct and at worst slower."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.is_file() else set()
    return bool(flags & {"amx_bf16", "bf16"})


def ram() -> int:
    """Physical memory, or the container's limit where that is less (cgroup v2, then v1)."""
    total = int(psutil.virtual_memory().total)
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        path = Path(limit)
        if path.is_file() and (text := path.read_text().strip()).isdigit():
            total = min(total, int(text))
    return total


def _nvidia() -> Device | None:
    """The first NVIDIA GPU by its driver's own tool."""
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits", "--id=0"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (subprocess.SubprocessError, OSError):
        return None  # a driver that does not answer computes nothing either
    name, _, mebibytes = (part.strip() for part in answer.splitlines()[0].rpartition(","))
    total = int(mebibytes) * 2**20 if mebibytes.isdecimal() else ram()  # “[N/A]”: it has the machine's memory
    return Device("cuda", name, total, half=True)


def _apple() -> Device | None:
    if platform.system() != "Darwin" or platform.machine() != "arm64":
        return None
    return Device("mps", "Apple GPU", ram(), half=True)


def _cached_by_torch() -> int:
    """Bytes that torch's allocator keeps but no tensor uses: free for the next model."""
    import torch

    return int(torch.cuda.memory_reserved() - torch.cuda.memory_allocated())
