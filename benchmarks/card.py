"""Measured figures as rows of a report, and between two markers in a model's card, which so says what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

BEGIN = "<!-- measured: python -m benchmarks.{} --card writes what stands between these lines -->"
END = "<!-- /measured -->"


@dataclass(frozen=True)
class Figure:
    """A row of a report: a number of what a model made, the same of real ones, and the goal if there is one."""

    key: str
    title: str
    value: float
    real: float | None = None
    bound: float | None = None
    unit: str = "%"

    sign: ClassVar[str] = "≥"  # what the goal is: at least the bound

    def cells(self) -> tuple[str, str, str, str]:
        real = "" if self.real is None else self._text(self.real)
        goal = "" if self.bound is None else f"{self.sign} {self._text(self.bound)}"
        return self.title, self._text(self.value), real, goal

    def _text(self, value: float) -> str:
        return f"{value:.1%}".replace("%", " %") if self.unit == "%" else f"{value:.3g} {self.unit}".strip()


class Card:
    """A card with a place for figures; SystemExit at once, not after an hour of measuring, if it has none."""

    def __init__(self, file: Path, benchmark: str = "image_quality") -> None:
        self._file, self._begin = file, BEGIN.format(benchmark)
        if not self._parts()[1]:
            raise SystemExit(
                f"{file} has no place for the figures: put these two lines into it.\n{self._begin}\n{END}"
            )

    def write(self, head: Sequence[str], rows: Iterable[Sequence[str]], settings: Mapping[str, Any]) -> None:
        """Replace what is between the markers."""
        said = ", ".join(f"{name} {value}" for name, value in settings.items())
        before, _, after = self._parts()
        text = f"{before}{self._begin}\n\n{markdown(head, rows)}\n\nMeasured with {said}.\n\n{END}{after}"
        self._file.write_text(text, "utf-8")

    def _parts(self) -> tuple[str, bool, str]:
        """What is before the place, whether there is one, and what is behind it."""
        before, began, rest = self._file.read_text("utf-8").partition(self._begin)
        _, ended, after = rest.partition(END)
        return before, bool(began and ended), after


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
