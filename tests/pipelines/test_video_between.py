"""Frames between frames: where something moves they show it on its way, and a clip stays as long as it was."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.events import Clip, Progress
from pipelines.video_between import between, fill, smooth

SIDE = 64


def picture(x: int, brightness: float = 1.0) -> np.ndarray:
    """A chequered square on a slope of grey, x pixels from the left."""
    down, across = np.mgrid[:SIDE, :SIDE]
    made = np.repeat((90 + down + across // 2)[..., None], 3, -1).astype(float)
    chequered = (down // 5 + (across - x) // 5) % 2
    inside = (down >= 20) & (down < 44) & (across >= x) & (across < x + 24)
    made[inside] = np.where(chequered[inside, None], (200.0, 60, 40), (40.0, 60, 200))
    return (made * brightness).round().astype(np.uint8)


def error(made: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.square(made.astype(float) - wanted).mean())


@pytest.mark.parametrize(("share", "x"), [(0.5, 19), (0.25, 16), (0.75, 22)])
def test_what_moves_is_seen_on_its_way_and_not_twice(share: float, x: int) -> None:
    before, after, wanted = picture(13), picture(25), picture(x)
    blended = (before * (1 - share) + after * share).round()
    assert error(between(before, after, share), wanted) < 0.15 * error(blended, wanted)


def test_what_fades_is_blended() -> None:
    before, after = picture(20), picture(20, 0.5)
    assert error(between(before, after, 0.5), picture(20, 0.75)) < 4


def test_what_stands_still_stays_as_it_is() -> None:
    assert np.array_equal(between(picture(20), picture(20), 0.5), picture(20))


def test_a_smooth_clip_has_all_its_frames_and_is_as_long() -> None:
    frames = np.stack([picture(x) for x in (10, 14, 18, 22)])
    made = fill(frames, 8, 24, loop=False)
    assert made.shape == (12, SIDE, SIDE, 3)
    assert np.array_equal(made[::3], frames)
    assert np.array_equal(made[-1], frames[-1]) and np.array_equal(made[-2], frames[-1])
    assert error(made[4], picture(15)) < 0.5 * error(frames[1], picture(15))


def test_in_a_loop_the_last_frame_leads_to_the_first() -> None:
    frames = np.stack([picture(x) for x in (10, 14, 18, 14)])
    made = fill(frames, 8, 16, loop=True)
    assert made.shape[0] == 8
    assert error(made[-1], picture(12)) < 0.5 * min(error(frame, picture(12)) for frame in frames)


def test_with_fewer_frames_a_second_those_nearest_in_time_are_kept() -> None:
    frames = np.stack([picture(x) for x in range(10, 22)])
    assert np.array_equal(fill(frames, 24, 8, loop=False), frames[[0, 3, 6, 9]])


def test_a_clip_is_made_smooth_step_by_step_and_left_alone_where_nothing_is_asked() -> None:
    clip, seen = Clip(np.stack([picture(x) for x in (10, 14)]), 8.0, loop=True, remarks=("one",)), []
    assert smooth(clip, 0, seen.append) is smooth(clip, 8, seen.append) is clip and not seen
    made = smooth(clip, 16, seen.append)
    assert (len(made.frames), made.fps, made.loop, made.remarks) == (4, 16.0, True, ("one",))
    assert seen == [Progress(done, 4, "Making frames between") for done in range(4)]


@pytest.mark.parametrize("shape", [(1, 40, 64, 3), (2, 17, 300, 3)])
def test_any_size_and_a_single_frame_are_taken(shape: tuple[int, ...]) -> None:
    frames = np.full(shape, 120, np.uint8)
    made = fill(frames, 10, 25, loop=True)
    assert made.shape == (round(shape[0] * 2.5), *shape[1:]) and (made == 120).all()
