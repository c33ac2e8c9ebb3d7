"""Noise removal: blocks joined are the whole, a network that keeps all gives back what came, and the real one does
what its makers' own library does."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipelines import enhance_convert, enhance_network
from pipelines.enhance_bands import (
    BANDS,
    BINS,
    FILTERED,
    HOP,
    RATE,
    SIZE,
    WIDTHS,
    WINDOW,
    Analysis,
    Features,
    Synthesis,
)
from pipelines.enhance_catalog import DEEPFILTERNET
from pipelines.enhance_convert import InBlocks
from pipelines.enhance_denoise import LATE, Stream
from pipelines.enhance_network import AHEAD, ORDER, Memory, Network
from pipelines.errors import WeightsError
from pipelines.weights import Store

BY_LIBRARY = Path(__file__).parent / "enhance" / "by-libdeepfilter.flac"  # what went in, and what came out of it

Array = np.ndarray[Any, Any]


class Given:
    """In place of the networks: the same gain everywhere, and filters that take one frame of the five."""

    def __init__(self, gain: float = 1.0, place: int = ORDER - 1 - AHEAD) -> None:
        self._gain, self._place = gain, place

    def step(self, loud: Array, low: Array, memory: Memory) -> tuple[Array, Array]:
        filters = np.zeros((len(loud), FILTERED, ORDER), np.complex64)
        filters[..., self._place] = self._gain
        return np.full((len(loud), BANDS), self._gain, np.float32), filters


def noise(seconds: float = 1.0) -> Array:
    return np.random.default_rng(0).normal(0, 0.1, int(RATE * seconds)).astype(np.float32)


def through(stream: Stream, sound: Array, *blocks: int) -> Array:
    """All of a sound, in blocks of so many hops (the last ones as large as the last)."""
    padded = np.pad(sound, (0, LATE + -(len(sound) + LATE) % HOP))
    parts, at, sizes = [], 0, [*blocks]
    while at < len(padded):
        size = HOP * (sizes.pop(0) if len(sizes) > 1 else sizes[0])
        parts.append(stream(padded[at : at + size])[0])
        at += size
    return np.concatenate(parts)[LATE : LATE + len(sound)]


def test_bands_are_all_bins_once_and_as_the_makers_have_them() -> None:
    theirs = [2] * 13 + [5, 5, 7, 7, 8, 10, 12, 13, 15, 18, 20, 24, 28, 31, 37, 42, 50, 56, 67]
    assert WIDTHS.tolist() == theirs and WIDTHS.sum() == BINS


def test_the_window_is_its_own_inverse() -> None:
    assert np.allclose(np.square(WINDOW[:HOP]) + np.square(WINDOW[HOP:]), 1, atol=1e-6)
    sound = noise()
    analysis, synthesis = Analysis(), Synthesis()
    back = np.concatenate([synthesis(analysis(part)) for part in np.split(sound, 5)])
    assert np.abs(back[HOP:] - sound[:-HOP]).max() < 1e-6


def test_features_do_not_depend_on_blocks() -> None:
    spectrum = Analysis()(noise())
    whole, parts = Features(), Features()
    loud, low = whole(spectrum)
    pieces = [parts(part) for part in np.split(spectrum, [1, 7, 50])]
    assert np.allclose(np.concatenate([piece[0] for piece in pieces]), loud, atol=1e-6)
    assert np.allclose(np.concatenate([piece[1] for piece in pieces]), low, atol=1e-5)


def test_keeping_everything_gives_back_what_came() -> None:
    sound = noise()
    assert np.abs(through(Stream(Given()), sound, 25) - sound).max() < 1e-6  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", [0.0, 0.25, 1.0])
def test_the_amount_is_how_much_of_what_is_found_goes(amount: float) -> None:
    sound = noise()
    made = through(Stream(Given(gain=0.2), amount), sound, 25)  # type: ignore[arg-type]
    assert np.abs(made - sound * (1 - 0.8 * amount)).max() < 1e-6


@pytest.mark.parametrize("place", range(ORDER))
def test_filters_reach_from_two_frames_before_to_two_after(place: int) -> None:
    """A low tone whose filter takes another frame comes that much earlier or later."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)  # the same in every hop
    tone *= np.repeat(np.linspace(0, 1, RATE // HOP), HOP).astype(np.float32)
    moved = through(Stream(Given(place=place)), tone, 20)  # type: ignore[arg-type]
    shift = (ORDER - 1 - AHEAD - place) * HOP
    inside = slice(RATE // 4, -RATE // 4)
    assert np.abs(moved[inside] - np.roll(tone, shift)[inside]).max() < 0.01


def test_what_is_kept_of_each_band_is_told() -> None:
    _, kept = Stream(Given(gain=0.3))(noise())  # type: ignore[arg-type]
    assert kept.shape == (RATE // HOP, BANDS)
    assert np.allclose(kept[AHEAD:], 0.3, atol=1e-4)


@pytest.fixture(scope="module")
def folder() -> Path:
    try:
        return Store().fetch(DEEPFILTERNET, lambda update: None).path
    except WeightsError as error:
        pytest.skip(f"the weights of the noise removal cannot be had: {error}")


@pytest.fixture(scope="module")
def network(folder: Path) -> Network:
    return enhance_network.load(folder)


def test_it_does_what_the_makers_library_does(network: Network) -> None:
    """Their library, called frame by frame, made the second channel of the first; it is as late as ours."""
    both, rate = soundfile.read(BY_LIBRARY, dtype="float32")
    assert rate == RATE
    ours = np.concatenate([Stream(network)(both[:, 0])[0]])
    assert np.abs(ours - both[:, 1]).max() < 2e-6
    assert np.abs(both[:, 1] - both[:, 0]).max() > 0.1


@pytest.mark.parametrize("blocks", [(1,), (3, 50, 7), (100,)])
def test_blocks_joined_are_the_whole(network: Network, blocks: tuple[int, ...]) -> None:
    sound = soundfile.read(BY_LIBRARY, dtype="float32")[0][:, 0]
    whole = through(Stream(network), sound, len(sound) // HOP + SIZE)
    assert np.abs(through(Stream(network), sound, *blocks) - whole).max() < 1e-5


def test_streams_know_nothing_of_each_other(network: Network) -> None:
    sound = noise(0.5)
    alone = through(Stream(network), sound, 10)
    first, second = Stream(network), Stream(network)
    mixed = []
    for part in np.split(np.pad(sound, (0, LATE + -(len(sound) + LATE) % HOP)), range(10 * HOP, len(sound), 10 * HOP)):
        mixed.append(first(part)[0])
        second(noise(len(part) / RATE)[::-1].copy())
    assert np.array_equal(np.concatenate(mixed)[LATE : LATE + len(sound)], alone)


def test_noise_goes(network: Network) -> None:
    sound = noise(2)
    made = through(Stream(network), sound, 100)
    assert np.square(made[RATE:]).mean() < 1e-3 * np.square(sound[RATE:]).mean()


def test_each_layer_takes_and_gives_its_state_and_nothing_is_padded(folder: Path) -> None:
    import onnx

    for name in enhance_convert.NAMES:
        graph = onnx.load(folder / f"{name}.onnx").graph
        states = [value.name for value in graph.input if value.name.startswith("state_")]
        assert len(states) == sum(node.op_type == "GRU" for node in graph.node) > 0
        assert not [node for node in graph.node if node.op_type == "Conv" and "Pad" in node.input[0]]


def test_an_archive_without_the_networks_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / enhance_convert.ARCHIVE, "w:gz"):
        pass
    with pytest.raises(KeyError):
        InBlocks()(tmp_path, tmp_path)


def test_only_data_is_taken_from_the_package() -> None:
    assert all(member.endswith(".tar.gz") for member in DEEPFILTERNET.members)
