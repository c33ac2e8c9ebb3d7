"""What was read of earlier prompts, so that the next turn of a conversation reads only what is new.

Kept are the keys and values of a prompt and of the answer to it. They are the same to the last bit whichever way they
came about (decode_engine.py), so whether something was still kept does not change an answer. A turn reads the new
message, however long the conversation has become; and of the answer before it what the page made of it is read again
from where that differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Halves = NDArray[np.float16]

PREFIXES = 360 * 2**20  # bytes, for all chats: two that fill SmolLM2's context
WORTH = 16  # tokens: about what a chat template puts before the first message, for everybody the same


@dataclass(frozen=True, eq=False)
class Kept:
    """A prompt's tokens, (n,) int64, and their keys and values in parts of (caches, kv_heads, tokens, head_dim).

    Prompts that begin alike share the parts of their beginning, so that a turn adds what it has read and no more.
    """

    ids: NDArray[np.int64]
    parts: tuple[Halves, ...]

    def first(self, length: int) -> tuple[Halves, ...]:
        """The parts that hold so many tokens, the last one cut."""
        found, at = [], 0
        for part in self.parts:
            if at < length:
                found.append(part[:, :, : length - at])
            at += part.shape[2]
        return tuple(found)


class Prefixes:
    """At most `room` bytes of keys and values; who was not asked for longest goes first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: list[Kept] = []  # the one used last comes last

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def held(self) -> int:
        """Bytes of all that is kept."""
        arrays = [part if part.base is None else part.base for kept in self._kept for part in kept.parts]
        return sum(array.nbytes for array in {id(array): array for array in arrays}.values())

    def find(self, prompt: Sequence[int]) -> tuple[Halves, ...]:
        """What is known of the prompt's beginning, in parts. One token at least is left to be read."""
        ids = np.asarray(prompt, np.int64)
        best = max(self._kept, key=lambda kept: common(ids, kept.ids), default=None)
        if best is None or (length := min(common(ids, best.ids), len(ids) - 1)) < WORTH:
            return ()
        self._kept = [*(kept for kept in self._kept if kept is not best), best]
        return best.first(length)

    def fits(self, size: int) -> bool:
        """Whether there is room for so many bytes, with nothing else."""
        return size <= self._room

    def clear(self) -> None:
        """Keep nothing any longer."""
        self._kept.clear()

    def keep(self, prompt: Sequence[int], parts: tuple[Halves, ...]) -> None:
        """Keep what was read. What was kept of its beginning goes: it is in here too."""
        ids = np.asarray(prompt, np.int64)
        self._kept = [kept for kept in self._kept if common(ids, kept.ids) < len(kept.ids)]
        self._kept.append(Kept(ids, parts))
        while self.held > self._room:
            self._kept.pop(0)


def common(first: Sequence[int] | NDArray[np.int64], second: Sequence[int] | NDArray[np.int64]) -> int:
    """How many tokens two texts have in common at their beginning."""
    first, second = np.asarray(first, np.int64), np.asarray(second, np.int64)
    shorter = min(len(first), len(second))
    different = np.flatnonzero(first[:shorter] != second[:shorter])
    return int(different[0]) if len(different) else shorter
