"""What moves is kept, what stands still is dropped, and clips come out as they went in."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from training.emoji_data import MARGIN, SIZE
from training.motion import MOTIONS
from training.video_clips import Clips, clips
from training.video_data import MovingSet, evenly, loop, packed, unpacked

FRAMES = 16


def animated(pictures, durations=40):
    """An animated WebP file."""
    buffer = io.BytesIO()
    first, *others = pictures
    first.save(buffer, "webp", save_all=True, append_images=others, duration=durations, loop=0, lossless=True)
    return buffer.getvalue()


def face(eye: int, left: int = 60, noise: int = 0) -> Image.Image:
    """A disc of 200 px with two eyes that are `eye` px high."""
    y, x = np.mgrid[:256, :256]
    picture = np.zeros((256, 256, 4), np.uint8)
    picture[np.hypot(x - 128, y - 128) < 100] = (250, 200 + noise, 60, 255)
    for middle in (left, left + 80):
        picture[110 - eye // 2 : 110 + eye // 2, middle : middle + 24] = (60, 30, 20, 255)
    return Image.fromarray(picture)


def test_a_still_picture_is_dropped_however_many_frames_it_has():
    assert loop(animated([face(30)]), FRAMES) is None
    same = [face(30, noise=number % 3) for number in range(20)]  # hardly another colour: no motion, only compression
    assert loop(animated(same), FRAMES) is None


def test_blinking_eyes_are_motion():
    found = loop(animated([face(30)] * 8 + [face(4)] * 4 + [face(30)] * 8), FRAMES)
    assert found is not None and found.frames.shape == (FRAMES, SIZE, SIZE, 4)
    assert found.seconds == pytest.approx(0.8)


def test_frames_are_taken_at_even_moments_whatever_their_durations():
    assert evenly([10] * 8, 4) == [0, 2, 4, 6]
    assert evenly([30, 10, 10, 10, 20], 4) == [0, 0, 2, 4]
    assert evenly([42] * 72, 16) == [number * 72 // 16 for number in range(16)]


def test_all_frames_share_one_place_inside_the_margin():
    pictures = []
    for number in range(FRAMES):
        picture = Image.new("RGBA", (256, 256))
        picture.paste((20, 90, 200, 255), (10 + 8 * number, 100, 50 + 8 * number, 140))
        pictures.append(picture)
    found = loop(animated(pictures), FRAMES)
    columns = [np.nonzero(frame[..., 3].max(0))[0] for frame in found.frames]
    assert columns[0].min() == MARGIN and columns[-1].max() == SIZE - MARGIN - 1
    starts = np.array([each.min() for each in columns])
    assert (np.diff(starts) >= 5).all() and np.ptp([len(each) for each in columns]) <= 2


def test_packing_loses_nothing():
    frames = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 4), np.uint8)
    frames[..., 3] |= 1  # the colour of what is invisible may go
    assert (unpacked(packed(frames)) == frames).all()


def test_the_file_gives_back_each_loop_with_its_record(moving):
    assert [record["label"] for record in moving.records] == ["face 0", "face 1", "face 2"]
    assert moving.rows(withheld=False) == [0, 1]
    bright = [float(moving.layers(row)[0, :3].max()) for row in range(3)]
    assert bright == sorted(bright, reverse=True) and bright[0] > bright[2] + 0.2


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(SystemExit, match=r"python -m training.video_data"):
        MovingSet.load(tmp_path, 24)


@pytest.fixture(scope="module")
def some(pictures, moving):
    return list(clips(pictures, moving, range(24)))


def test_clips_are_of_both_kinds_and_the_same_for_a_seed(some, pictures, moving):
    again = Clips(pictures, moving).clip(7)
    assert again.caption == some[7].caption and torch.equal(again.frames, some[7].frames)
    real = [clip for clip in some if not clip.motion]
    assert 3 < len(real) < 12 and all(clip.motion in MOTIONS for clip in some if clip.motion)
    for clip in some:
        assert clip.frames.shape == (FRAMES, 3, SIZE, SIZE) and clip.frames.abs().max() <= 1


def test_a_withheld_loop_is_never_drawn(some):
    real = [clip for clip in some if not clip.motion]
    assert {clip.hexcodes for clip in real} == {("1F0",), ("1F1",)}


def test_what_moves_by_itself_is_told_so(some):
    for clip in some:
        alive = any(word in clip.caption for word in ("animated", "animation", "in motion", ", moving", "moving face"))
        assert alive == (not clip.motion), clip.caption


def test_the_recipes_can_be_asked_for_help(monkeypatch, capsys):
    for module in (sys.modules["training.video_clips"], sys.modules["training.video_data"]):
        monkeypatch.setattr(sys, "argv", ["recipe", "--help"])
        with pytest.raises(SystemExit, match="0"):
            module.main()
    assert "moving-16.safetensors" in capsys.readouterr().out
