"""Captions of clips are true of their frames, and nothing withheld is ever shown."""

from __future__ import annotations

import pytest
import torch

from pipelines.image_grounds import COLOURS
from pipelines.video_motions import GERUNDS, PASSING, PHRASES, TOGETHER, gerund
from training.captions import JITTER, STYLES
from training.motion import MOTIONS, TURNING, withheld_motion
from training.motion_captions import MotionCaptions, direction

SEEDS = range(180)
FAST, SLOW = ("quickly", "fast", "rapidly"), ("slowly", "slow pace")


@pytest.fixture(scope="module")
def captions(pictures):
    return MotionCaptions(pictures)


@pytest.fixture(scope="module")
def scenes(captions):
    return [captions.scene(seed) for seed in SEEDS]


def test_the_same_seed_tells_and_draws_the_same(captions, scenes, pictures):
    again = MotionCaptions(pictures)
    assert [again.scene(seed) for seed in SEEDS] == scenes
    assert torch.equal(again.draw(scenes[3], 16), captions.draw(scenes[3], 16))


def test_every_motion_is_told_by_its_own_words_alone(scenes):
    """The longest phrase found counts: "shakes" is in "shakes from side to side"."""
    words = {phrase: motion for motion, phrases in PHRASES.items() for phrase in phrases}
    words |= dict.fromkeys(TOGETHER, PASSING)
    told = set()
    for scene in scenes:
        found = [phrase for phrase in words if said(phrase, scene.caption)]
        assert found, scene.caption
        assert words[max(found, key=len)] == scene.motion, scene.caption
        told.add(scene.motion)
    assert told == set(MOTIONS)


def said(phrase, caption):
    """Whether a phrase is in a caption, in either form; a direction stands for any."""
    forms = {form.replace(" {way}", "") for form in (phrase, gerund(phrase))}
    return any(form in caption for form in forms)


def test_a_phrase_has_one_motion():
    every = [phrase for phrases in (*PHRASES.values(), TOGETHER) for phrase in phrases]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(
    ("phrase", "other"),
    [("spins clockwise", "spinning clockwise"), ("does not move", "not moving"), ("sways", "swaying"),
     ("cross paths", "crossing paths"), ("gets bigger", "getting bigger")],
)  # fmt: skip
def test_grammar(phrase, other):
    assert gerund(phrase) == other


def test_no_verb_is_unused():
    every = [phrase for phrases in (*PHRASES.values(), TOGETHER) for phrase in phrases]
    assert all(any(phrase == verb or phrase.startswith(verb + " ") for phrase in every) for verb in GERUNDS)


def test_a_speed_is_told_if_and_only_if_it_is_not_the_usual_one(scenes):
    for scene in scenes:
        assert any(word in scene.caption for word in FAST) == (scene.speed == "quickly"), scene.caption
        assert any(word in scene.caption for word in SLOW) == (scene.speed == "slowly"), scene.caption


def test_things_styles_and_backgrounds_are_as_told(captions, scenes):
    for scene in scenes:
        for row in scene.rows:
            record = captions.pictures.records[row]
            assert record["label"] in scene.caption
            style = [words.split(" {}")[0].removesuffix(" of") for words in STYLES[record["style"]]]
            assert any(words in scene.caption for words in style), scene.caption
        words = [word for word in COLOURS if f"on {word}" in scene.caption or f"{word} background" in scene.caption]
        apart = torch.tensor(scene.background) - torch.tensor(COLOURS[words[0] if words else "white"])
        assert apart.abs().max() <= JITTER, scene.caption


def test_where_a_thing_flies_is_where_it_was_last(captions, scenes):
    flying = [captions.scene(seed, "flies off") for seed in range(60)]
    told = [scene for scene in flying if any(way in scene.caption for way in ("to the", "upwards"))]
    assert len(told) > 3
    for scene in told:
        (track,) = captions.tracks(scene, 16)
        x, y = float(track.x[-1]), float(track.y[-1])
        way = "upwards" if -y > abs(x) else "to the right" if x > 0 else "to the left"
        assert way in scene.caption and way == direction(track)


def test_nothing_withheld_is_ever_shown(captions, scenes, pictures):
    more = [captions.scene(seed, motion) for motion in MOTIONS for seed in range(20)]
    every = {(row, scene.motion) for scene in [*scenes, *more] for row in scene.rows}
    hexcodes = [record["hexcode"] for record in pictures.records]
    assert any(withheld_motion(hexcode, motion) for hexcode in hexcodes for motion in MOTIONS)
    assert not any(pictures.records[row]["withheld"] for row, _ in every)
    assert not any(withheld_motion(hexcodes[row], motion) for row, motion in every)


def test_what_turns_is_seen_to(captions, scenes):
    turning = [scene for scene in scenes if scene.motion in TURNING]
    assert turning and all(captions.shows_turning(row) for scene in turning for row in scene.rows)


def test_no_background_hides_what_is_told(captions, scenes):
    for scene in scenes[::12]:
        frames = captions.draw(scene, 4)
        seen = (frames - frames[:, :, :1, :1]).abs().amax(1) > 0.1
        assert seen.flatten(1).sum(1).max() > 100, scene.caption
