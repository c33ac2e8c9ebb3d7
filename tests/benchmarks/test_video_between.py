"""The judge of frames between frames, on a square whose way is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.video_between import WAYS, judged, psnr


def square(places: list[int]) -> np.ndarray:
    frames = np.full((len(places), 64, 64, 3), 230, np.uint8)
    for frame, x in zip(frames, places, strict=True):
        frame[20:44, x : x + 24] = (200, 60, 40)
    return frames


def test_what_is_made_is_judged_by_the_frame_that_was_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = square([10, 14, 18])
    monkeypatch.setitem(WAYS, "made", lambda before, after: frames[1])
    scores = judged(frames, loop=False)
    assert scores["made"] == psnr(frames[1], frames[1]) > scores["blended"] > scores["repeated"]


def test_in_a_loop_the_last_frame_is_judged_too(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, asked = square([10, 14, 18, 14]), []
    monkeypatch.setitem(WAYS, "made", lambda before, after: asked.append((before, after)) or before)
    judged(frames, loop=True)
    assert np.array_equal(asked[-1][0], frames[2]) and np.array_equal(asked[-1][1], frames[0])


def test_noise_of_one_grey_level_is_48_decibels() -> None:
    assert psnr(np.full((2, 2), 101), np.full((2, 2), 100)) == pytest.approx(48.13, abs=0.01)
