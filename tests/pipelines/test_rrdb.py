"""The network that enlarges: tiles, stage by stage, give the same as the whole picture at once."""

from __future__ import annotations

import pytest
import torch

from pipelines.rrdb import SCALE, DenseBlock, RRDBNet, parts


def network(blocks: int = 2) -> RRDBNet:
    """Random weights, large enough that the far end of what can be seen matters; 64 bits, so that it shows."""
    torch.manual_seed(0)
    net = RRDBNet(blocks=blocks, width=8, growth=4).double().eval().requires_grad_(False)
    for convolution in net.modules():
        if isinstance(convolution, torch.nn.Conv2d):
            torch.nn.init.normal_(convolution.weight, std=0.3)
    return net


def picture(height: int = 37, width: int = 29) -> torch.Tensor:
    return torch.rand(1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("tile", [5, 8, 16, 30])
def test_tiles_have_no_seams(tile: int) -> None:
    """Not even small ones: the difference is rounding, in the fifteenth digit."""
    net = network()
    whole = net(picture())
    tiled = net.in_tiles(picture(), tile, lambda: None)
    assert float((whole - tiled).abs().max() / whole.abs().max()) < 1e-12


@pytest.mark.parametrize(("stage", "reach"), [(DenseBlock, "reach"), (RRDBNet, "tail_reach")])
def test_a_margin_one_pixel_narrower_would_show(
    stage: type[torch.nn.Module], reach: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the test above means something."""
    net = network()
    whole = net(picture())
    monkeypatch.setattr(stage, reach, getattr(stage, reach) - 1)
    tiled = net.in_tiles(picture(), 8, lambda: None)
    assert float((whole - tiled).abs().max() / whole.abs().max()) > 1e-6


def test_the_output_is_four_times_larger_for_any_size() -> None:
    net = network(blocks=1)
    for height, width in ((1, 1), (1, 7), (6, 3)):
        assert net(picture(height, width)).shape == (1, 3, SCALE * height, SCALE * width)


def test_steps_are_counted_right() -> None:
    for tile in (8, 64):
        taken: list[None] = []
        network().in_tiles(picture(), tile, lambda taken=taken: taken.append(None))  # type: ignore[misc]
        assert len(taken) == network().steps(37, 29, tile)


def test_tiles_cover_every_pixel_once() -> None:
    for height, width, tile in ((37, 29, 8), (8, 8, 8), (9, 1, 8)):
        seen = torch.zeros(height, width)
        for part in parts(height, width, tile, margin=3):
            seen[part.core] += 1
            assert max(seen[part.core].shape) <= tile
            assert torch.equal(seen[part.window][part.core_in_window], seen[part.core])
        assert torch.equal(seen, torch.ones_like(seen))
