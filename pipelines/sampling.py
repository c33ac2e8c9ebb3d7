"""Choosing the next token: temperature and nucleus (top-p) sampling (Holtzman et al. 2020), a seed to each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

NUCLEUS = 256  # tokens among which the nucleus is looked for first; sorting a whole vocabulary takes milliseconds


@dataclass(frozen=True, slots=True)
class Sampled:
    """A token and the probability that the model gave it, before temperature and top-p."""

    id: int
    p: float


class Sampler:
    """One request's sampling state. The random numbers come from the CPU, so a seed means the same on every device."""

    def __init__(self, temperature: float, top_p: float, seed: int) -> None:
        import torch

        self._temperature = temperature
        self._top_p = top_p
        self._generator = torch.Generator().manual_seed(seed)
        self.last = -1  # the id sampled last

    def sample(self, logits: Tensor) -> Sampled:
        """The next token from raw logits of shape (vocabulary,). Temperature 0 takes the likeliest."""
        logits = logits.float().cpu()
        if self._temperature == 0:
            self.last = int(logits.argmax())
        else:
            self.last = self._draw((logits / self._temperature).softmax(0))
        return Sampled(self.last, float((logits[self.last] - logits.logsumexp(0)).exp()))

    def _draw(self, probabilities: Tensor) -> int:
        if self._top_p == 1:
            return int(probabilities.multinomial(1, generator=self._generator))
        values, ids = probabilities.topk(min(NUCLEUS, len(probabilities)))
        if values.sum() < self._top_p:
            values, ids = probabilities.sort(descending=True)
        before = values.cumsum(0) - values  # the likeliest always stays: nothing comes before it
        nucleus = int((before < self._top_p).sum())
        return int(ids[values[:nucleus].multinomial(1, generator=self._generator)])
