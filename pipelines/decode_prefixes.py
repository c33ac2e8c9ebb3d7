"""What was read of earlier prompts, so that the next turn of a conversation reads only what is new.

Kept are keys and values that were computed while prompts were read, never while answers were written: the two differ
in their last bits, and whether something was still kept must not change an answer. So a turn reads the answer before
it and the new message, however long the conversation has become.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WORTH = 16  # tokens: about what a chat template puts before the first message, for everybody the same


@dataclass(frozen=True, eq=False)
class Kept:
    """A prompt's tokens, (n,) int64, and their keys and values in parts of (caches, kv_heads, tokens, head_dim).

    Prompts that begin alike share the parts of their beginning, so that a turn adds what it has read and no more.
    """

    ids: NDArray[np.int64]
    parts: tuple[Floats, ...]

    def first(self, length: int) -> tuple[Floats, ...]:
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

    def find(self, prompt: Sequence[int]) -> tuple[Floats, ...]:
        """What is known of the prompt's beginning, in parts. Two tokens at least are left to be read."""
        ids = np.asarray(prompt, np.int64)
        best = max(self._kept, key=lambda kept: common(ids, kept.ids), default=None)
        if best is None or (length := min(common(ids, best.ids), len(ids) - 2)) < WORTH:
            return ()
        self._kept = [*(kept for kept in self._kept if kept is not best), best]
        return best.first(length)

    def fits(self, size: int) -> bool:
        """Whether there is room for so many bytes, with nothing else."""
        return size <= self._room

    def clear(self) -> None:
        """Keep nothing any longer."""
        self._kept.clear()

    def keep(self, prompt: Sequence[int], parts: tuple[Floats, ...]) -> None:
        """Keep a prompt that was read. What was kept of its beginning goes: it is in here too."""
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
