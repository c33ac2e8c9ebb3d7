"""Sampling: the distribution is the one asked for, whichever way it was cut."""

from __future__ import annotations

from collections import Counter

import pytest

from pipelines.sampling import Sampler


def draws(logits: list[float], temperature: float, top_p: float, count: int = 4000) -> Counter[int]:
    import torch

    sampler = Sampler(temperature, top_p, seed=0)
    values = torch.tensor(logits)
    return Counter(sampler.sample(values).id for _ in range(count))


def test_the_frequencies_are_the_softmax() -> None:
    import torch

    logits = [2.0, 1.0, 0.0, -1.0]
    seen = draws(logits, temperature=1.0, top_p=1.0)
    for token, p in enumerate(torch.tensor(logits).softmax(0).tolist()):
        assert seen[token] / 4000 == pytest.approx(p, abs=0.03)


def test_temperature_sharpens() -> None:
    assert draws([1.0, 0.0], 0.25, 1.0)[0] > draws([1.0, 0.0], 2.0, 1.0)[0]


def test_the_nucleus_keeps_the_fewest_tokens_that_reach_top_p() -> None:
    import torch

    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().tolist()
    assert set(draws(logits, 1.0, 0.79)) == {0, 1}
    assert set(draws(logits, 1.0, 0.81)) == {0, 1, 2}
    assert set(draws(logits, 1.0, 0.01)) == {0}


def test_a_nucleus_wider_than_the_shortcut_is_still_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    logits = torch.randn(1000, generator=torch.Generator().manual_seed(1)).tolist()
    wide = draws(logits, 2.0, 0.9, 500)
    monkeypatch.setattr("pipelines.sampling.NUCLEUS", 1000)
    assert draws(logits, 2.0, 0.9, 500) == wide


def test_the_probability_told_is_the_models_own() -> None:
    import torch

    logits = torch.tensor([2.0, 1.0, 0.0])
    sampled = Sampler(temperature=0, top_p=0.1, seed=0).sample(logits)
    assert sampled.id == 0
    assert sampled.p == pytest.approx(float(logits.softmax(0)[0]))


def test_half_precision_logits_are_sampled_in_full_precision() -> None:
    import torch

    logits = torch.tensor([8.0, 8.0, 0.0], dtype=torch.bfloat16)
    assert Sampler(1.0, 0.9, seed=0).sample(logits).p == pytest.approx(0.5, abs=1e-3)
