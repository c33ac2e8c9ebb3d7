"""Captions are true of the pictures drawn with them, measured on the pictures."""

from __future__ import annotations

import pytest
import torch

from pipelines.image_grounds import COLOURS
from training.captions import HUES, JITTER, STYLES, Captions, article, dominant_hue, hsv, plural, turned
from training.pictures import on

SEEDS = range(150)


@pytest.fixture(scope="module")
def captions(pictures):
    return Captions(pictures)


@pytest.fixture(scope="module")
def scenes(captions):
    return [captions.scene(seed) for seed in SEEDS]


def visible(captions, scene):
    """Where the picture differs from its background."""
    picture = (captions.draw([scene])[0] + 1) / 2
    background = torch.tensor(scene.background)[:, None, None] / 255
    return (picture - background).abs().amax(0) > 0.05


def test_the_same_seed_tells_and_draws_the_same(captions, scenes, pictures):
    again = Captions(pictures)
    assert [again.scene(seed) for seed in SEEDS] == scenes
    assert torch.equal(again.draw(scenes[:20]), captions.draw(scenes[:20]))


def test_as_many_as_asked_are_one_thing_on_white(pictures):
    some = [Captions(pictures, alone=0.8).scene(seed) for seed in range(300)]
    alone = [
        scene
        for scene in some
        if (scene.kind, scene.places, scene.background) == ("thing", ((1.0, 0.0, 0.0),), COLOURS["white"])
    ]
    assert 0.8 < len(alone) / len(some) < 0.9, "the others may be so by chance"
    assert sum(scene.hue is not None for scene in alone) > 10
    assert {scene.kind for scene in some} == {"thing", "beside", "above", "count"}


def test_a_picture_does_not_depend_on_its_company(captions, scenes):
    together = captions.draw(scenes[:20])
    for i in (0, 7, 19):
        torch.testing.assert_close(together[i], captions.draw([scenes[i]])[0])


def test_the_background_has_the_named_colour(captions, scenes):
    named = 0
    for scene in scenes:
        words = [word for word in COLOURS if f"on {word}" in scene.caption or f"{word} background" in scene.caption]
        corner = (captions.draw([scene])[0, :, 0, 0] + 1) * 127.5
        expected = torch.tensor(COLOURS[words[0] if words else "white"]).float()
        assert (corner - expected).abs().max() <= JITTER + 0.01, scene.caption
        named += bool(words)
    assert named > 40


def test_recoloured_things_have_the_named_colour(captions, scenes):
    recoloured = [scene for scene in scenes if scene.hue is not None]
    assert len(recoloured) > 7
    for scene in recoloured:
        (word,) = [word for word, hue in HUES.items() if hue == scene.hue]
        assert f"{word} " in scene.caption
        layers = turned(captions.pictures.layers(torch.tensor(scene.rows))[0], scene.hue - captions.hue(scene.rows[0]))
        assert dominant_hue(layers) == pytest.approx(scene.hue % 1, abs=0.02) or scene.hue == 0


def test_a_thing_with_a_colour_in_its_name_keeps_it(captions, scenes):
    for scene in scenes:
        if scene.hue is not None:
            assert captions.pictures.records[scene.rows[0]]["label"] != "blue book"


def test_turning_keeps_brightness_and_saturation(pictures):
    layers = pictures.layers(torch.tensor([0]))[0]
    around = turned(layers, 0.4)
    for before, after in zip(hsv(layers)[1:], hsv(around)[1:], strict=True):
        assert abs(before - after).max() < 1e-4
    torch.testing.assert_close(turned(around, -0.4), layers, atol=1e-5, rtol=0)


def test_two_things_stand_as_told(captions, scenes):
    left, right, top, bottom = (slice(0, 60), slice(68, 128), slice(0, 60), slice(68, 128))
    for kind, parts in (("beside", ((slice(None), left), (slice(None), right))), ("above", ((top,), (bottom,)))):
        told = [scene for scene in scenes if scene.kind == kind]
        assert len(told) > 3
        for scene in told:
            seen = visible(captions, scene)
            for part in parts:
                assert seen[part].any(), scene.caption
            names = [captions.pictures.records[row]["label"] for row in scene.rows]
            turned_round = " right of " in scene.caption or " below " in scene.caption
            first, second = reversed(names) if turned_round else names
            assert scene.caption.index(first) <= scene.caption.rindex(second)


def test_a_count_is_a_count(captions, scenes):
    counts = [scene for scene in scenes if scene.kind == "count"]
    assert len(counts) > 3
    for scene in counts:
        word = {2: "two", 3: "three"}[len(scene.rows)]
        assert word in scene.caption
        assert pieces(visible(captions, scene)) == len(scene.rows), scene.caption


def pieces(mask):
    """How many connected regions there are: labels spread to their neighbours until nothing changes."""
    labels = torch.arange(mask.numel()).view(mask.shape).float() + 1
    labels = labels * mask
    while True:
        spread = torch.nn.functional.max_pool2d(labels[None], 3, 1, 1)[0] * mask
        if torch.equal(spread, labels):
            return int(labels.unique().numel() - (labels == 0).any().int())
        labels = spread


def test_small_things_leave_space(captions, scenes):
    small = [s for s in scenes if "tiny" in s.caption or "a small" in s.caption or "empty space" in s.caption]
    assert len(small) > 3
    for scene in small:
        assert visible(captions, scene).float().mean() < 0.35


def test_withheld_pictures_are_never_drawn(captions, scenes, pictures):
    assert any(record["withheld"] for record in pictures.records)
    assert not any(pictures.records[row]["withheld"] for scene in scenes for row in scene.rows)


def test_every_style_is_told_by_one_of_its_words(captions, scenes):
    for scene in scenes:
        style = captions.pictures.records[scene.rows[0]]["style"]
        assert any(words.split(" {}")[0].removesuffix(" of") in scene.caption for words in STYLES[style])


@pytest.mark.parametrize(
    ("name", "one", "many"),
    [("apple", "an apple", "apples"), ("fox", "a fox", "foxes"), ("cherry", "a cherry", "cherries"),
     ("glasses", "glasses", "glasses"), ("bus", "a bus", "buses")],
)  # fmt: skip
def test_grammar(name, one, many):
    assert article(name) == one
    assert plural(name) == many


def test_premultiplied_layers_on_white_are_the_picture_on_white(pictures):
    layers = pictures.layers(torch.tensor([2]))
    made = (on(layers, torch.ones(1, 3))[0] + 1) * 127.5
    pixels = pictures.pixels[2].permute(2, 0, 1).float()
    expected = torch.where(pixels[3] > 0, pixels[:3], 255.0)
    torch.testing.assert_close(made, expected, atol=1e-3, rtol=0)
