"""Convolutions by Winograd's algorithm, alone and in the whole network, against torch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pipelines.rrdb import RRDBNet
from pipelines.rrdb_cpu import Convolution, CpuNetwork, _Run, suits


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def network(width: int = 32, growth: int = 32) -> RRDBNet:
    torch.manual_seed(0)
    return RRDBNet(blocks=2, width=width, growth=growth).eval().requires_grad_(False)


@pytest.mark.parametrize("slope", [0.2, 1.0])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), (5, 9), (37, 29), (3, 200)])
@pytest.mark.parametrize(("inputs", "outputs"), [(16, 32), (96, 64)])
def test_a_convolution_is_that_of_torch(height: int, width: int, inputs: int, outputs: int, slope: float) -> None:
    of = torch.nn.Conv2d(inputs, outputs, 3, padding=1)
    picture = random(inputs, height, width)
    with torch.inference_mode():
        wanted = F.leaky_relu(of(picture[None])[0], slope).permute(1, 2, 0).numpy()
    with ThreadPoolExecutor(3) as pool:
        run = _Run(CpuNetwork(network(), threads=3), pool)
        by = Convolution(of, slope)
        found = run._once(by, picture.permute(1, 2, 0).numpy(), 1)
        assert np.abs(found - wanted).max() < 2e-5
        # And again in the room of before, which has another picture's border round it.
        again = run._once(by, picture.permute(1, 2, 0).numpy() * 0, 1)
    beside = F.leaky_relu(of.bias, slope).detach().numpy()
    assert np.allclose(again, beside, atol=1e-6)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_network_is_that_of_torch_however_it_is_divided(threads: int) -> None:
    net = network()
    picture = torch.rand(2, 3, 37, 29, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole = net(picture)
        for tile in (64, 16):
            with CpuNetwork(net, threads).working() as run:
                assert float((run.in_tiles(picture, tile, lambda: None) - whole).abs().max()) < 1e-5


def test_the_same_picture_gives_the_same_numbers_on_any_number_of_threads() -> None:
    net, picture = network(), random(1, 3, 40, 40)
    found = []
    with torch.inference_mode():
        for threads in (1, 2, 5):
            with CpuNetwork(net, threads).working() as run:
                found.append(run.in_tiles(picture, 64, lambda: None))
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


def test_two_pictures_take_turns() -> None:
    """Jobs take turns between two tiles: what one has there is not the other's."""
    net, pictures = CpuNetwork(network(), 2), [random(1, 3, 20, 20), random(1, 3, 20, 20) * 2]
    with torch.inference_mode():
        with net.working() as run:
            wanted = [run.in_tiles(picture, 10, lambda: None) for picture in pictures]

        def other() -> None:
            if not inner:
                inner.append(torch.empty(0))
                with net.working() as second:
                    inner[0] = second.in_tiles(pictures[1], 10, lambda: None)

        inner: list[torch.Tensor] = []
        with net.working() as run:
            assert torch.equal(run.in_tiles(pictures[0], 10, other), wanted[0])
    assert torch.equal(inner[0], wanted[1])


def test_networks_of_other_sizes_are_left_to_torch() -> None:
    assert not suits(32, 16) and not suits(8, 32)
