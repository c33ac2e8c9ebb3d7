"""Choosing the next token: temperature and nucleus (top-p) sampling (Holtzman et al. 2020), a seed to each request.

Each token uses up one random number, whatever the model made of the text before it. So an answer that is told how to
begin goes on with the luck that it would have had there anyway, and a watched one is the same as one that is not.

All of it is numpy's: for a vector torch wakes all of its threads, and they keep looking for more, which costs the
other cores half of each token's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.float32]
    Ids = NDArray[np.intp]

REACHES = (4.0, 9.0)  # how far below the likeliest, in nats, the nucleus is looked for before everything is sorted
ALTERNATIVES = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """What there was to choose from: see Xray in pipelines/events.py. Of each alternative its id, `p` and `drawn`."""

    entropy: float
    rank: int
    drawn: float
    alternatives: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True, slots=True)
class Sampled:
    """A token and the probability that the model gave it, before temperature and top-p; `seen` if that is wanted."""

    id: int
    p: float
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class _Choices:
    """The tokens that can be drawn, the likeliest first unless they are all, and the odds that they have together."""

    ids: Ids
    sums: NDArray[np.float64]

    def drawn(self, place: int) -> float:
        """With what probability the token at this place is drawn; none for a place beyond the last."""
        if place >= len(self.sums):
            return 0.0
        return float((self.sums[place] - (self.sums[place - 1] if place else 0.0)) / self.sums[-1])


class Sampler:
    """One request's sampling state. The random numbers are Python's, so a seed means the same on every device."""

    def __init__(self, temperature: float, top_p: float, seed: int, watched: bool = False) -> None:
        self._temperature = temperature if np.float32(temperature) else 0.0  # what float32 cannot tell from 0 is 0
        self._top_p = top_p
        self._luck = Random(seed)
        self._watched = watched
        self.last = -1  # the id sampled last

    def skip(self, tokens: int) -> None:
        """Leave out the draws of so many tokens, which are given."""
        for _ in range(tokens):
            self._luck.random()

    def sample(self, logits: Tensor | Floats) -> Sampled:
        """The next token from raw logits of shape (vocabulary,). Temperature 0 takes the likeliest."""
        raw: Floats = logits if isinstance(logits, np.ndarray) else logits.detach().float().cpu().numpy()
        below = raw - raw.max()  # so that no power overflows
        odds = np.exp(below)
        choices = self._choices(below, odds)
        sums = choices.sums
        place = int(np.searchsorted(sums, self._luck.random() * sums[-1], side="right"))
        place = min(place, len(sums) - 1)
        self.last = int(choices.ids[place])
        total = float(odds.sum())
        seen = self._see(below, odds, total, choices, place) if self._watched else None
        return Sampled(self.last, float(odds[self.last]) / total, seen)

    def _choices(self, below: Floats, odds: Floats) -> _Choices:
        if self._temperature == 0:
            return _Choices(below.argmax().reshape(1), np.ones(1))
        if self._temperature != 1:
            odds = np.exp(below / np.float32(self._temperature))
        if self._top_p == 1:
            return _Choices(np.arange(len(odds)), odds.cumsum(dtype=np.float64))
        wanted = self._top_p * float(odds.sum())
        for reach in (*REACHES, np.inf):
            ids = np.flatnonzero(below >= -reach * self._temperature)
            if odds[ids].sum() >= wanted:
                break
        ids = ids[(-below[ids]).argsort(kind="stable")]
        sums = odds[ids].cumsum(dtype=np.float64)
        nucleus = int(np.searchsorted(sums, wanted)) + 1  # the fewest that reach it; the likeliest is always one
        return _Choices(ids[:nucleus], sums[:nucleus])

    def _see(self, below: Floats, odds: Floats, total: float, choices: _Choices, place: int) -> Seen:
        """Draws no random number and changes nothing."""
        count = min(ALTERNATIVES, len(below))
        best = np.flatnonzero(below >= -REACHES[0])
        if len(best) < count:
            best = below.argpartition(-count)[-count:]
        best = best[(-below[best]).argsort(kind="stable")][:count]
        if self._temperature and self._top_p == 1:
            places = best.tolist()  # the choices are all tokens, in their own order
        else:
            at = {one: place for place, one in enumerate(choices.ids[:count].tolist())}
            places = [at.get(one, len(choices.ids)) for one in best.tolist()]
        nats = np.log(total) - np.einsum("i,i->", odds, below) / total
        return Seen(
            max(0.0, float(nats / np.log(2))),
            int(np.count_nonzero(below > below[self.last])) + 1,
            choices.drawn(place),
            tuple(zip(best.tolist(), (odds[best] / total).tolist(), map(choices.drawn, places), strict=True)),
        )
