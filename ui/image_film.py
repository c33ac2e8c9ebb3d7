"""The film strip: what every step was given and what it predicted, as one picture that the page scrolls through.

One file for the whole strip: the page fetches it once and scrubs without asking the server again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_FRAMES = 40
SIDE = 192  # pixels of a frame's longer side, at most


@dataclass(frozen=True)
class Frame:
    """One step: the predicted clean picture and, where the model can tell, the noisy one it was predicted from."""

    step: int
    total: int
    clean: Image
    noisy: Image | None


@dataclass(frozen=True)
class Strip:
    """A developed film: frames side by side, the noisy ones in a row above the clean ones if there are `two_rows`."""

    path: Path
    steps: tuple[int, ...]
    total: int
    two_rows: bool
    size: tuple[int, int]  # of a frame


def wanted(step: int, total: int) -> bool:
    """Whether this step gets a frame: each of a few, an even choice of many, and always the last."""
    return step * MOST_FRAMES // total != (step - 1) * MOST_FRAMES // total


def develop(film: Sequence[Frame], path: Path) -> Strip | None:
    """Write the strip of a film to `path`; None for a film without frames."""
    from PIL import Image as images

    if not film:
        return None
    width, height = film[0].clean.size
    scale = min(1.0, SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    two_rows = all(frame.noisy is not None for frame in film)
    sheet = images.new("RGB", (size[0] * len(film), size[1] * (1 + two_rows)))
    for column, frame in enumerate(film):
        rows = [frame.noisy, frame.clean] if two_rows else [frame.clean]
        for row, image in enumerate(rows):
            if image is not None:
                how = images.Resampling.BICUBIC if image is frame.clean else images.Resampling.NEAREST  # cells
                sheet.paste(image.convert("RGB").resize(size, how), (column * size[0], row * size[1]))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, "JPEG", quality=80)
    return Strip(path, tuple(frame.step for frame in film), film[-1].total, two_rows, size)
