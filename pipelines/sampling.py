"""Choosing the next token: temperature and nucleus (top-p) sampling (Holtzman et al. 2020), a seed to each request.

Each token uses up one random number, whatever the model made of the text before it. So an answer that is told how to
begin goes on with the luck that it would have had there anyway, and a watched one is the same as one that is not.

None of it is torch's: for a vector that wakes all of its threads, and they keep looking for more, which costs the
other cores half of each token's time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.float32]
    Ids = NDArray[np.intp]

NEAR = 4.0  # how far below the likeliest, in nats, alternatives are looked for before all is searched
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
    """The tokens that can be drawn, in order of their ids, and the odds that they have so far together."""

    ids: Ids
    sums: NDArray[np.float64]

    def draw(self, luck: float) -> int:
        """A token, for a random number from 0 to below 1."""
        place = int(self.sums.searchsorted(luck * self.sums[-1], side="right"))
        return int(self.ids[min(place, len(self.ids) - 1)])

    def drawn(self, token: int) -> float:
        """With what probability this token is drawn."""
        place = int(self.ids.searchsorted(token))
        if place == len(self.ids) or self.ids[place] != token:
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
        """The next token from raw logits of shape (vocabulary,). Temperature 0 takes the likeliest.

        Raises ValueError for logits that are no numbers, as where a model's weights overflow in half precision.
        """
        from pipelines.softmax import softmax

        raw: Floats = logits if isinstance(logits, np.ndarray) else logits.detach().float().cpu().numpy()
        raw = np.ascontiguousarray(raw, np.float32)
        odds = np.empty_like(raw)
        top, total = softmax(raw, 1.0, odds)
        if not math.isfinite(total):
            raise ValueError("The model's numbers overflowed: its logits are not finite.")
        choices = self._choices(raw, odds, total)
        self.last = choices.draw(self._luck.random())
        seen = self._see(raw - top, odds, total, choices) if self._watched else None
        return Sampled(self.last, float(odds[self.last]) / total, seen)

    def _choices(self, raw: Floats, odds: Floats, total: float) -> _Choices:
        from pipelines.softmax import nucleus, softmax

        if self._temperature == 0:
            return _Choices(raw.argmax().reshape(1), np.ones(1))
        if self._temperature != 1:
            odds = np.empty_like(raw)
            _, total = softmax(raw, self._temperature, odds)
        if self._top_p == 1:
            return _Choices(np.arange(len(odds)), odds.cumsum(dtype=np.float64))
        places, sums = np.empty(len(raw), np.intp), np.empty(len(raw))
        count = nucleus(odds, self._top_p * total, places, sums)
        return _Choices(places[:count], sums[:count])

    def _see(self, below: Floats, odds: Floats, total: float, choices: _Choices) -> Seen:
        """Draws no random number and changes nothing."""
        count = min(ALTERNATIVES, len(below))
        best = np.flatnonzero(below >= -NEAR)
        if len(best) < count:
            best = below.argpartition(-count)[-count:]
        best = best[(-below[best]).argsort(kind="stable")][:count]
        nats = np.log(total) - np.einsum("i,i->", odds, below) / total
        return Seen(
            max(0.0, float(nats / np.log(2))),
            int(np.count_nonzero(below > below[self.last])) + 1,
            choices.drawn(self.last),
            tuple((one, float(odds[one]) / total, choices.drawn(one)) for one in best.tolist()),
        )
