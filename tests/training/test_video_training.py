"""Fields replay what they were fitted to; examples are true; the network learns and comes back from disk."""

from __future__ import annotations

import sys
from random import Random

import pytest
import torch

pytest.importorskip("cv2", reason="cv2 is not installed: training/requirements.txt has it")

from pipelines.video_model import BODY, THINGS, MotionDenoiser
from pipelines.video_motions import ALIVE, PASSING
from pipelines.video_things import Body, Thing
from pipelines.video_warp import GRID, Fields, rendered
from training import video, video_fields, video_set
from training.emoji_data import SIZE
from training.motion import ONE, withheld_motion
from training.motion_captions import MotionCaptions
from training.video_clips import Clips
from training.video_scenes import example, numbers, resampled
from training.video_set import VideoSet

FRAMES, CODES = 8, 6


@pytest.fixture(scope="module")
def captions(pictures):
    return MotionCaptions(pictures)


@pytest.fixture(scope="module")
def data(pictures, moving):
    source = Clips(pictures, moving)
    told = [*video_set.alive(source, moving), *video_set.made(source.captions, 30)]
    told.append({"caption": "", "motion": "", "speed": "", "rows": (), "seed": None})
    used = range(len(pictures.records)), range(len(moving.records))
    bodies, views = video_set.looked_at(source.captions.layer, set(used[0]), len(used[0]))
    real, real_views = video_set.looked_at(lambda row: moving.layers(row)[0], set(used[1]), len(used[1]))
    sides = [[Body((row[0], row[1]), *row[2:]) for row in some.tolist()] for some in (bodies, real)]
    words, there = torch.randn(len(told), 24, 384).half(), torch.ones(len(told), 24, dtype=torch.bool)
    return VideoSet(told, words, there, sides[0], views, sides[1], real_views)


@pytest.fixture(scope="module")
def codes(moving):
    return torch.randn(len(moving.records), 2, 16, CODES)


@pytest.mark.parametrize("motion", [*ONE, PASSING])
def test_tracks_as_fields_give_the_frames_that_training_draws(captions, motion):
    scene = captions.scene(5, motion)
    drawn = captions.draw(scene, FRAMES) / 2 + 0.5
    things = tuple(Thing.of(layer) for layer in captions.layers(scene.rows, scene.hue))
    moves = torch.stack([numbers(track) for track in captions.tracks(scene, FRAMES)], 1)
    fields = Fields(moves, torch.zeros(FRAMES, 6, GRID, GRID))
    shown = rendered(things, torch.tensor(scene.background) / 255, fields, SIZE)
    assert float((shown - drawn).square().mean()) < 1e-5


def test_fields_replay_a_loop_better_than_its_first_frame():
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    frames = []
    for shift in (0, 3, 6, 3):  # a striped square that moves
        inside = ((x - 40 - shift).clamp(min=0) < 40) & (x >= 40 + shift) & (y >= 40) & (y < 80)
        stripes = 0.5 + 0.4 * torch.sin((x - shift) / 3) * torch.cos(y / 4)
        frames.append(torch.stack([stripes, stripes, stripes, torch.ones(SIZE, SIZE)]) * inside)
    loop = torch.stack(frames)
    fields = video_fields.fitted(loop, video_fields.optical_flow())
    replay = video_fields.replayed(loop[:1], fields)
    assert torch.equal(fields[0], torch.zeros_like(fields[0])) and torch.allclose(replay[0], loop[0], atol=1e-5)
    still = loop[:1].expand_as(loop)
    assert video_fields.psnr(loop, replay) > video_fields.psnr(loop, still) + 5


def test_every_caption_gives_an_example_and_a_known_first_frame_is_the_picture(data, codes):
    rng = Random(0)
    for caption in data.captions[:-1]:
        for _ in range(4):
            one = example(data, codes, caption, FRAMES, rng)
            assert one.moves.shape == (FRAMES, THINGS, 7) and one.code.shape == (FRAMES, CODES)
            assert torch.isfinite(one.moves).all() and one.view.shape == (4, 32, 32)
            things = 2 if caption["motion"] == PASSING else 1
            assert int((one.bodies != 0).any(1).sum()) == things and one.bodies.shape == (THINGS, BODY)
            if one.first_known:
                first = one.moves[0, :things]
                assert torch.allclose(first[:, 2:6], torch.tensor([1.0, 0, 0, 1]).expand(things, 4), atol=1e-4)
                assert torch.allclose(first[:, :2], one.bodies[:things, :2], atol=1e-4)


def test_no_withheld_pair_is_told_of(data, pictures, moving):
    for caption in data.captions[:-1]:
        records = moving.records if caption["motion"] == ALIVE else pictures.records
        for row in caption["rows"]:
            assert not records[row]["withheld"]
            assert caption["motion"] == ALIVE or not withheld_motion(records[row]["hexcode"], caption["motion"])


def test_a_loop_in_more_frames_is_the_same_loop():
    code = torch.sin(torch.arange(16) / 16 * 2 * torch.pi)[:, None]
    assert torch.allclose(resampled(code, 32)[::2], code) and len(resampled(code, 12)) == 12


def test_it_learns_and_its_numbers_are_fields_again(data, codes):
    torch.manual_seed(0)
    model = MotionDenoiser(CODES, width=32, layers=1, head_width=16)
    model.principal.copy_(torch.linalg.qr(torch.randn(6 * GRID * GRID, CODES))[0].T)
    mean, spread = video.statistics(data, codes)
    model.mean.copy_(mean)
    model.spread.copy_(spread)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    rows = list(range(8))
    some = [example(data, codes, data.captions[row], FRAMES, Random(row)) for row in rows]
    losses = []
    for step in range(60):
        value, _ = video.loss_of(model, data, some, rows, torch.Generator().manual_seed(step % 4))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.item())
    assert sum(losses[-4:]) < 0.6 * sum(losses[:4])
    fields = model.fields(model.normalised(some[0].moves, some[0].code))
    assert torch.allclose(fields.moves, some[0].moves, atol=1e-4)
    assert torch.allclose(model.code(fields.inner), some[0].code, atol=1e-3)


@pytest.mark.parametrize("recipe", [video, video_fields, video_set])
def test_the_recipes_can_be_asked_for_help(recipe, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["recipe", "--help"])
    with pytest.raises(SystemExit, match="0"):
        recipe.main()
    assert "--out" in capsys.readouterr().out
