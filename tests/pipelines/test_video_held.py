"""Whatever the network predicts, a motion changes nothing but what its word means."""

from __future__ import annotations

import pytest
import torch

from pipelines.video_held import held
from pipelines.video_motions import ALIVE, CHANGES, PASSING, PHRASES
from pipelines.video_warp import GRID, MOVE, UNMOVED, Fields
from training.motion import ONE


def predicted(frames: int = 9, things: int = 2, noise: float = 0.1) -> Fields:
    g = torch.Generator().manual_seed(0)
    moves = torch.tensor(UNMOVED) + noise * torch.randn(frames, things, MOVE, generator=g)
    return Fields(moves, torch.randn(frames, 6, GRID, GRID, generator=g))


def test_every_motion_says_what_it_changes() -> None:
    assert set(CHANGES) == {*PHRASES, PASSING, ALIVE} == {*ONE, PASSING, ALIVE}


@pytest.mark.parametrize("motion", CHANGES)
@pytest.mark.parametrize("from_first", [True, False])
def test_what_it_does_not_change_is_the_same_in_every_frame(motion: str, from_first: bool) -> None:
    before = predicted()
    after = held(before, motion, from_first)
    changed = after.moves.std(0).amax(0) > 0  # of the seven numbers, in either thing
    expected = {"x": [0], "y": [1], "turn": [2, 3, 4, 5], "size": [2, 5], "opacity": [6]}
    assert set(changed.nonzero()[:, 0].tolist()) == {i for name in CHANGES[motion] for i in expected[name]}
    assert torch.equal(after.inner, before.inner) == (motion == ALIVE)
    for name, number in (("x", 0), ("y", 1), ("opacity", 6)):
        if name in CHANGES[motion]:
            assert torch.equal(after.moves[..., number], before.moves[..., number])
        elif from_first and name != "opacity":
            assert torch.equal(after.moves[-1, :, number], before.moves[0, :, number])


def test_a_turn_is_a_turn_and_nothing_else() -> None:
    angle = torch.linspace(0, 3, 9)
    cos, sin = 0.7 * angle.cos(), 0.7 * angle.sin()
    exact = torch.stack([0 * cos, 0 * cos, cos, -sin, sin, cos, 0 * cos + 1], -1)[:, None]
    clean = held(Fields(exact, torch.zeros(9, 6, GRID, GRID)), "spins clockwise", False)
    torch.testing.assert_close(clean.moves, exact)
    noise = 0.05 * torch.randn(exact.shape, generator=torch.Generator().manual_seed(1))
    noisy = held(Fields(exact + noise, torch.zeros(9, 6, GRID, GRID)), "spins clockwise", False)
    matrices = noisy.moves[..., 2:6].view(9, 2, 2)
    size = matrices.det().sqrt()
    assert size.std() < 1e-6 and 0.6 < float(size[0]) < 0.8
    assert float((noisy.moves - exact).abs().mean()) < float(noise.abs().mean())
