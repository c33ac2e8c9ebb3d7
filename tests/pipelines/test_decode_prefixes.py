"""What is kept of earlier prompts: once, within its room, shared where conversations begin alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.decode_prefixes import WORTH, Prefixes
from tests.pipelines.test_decode import prompt


def length(parts: tuple[Any, ...]) -> int:
    return sum(part.shape[2] for part in parts)


def test_what_is_kept_stays_within_its_room() -> None:
    kept = Prefixes(3000)
    for seed in range(5):
        kept.keep(prompt(seed, 50), (np.zeros((2, 1, 50, 2), np.float32),))  # 800 bytes
        kept.find(prompt(0, 60))  # asked for again and again
    assert kept.held == 2400 and len(kept) == 3
    assert length(kept.find([*prompt(0, 50), 1, 2])) == 50
    assert kept.find(prompt(1, 60)) == ()


def test_a_conversation_is_kept_once() -> None:
    kept = Prefixes(10_000)
    known: tuple[Any, ...] = ()
    for size in (50, 70, 90):
        known = (*known, np.zeros((1, 1, size - length(known), 1), np.float32))
        kept.keep(prompt(0, 100)[:size], known)
    assert len(kept) == 1
    assert kept.held == 4 * 90
    assert length(kept.find(prompt(0, 100))) == 90
    assert kept.find(prompt(0, WORTH)) == ()


def test_conversations_that_part_share_their_beginning() -> None:
    kept = Prefixes(10_000)
    kept.keep(prompt(0, 100), (np.arange(100, dtype=np.float32).reshape(1, 1, 100, 1),))
    other = [*prompt(0, 60), *prompt(1, 40)]
    known = kept.find(other)
    kept.keep(other, (*known, np.zeros((1, 1, 40, 1), np.float32)))
    assert len(kept) == 2
    assert kept.held == 4 * (100 + 40)
    assert np.concatenate(kept.find([*prompt(0, 60), *prompt(2, 20)]), axis=2).ravel().tolist() == list(range(60))
