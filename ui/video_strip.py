"""Frames as one picture, side by side, that the page cuts up: it plays them and lays them out as a strip.

One picture for all of them is fetched, and changes, at once: no frame is ever seen beside one of another step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 128  # pixels of a frame's longer side, at most
COLUMNS = 16
MOST = 64  # frames; of more there is an even choice


@dataclass(frozen=True)
class Strip:
    """Frames in rows of `columns`, each of this size."""

    sheet: Image
    count: int
    columns: int
    size: tuple[int, int]

    def told(self, src: str) -> dict[str, Any]:
        """What the page is told of it, when it finds the picture at this address."""
        return {"src": src, "count": self.count, "columns": self.columns, "size": [*self.size]}


def strip(frames: Sequence[Image]) -> Strip:
    """A strip of at least one frame."""
    from PIL import Image as images

    shown = [frames[number * len(frames) // MOST] for number in range(MOST)] if len(frames) > MOST else frames
    width, height = shown[0].size
    scale = min(1.0, SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    columns = min(COLUMNS, len(shown))
    sheet = images.new("RGB", (size[0] * columns, size[1] * ceil(len(shown) / columns)))
    for number, frame in enumerate(shown):
        row, column = divmod(number, columns)
        sheet.paste(frame.convert("RGB").resize(size), (column * size[0], row * size[1]))
    return Strip(sheet, len(shown), columns, size)
