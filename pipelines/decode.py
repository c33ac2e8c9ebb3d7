"""How a language model writes: a Writer turns a prompt into tokens, one after another.

Two there are: OneByOne, with transformers' own classes, on any device and for any family; and the Batch of
decode_batch.py, for models that come with a decoder (decode_weights.py), where chats that go on at the same time share
each step.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.events import Emit, Progress
from pipelines.sampling import Sampled, Sampler

if TYPE_CHECKING:
    from torch import Tensor

PREFILL = 256  # prompt tokens read in one step: about half a second of a small model on two cores


@dataclass(frozen=True)
class Wanted:
    """What is to be written: tokens that are read first, tokens that the answer begins with, and where it ends."""

    prompt: Sequence[int]
    begin: Sequence[int]
    ends: frozenset[int]  # a token of these is the last
    most: int  # tokens to be written at most, after those that it begins with


class Writer(Protocol):
    """A loaded model that writes."""

    def write(self, wanted: Wanted, sampler: Sampler, emit: Emit) -> Generator[Sampled]:
        """Each next token as the sampler draws it, from `most` on none; whoever stops earlier closes the generator.

        Emits Progress while a long prompt is read. Between two tokens the caller has to emit(): that is where others
        come to their turn. Passes on what emit raises; whatever is held for the request is given back in any case.
        """
        ...


def drawn(wanted: Wanted, sampler: Sampler, logits: Tensor, read: Callable[[int], Tensor]) -> Generator[Sampled]:
    """The tokens of an answer, from the logits before its first; `read` gives those after one more token."""
    for _ in range(wanted.most):
        token = sampler.sample(logits)
        yield token
        if token.id in wanted.ends:
            return
        logits = read(token.id)


class OneByOne:
    """A causal language model of transformers: each request computes for itself, by turns."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def write(self, wanted: Wanted, sampler: Sampler, emit: Emit) -> Generator[Sampled]:
        """See Writer."""
        from transformers import DynamicCache

        cache = DynamicCache(config=self.model.config)
        prompt = [*wanted.prompt, *wanted.begin]
        for start in range(0, len(prompt), PREFILL):
            if start:
                emit(Progress(start, len(prompt), "Reading", "tokens"))
            logits = self._read(prompt[start : start + PREFILL], cache)
        yield from drawn(wanted, sampler, logits, lambda token: self._read([token], cache))

    def _read(self, ids: list[int], cache: Any) -> Tensor:
        """The logits after these tokens, shape (vocabulary,); they go into the cache."""
        import torch

        with torch.inference_mode():
            input_ids = torch.tensor([ids], device=self.model.device)
            output = self.model(input_ids=input_ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            logits: Tensor = output.logits[0, -1]
        return logits
