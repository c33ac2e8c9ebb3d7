"""The training loop all recipes share: a generator. What to log, average and save is the caller's `for` body.

    for step in training(model, optimisers, loss, run, start=start):
        average.update(step)
        ...

Every step draws its randomness from a generator seeded by the step's number, so a resumed run continues bit for bit
without saving any generator's state, and a schedule counts steps, never seconds: a paused run is the same run.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import ModelMixin
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pipelines.device import detect


@dataclass(frozen=True)
class Run:
    steps: int  # in all, so a resumed run ends where the whole run would have
    lr: float = 2e-3
    warmup: int = 100
    cooldown: int = 500  # the last steps, over which the rate falls to zero
    clip: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Step:
    number: int  # steps done
    loss: float
    parts: dict[str, float]


def use_spare_cores() -> None:
    """One thread for each core nobody else is using at this moment.

    Beside busy programs a low-priority run must not use every core: its threads wait for one another, so one that gets
    no time stalls all. Threads that wait asleep (OMP_WAIT_POLICY=passive) leave the core to others meanwhile: those
    may use all.
    """
    if os.environ.get("OMP_WAIT_POLICY", "").lower() == "passive":
        return
    cores = len(os.sched_getaffinity(0))
    running = int(Path("/proc/loadavg").read_text().split()[3].split("/")[0])  # this thread among them
    torch.set_num_threads(max(1, cores - (running - 1)))


def fast_precision() -> torch.autocast:
    """bfloat16 where the processor is faster with it; elsewhere it would be twice to a hundred times slower."""
    return torch.autocast("cpu", torch.bfloat16, enabled=detect().half)


Loss = Callable[[torch.Generator], tuple[Tensor, dict[str, float]]]


def rate(step: int, run: Run) -> float:
    """Warm up, stay, fall: a trapezoid, so that a run can be prolonged from before its fall."""
    return run.lr * min(1.0, (step + 1) / run.warmup, (run.steps - step) / max(1, run.cooldown))


def training(
    model: nn.Module, optimisers: Sequence[torch.optim.Optimizer], loss: Loss, run: Run, start: int = 0
) -> Iterator[Step]:
    for step in range(start, run.steps):
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate(step, run)
            optimiser.zero_grad(set_to_none=True)
        with fast_precision():
            value, parts = loss(torch.Generator().manual_seed((run.seed << 32) + step))
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), run.clip)
        for optimiser in optimisers:
            optimiser.step()
        yield Step(step + 1, value.item(), parts)


class Average:
    """A moving average of a model's weights, over a tenth of the steps so far and at most `span` of them."""

    def __init__(self, model: nn.Module, span: int = 1000) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False).eval()
        self.span = span

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        weight = 1 / min(self.span, 1 + step / 10)
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), weight)


def save(
    folder: Path, model: nn.Module, average: Average, optimisers: Sequence[torch.optim.Optimizer], step: int
) -> None:
    """Everything a resumed run needs. The folder is replaced whole, so a killed run leaves the older checkpoint."""
    fresh = folder.with_name(folder.name + ".writing")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    save_file({name: t.contiguous() for name, t in model.state_dict().items()}, fresh / "model.safetensors")
    save_file({name: t.contiguous() for name, t in average.model.state_dict().items()}, fresh / "average.safetensors")
    torch.save([optimiser.state_dict() for optimiser in optimisers], fresh / "optimisers.pt")
    (fresh / "state.json").write_text(json.dumps({"step": step}))
    replace(fresh, folder)


def export(model: ModelMixin, folder: Path) -> None:
    """The model as from_pretrained reads it, in bfloat16. Replaced whole, like a checkpoint."""
    fresh = folder.with_name(folder.name + ".writing")
    shutil.rmtree(fresh, ignore_errors=True)
    copy.deepcopy(model).bfloat16().save_pretrained(fresh)
    config = json.loads((fresh / "config.json").read_text())
    config.pop("_name_or_path", None)  # where it was begun with: a path of this machine
    (fresh / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    replace(fresh, folder)


def replace(fresh: Path, folder: Path) -> None:
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.replace(old)
    fresh.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def write_pid(folder: Path) -> None:
    """Leaves this run's process id beside its output, so that others can pause it: kill -STOP, kill -CONT."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "PID").write_text(str(os.getpid()))


def log(steps: Iterable[Step], *, every: int, batch: int) -> Iterator[Step]:
    """Passes steps on, printing smoothed numbers now and then."""
    smooth: dict[str, float] = {}
    began, first = time.monotonic(), None
    for step in steps:
        first = step.number - 1 if first is None else first
        for name, value in step.parts.items():
            smooth[name] = 0.97 * smooth.get(name, value) + 0.03 * value
        if step.number % every == 0:
            speed = (step.number - first) * batch / (time.monotonic() - began)
            numbers = ", ".join(f"{name} {value:.4f}" for name, value in smooth.items())
            print(f"step {step.number}, {step.number * batch} samples, {speed:.1f}/s: {numbers}", flush=True)
        yield step


def resume(folder: Path, model: nn.Module, average: Average, optimisers: Sequence[torch.optim.Optimizer]) -> int:
    """Loads what save() wrote and returns the number of steps done."""
    model.load_state_dict(load_file(folder / "model.safetensors"))
    average.model.load_state_dict(load_file(folder / "average.safetensors"))
    states = torch.load(folder / "optimisers.pt", weights_only=True)
    for optimiser, state in zip(optimisers, states, strict=True):
        optimiser.load_state_dict(state)
    return int(json.loads((folder / "state.json").read_text())["step"])
