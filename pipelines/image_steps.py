"""What a run shows of its steps: the predicted clean picture of each, and the noise that it came from.

Where steps are slow, each is shown as it ends. Where they come faster than a page can show them, those in between are
kept as latents and made into pictures together: one pass for several costs little more than for one, so that watching
stays next to free on a fast machine too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.events import Emit, Preview, Progress

if TYPE_CHECKING:
    from torch import Tensor

    from pipelines.preview import Colours

EVERY = 1 / 15  # seconds from one look to the next, at least
MOST = 32  # kept at a time


class Steps:
    """Emits a Preview for every step that add() was told of, in order; some later than others, none after flush()."""

    def __init__(self, colours: Colours, unpacked: Callable[[Tensor], Tensor], emit: Emit) -> None:
        """`unpacked` makes a batch of the denoiser's latents the autoencoder's: (n, channels, rows, columns)."""
        self._colours, self._unpacked, self._emit = colours, unpacked, emit
        self._kept: list[tuple[Tensor, Tensor, int, int]] = []
        self._next = 0.0  # on the clock of time.monotonic()

    def add(self, clean: Tensor, noisy: Tensor, step: int, total: int) -> None:
        """Latents as the denoiser knows them, of which the first of the batch is shown."""
        self._kept.append((clean[:1].detach(), noisy[:1].detach().clone(), step, total))
        if time.monotonic() >= self._next or len(self._kept) == MOST:
            self.flush()
        else:
            self._emit(Progress(step, total, "Drawing"))  # which is also where a run is stopped

    def flush(self) -> None:
        import torch

        kept, self._kept = self._kept, []
        if not kept:
            return
        cleans, noisies = (self._unpacked(torch.cat(some)) for some in list(zip(*kept, strict=True))[:2])
        pictures, noises = self._colours.pictures(cleans), self._colours.cells(noisies)
        self._next = time.monotonic() + EVERY
        for picture, noise, (*_, step, total) in zip(pictures, noises, kept, strict=True):
            self._emit(Preview(picture, step, total, noise))
