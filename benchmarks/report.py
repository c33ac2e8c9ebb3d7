"""How a benchmark tells what it found: medians with their spread, goals, the machine, and one JSON line at the end.

A number measured on a busy machine says little, so every report says how much of the processors other programs had
while it was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import psutil

T = TypeVar("T")

PACKAGES = ("gradio", "gradio_client", "torch", "transformers")


@dataclass(frozen=True)
class Sample:
    """Several measurements of one thing."""

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Sample:
        values = list(values)
        return cls(statistics.median(values), min(values), max(values), len(values))

    def text(self, unit: str = "", scale: float = 1.0, digits: int = 2) -> str:
        """For a table: the median, and lowest to highest behind it."""
        median, low, high = (f"{value * scale:.{digits}f}" for value in (self.median, self.low, self.high))
        return f"{median} {unit}".strip() + f"  ({low} to {high})"

    def json(self) -> dict[str, float]:
        return {"median": significant(self.median), "low": significant(self.low), "high": significant(self.high)}


@dataclass(frozen=True)
class Goal:
    """A bound that was set before anything was measured."""

    name: str
    value: float
    bound: float
    at_least: bool = False  # else at most

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def json(self) -> dict[str, Any]:
        kind = "at_least" if self.at_least else "at_most"
        return {"name": self.name, "value": significant(self.value), kind: significant(self.bound), "met": self.met}


class Watch:
    """Measures while it watches how much of the processors other programs have.

    With a bound on that (`--calm`, in cores) it waits for a calm moment first, and measures again what was disturbed:
    what is left out depends on the disturbance alone, never on what was measured.
    """

    def __init__(self, calm: float | None = None) -> None:
        self._calm = calm
        self._counted: list[tuple[float, float]] = []  # seconds, cores of others
        self._again = 0

    def measure(self, call: Callable[[], T]) -> T:
        """What the call returns; it is called again for as long as it was disturbed."""
        while True:
            if self._calm is not None:
                while _others(lambda: time.sleep(1))[2] > self._calm:
                    pass
            found, seconds, others = _others(call)
            if self._calm is None or others <= self._calm:
                self._counted.append((seconds, others))
                return found
            self._again += 1
            print(f"(not counted: other programs had {others:.2f} cores meanwhile)")

    def json(self) -> dict[str, Any]:
        """How disturbed the counted measurements were."""
        seconds = sum(each for each, _ in self._counted) or 1.0
        return {
            "cores_used_by_others": round(sum(each * others for each, others in self._counted) / seconds, 3),
            "at_most": round(max((others for _, others in self._counted), default=0.0), 3),
            "allowed": self._calm,
            "not_counted": self._again,
        }


def add_calm(parser: argparse.ArgumentParser) -> None:
    """The option that a Watch takes."""
    parser.add_argument(
        "--calm", type=float, metavar="CORES", help="measure only while other programs have no more than this"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of text, the first aligned left and padded to its widest entry."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([texts[0], "  ".join("-" * width for width in widths), *texts[1:]])


def finish(name: str, numbers: Mapping[str, Any], goals: Sequence[Goal], watch: Watch) -> None:
    """Print the goals, what the machine is and was busy with, and the JSON line."""
    facts = machine() | {"load": watch.json()}
    print()
    print(table(("goal", "measured", "bound", ""), (_goal_row(goal) for goal in goals)))
    print()
    print(
        f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB; meanwhile other programs had "
        f"{facts['load']['cores_used_by_others']} cores, {facts['load']['at_most']} at most"
    )
    print(line(name, numbers, goals, facts))


def line(name: str, numbers: Mapping[str, Any], goals: Sequence[Goal], facts: Mapping[str, Any]) -> str:
    """The report for machines: one line of JSON."""
    document = {
        "benchmark": name,
        **{key: value.json() if isinstance(value, Sample) else value for key, value in numbers.items()},
        "goals": [goal.json() for goal in goals],
        "goals_met": all(goal.met for goal in goals),
        "machine": facts,
    }
    return json.dumps(document, allow_nan=False)


def machine() -> dict[str, Any]:
    """What this was measured on."""
    return {
        "cpu": _cpu(),
        "cores": len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in PACKAGES},
    }


def significant(value: float, digits: int = 4) -> float:
    """Rounded to what a measurement can mean."""
    return float(f"{value:.{digits}g}")


def _goal_row(goal: Goal) -> tuple[str, str, str, str]:
    sign = "≥" if goal.at_least else "≤"
    verdict = "met" if goal.met else "MISSED"
    return goal.name, f"{significant(goal.value):g}", f"{sign} {significant(goal.bound):g}", verdict


def _cpu() -> str:
    """The processor's name as Linux lists it, or what Python knows."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for entry in cpuinfo.read_text().splitlines():
            if entry.startswith("model name"):
                return entry.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _others(call: Callable[[], T]) -> tuple[T, float, float]:
    """What the call returns, the seconds it took, and how many cores other programs had meanwhile."""
    began, busy, ours = time.monotonic(), _busy(), _ours()
    found = call()
    seconds = time.monotonic() - began
    return found, seconds, max(0.0, (_busy() - busy) - (_ours() - ours)) / seconds


def _busy() -> float:
    """Seconds that all processors together have been at work since the machine started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _ours() -> float:
    """The same of this process and its children, those that have ended included."""
    times = os.times()
    ours = times.user + times.system + times.children_user + times.children_system
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            used = child.cpu_times()
            ours += used.user + used.system
    return ours
