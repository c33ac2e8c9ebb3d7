"""The judge of motions, on clips whose motions are known."""

from __future__ import annotations

import pytest
import torch

from benchmarks import video_motion
from benchmarks.video_motion import judge, measure
from training.motion import MOTIONS
from training.motion_captions import MotionCaptions

CLIPS = 3  # of each motion


@pytest.fixture(scope="module")
def captions(pictures):
    return MotionCaptions(pictures)


def test_it_names_the_motion_of_nearly_every_clip(captions):
    scenes = [captions.scene(seed, motion) for motion in MOTIONS for seed in range(CLIPS)]
    wrong = [(scene.caption, found) for scene in scenes if (found := judge(captions.draw(scene, 16))) != scene.motion]
    assert len(wrong) <= 0.03 * len(scenes), wrong


@pytest.mark.parametrize("motion", ["slides left", "bounces", "spins counter-clockwise", "grows", "shakes"])
def test_what_it_measures_is_what_was_done(captions, motion):
    scene = captions.scene(1, motion)
    (track,) = captions.tracks(scene, 16)
    seen = measure(captions.draw(scene, 16))
    torch.testing.assert_close(seen.x - seen.x[0], (track.x - track.x[0]).float(), atol=2.5, rtol=0)
    torch.testing.assert_close(seen.y - seen.y[0], (track.y - track.y[0]).float(), atol=2.5, rtol=0)
    torch.testing.assert_close(seen.angle, (track.angle - track.angle[0]).float(), atol=6, rtol=0)
    torch.testing.assert_close(seen.radius / seen.radius[0], (track.scale / track.scale[0]).float(), atol=0.06, rtol=0)


def test_opacity_is_measured(captions):
    scene = captions.scene(2, "fades in")
    (track,) = captions.tracks(scene, 16)
    seen = measure(captions.draw(scene, 16))
    visible = track.opacity > 0.25
    torch.testing.assert_close(seen.opacity[visible], track.opacity[visible].float(), atol=0.08, rtol=0)


def test_played_backwards_it_is_the_other_motion(captions):
    for motion, other in (("slides left", "slides right"), ("grows", "shrinks"), ("slides up", "slides down")):
        assert judge(captions.draw(captions.scene(5, motion), 16).flip(0)) == other
    spin = captions.draw(captions.scene(5, "spins clockwise"), 16)
    assert judge(spin.flip(0)) == "spins counter-clockwise"


def test_an_empty_clip_is_still():
    assert judge(torch.ones(16, 3, 128, 128)) == "stays still"


def test_a_little_noise_changes_nothing(captions):
    noise = torch.Generator().manual_seed(0)
    for motion in MOTIONS:
        frames = captions.draw(captions.scene(3, motion), 16)
        assert judge(frames + 0.02 * torch.randn(frames.shape, generator=noise)) == motion


def test_the_report_names_what_each_motion_is_taken_for(pictures, monkeypatch, capsys):
    monkeypatch.setattr(video_motion.PictureSet, "load", lambda folder: pictures)
    monkeypatch.setattr("sys.argv", ["video_motion", "--count", "1", "--frames", "8"])
    video_motion.main()
    told = capsys.readouterr().out
    assert all(motion in told for motion in MOTIONS)
    assert told.splitlines()[-1].startswith('{"benchmark": "video_motion"')
