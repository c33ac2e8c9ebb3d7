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


@pytest.mark.parametrize(("temperature", "top_p"), [(0.0, 0.9), (0.7, 0.8), (1.0, 1.0)])
def test_each_token_uses_up_one_random_number(temperature: float, top_p: float) -> None:
    """So luck can be passed over for tokens that are given."""
    import torch

    logits = torch.randn(20, 300, generator=torch.Generator().manual_seed(1))
    drawn, later = Sampler(temperature, top_p, seed=5), Sampler(temperature, top_p, seed=5)
    ids = [drawn.sample(row).id for row in logits]
    later.skip(8)
    assert [later.sample(row).id for row in logits[8:]] == ids[8:]


def test_a_token_of_no_probability_is_never_drawn() -> None:
    seen = draws([float("-inf"), 0.0, float("-inf"), 0.0, float("-inf")], 1.0, 1.0)
    assert set(seen) == {1, 3}


@pytest.mark.parametrize("temperature", [0.0, 0.01, 2.0])
def test_alternatives_are_the_models_likeliest_however_cold_it_is(temperature: float) -> None:
    """Divided by a small temperature all but one of the probabilities vanish."""
    import torch

    logits = torch.randn(1000, generator=torch.Generator().manual_seed(2)) * 5
    seen = Sampler(temperature, 0.9, seed=0, watched=True).sample(logits).seen
    assert seen is not None
    assert [one for one, _, _ in seen.alternatives] == logits.topk(8).indices.tolist()


@pytest.mark.parametrize(("temperature", "top_p"), [(0.0, 1.0), (0.7, 0.9), (1.0, 1.0)])
def test_arrays_are_sampled_as_tensors_are(temperature: float, top_p: float) -> None:
    import torch

    logits = torch.randn(20, 300, generator=torch.Generator().manual_seed(3))
    one, other = (Sampler(temperature, top_p, seed=1, watched=True) for _ in range(2))
    assert [one.sample(row) for row in logits] == [other.sample(row) for row in logits.numpy()]


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_the_chances_told_under_xray_are_those_of_the_draw(temperature: float) -> None:
    """With a nucleus: its own odds. Without: the softmax at that temperature."""
    import torch

    logits = torch.randn(500, generator=torch.Generator().manual_seed(4)) * 3
    hot = (logits / temperature).softmax(0)
    whole = Sampler(temperature, 1.0, seed=0, watched=True).sample(logits).seen
    cut = Sampler(temperature, 0.6, seed=0, watched=True).sample(logits).seen
    assert whole is not None and cut is not None
    assert [drawn for _, _, drawn in whole.alternatives] == pytest.approx(hot.topk(8).values.tolist(), rel=1e-4)
    values = hot.sort(descending=True).values
    nucleus = int((values.cumsum(0) < 0.6).sum()) + 1
    odds = [
        float(value / values[:nucleus].sum()) if place < nucleus else 0.0 for place, value in enumerate(values[:8])
    ]
    assert [drawn for _, _, drawn in cut.alternatives] == pytest.approx(odds, rel=1e-4)
    assert whole.drawn == pytest.approx(float(hot[Sampler(temperature, 1.0, seed=0).sample(logits).id]), rel=1e-4)


@pytest.mark.parametrize("top_p", [0.9, 1.0])
def test_what_is_hardly_a_temperature_takes_the_likeliest(top_p: float) -> None:
    assert set(draws([1.0, 3.0, 2.0], 1e-60, top_p, 10)) == {1}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("top_p", [0.9, 1.0])
def test_logits_that_are_no_numbers_are_refused(bad: float, top_p: float) -> None:
    import torch

    logits = torch.zeros(1000)
    logits[7] = bad
    with pytest.raises(ValueError, match="overflowed"):
        Sampler(1.0, top_p, seed=0).sample(logits)
