"""Exponentials of a whole vocabulary, against numpy's in double precision."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.softmax import nucleus, softmax


@pytest.mark.parametrize("temperature", [0.05, 0.7, 1.0, 2.0])
@pytest.mark.parametrize("size", [1, 7, 4_099])
def test_the_odds_are_the_exponentials(temperature: float, size: int) -> None:
    logits = (np.random.default_rng(size).standard_normal(size) * 6 + 40).astype(np.float32)
    odds = np.empty_like(logits)
    top, total = softmax(logits, temperature, odds)
    exact = np.exp((logits.astype(np.float64) - logits.max()) / np.float32(temperature))
    assert top == logits.max()
    assert np.allclose(odds, exact, rtol=2e-5, atol=1e-37)
    assert total == pytest.approx(exact.sum(), rel=1e-5)


def test_what_cannot_come_has_no_odds() -> None:
    logits = np.array([0, -np.inf, -80, -200, 0], np.float32)
    odds = np.empty_like(logits)
    assert softmax(logits, 1.0, odds)[1] == pytest.approx(2)
    assert odds[0] == odds[4] == 1
    assert odds[1] == odds[3] == 0 < odds[2]
    assert softmax(logits, 1e-30, odds)[1] == 2
    assert odds.tolist() == [1, 0, 0, 0, 1]


@pytest.mark.parametrize("share", [1e-9, 0.3, 0.9, 0.9999])
@pytest.mark.parametrize("spread", [0.0, 0.01, 1.0, 8.0])
def test_a_nucleus_is_the_fewest_that_come_to_a_share(spread: float, share: float) -> None:
    """As sorting all of them says, in numbers of which many are equal and many close."""
    numbers = np.random.default_rng(0).standard_normal(5_000) * spread
    odds = np.exp(np.round(numbers - numbers.max(), 1)).astype(np.float32)
    wanted = share * odds.sum(dtype=np.float64)
    places, sums = np.empty(5_000, np.intp), np.empty(5_000)
    count = nucleus(odds, wanted, places, sums)
    order = np.argsort(-odds, kind="stable")
    enough = int(np.searchsorted(odds[order].cumsum(dtype=np.float64), wanted)) + 1
    assert places[:count].tolist() == sorted(order[:enough])
    assert np.allclose(sums[:count], odds[places[:count]].cumsum(dtype=np.float64))


def test_a_nucleus_of_one_and_of_those_that_cannot_come() -> None:
    places, sums = np.empty(4, np.intp), np.empty(4)
    odds = np.array([0, 1, 0, 1e-30], np.float32)
    assert nucleus(odds, 0.5, places, sums) == 1
    assert places[0] == sums[0] == 1
    assert nucleus(odds, 9.0, places, sums) == 4  # more than there is
