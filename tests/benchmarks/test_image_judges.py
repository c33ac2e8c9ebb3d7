"""The judges of drawn pictures, on pictures whose answers are known."""

from __future__ import annotations

import pytest
import torch

from benchmarks import image_judges, image_prompts
from benchmarks.image_judges import Known, background_word, hue_word, nearest_hue, spread
from training.captions import COLOURS, HUES, Captions, turned
from training.pictures import on


def disc(colour, background, radius=40):
    """RGB in -1..1, (3, 128, 128), from colours of 0..255."""
    y, x = torch.meshgrid(*[torch.arange(128.0) - 63.5] * 2, indexing="ij")
    inside = torch.hypot(x, y) < radius
    return (
        torch.where(inside, torch.tensor(colour)[:, None, None], torch.tensor(background)[:, None, None]) / 127.5 - 1
    )


@pytest.mark.parametrize("word", COLOURS)
def test_a_background_has_the_colour_of_the_rim(word):
    shade = [min(255, channel + 6) for channel in COLOURS[word]]
    assert background_word(disc((10, 200, 30), shade)) == word


def test_a_thing_that_touches_the_rim_does_not_change_the_background():
    picture = disc((220, 50, 47), COLOURS["teal"])
    picture[:, :50, 60:70] = -1
    assert background_word(picture) == "teal"


@pytest.mark.parametrize("word", HUES)
def test_a_repainted_thing_has_the_hue_it_was_turned_to(word, pictures):
    captions = Captions(pictures)
    own = captions.hue(captions.rows[0])
    layers = turned(pictures.layers(torch.tensor(captions.rows[:1]))[0], HUES[word] - own)
    for background in ("white", "black", "teal"):
        assert hue_word(on(layers[None], torch.tensor([COLOURS[background]]) / 255)[0]) == word


def test_a_grey_thing_has_no_hue():
    assert hue_word(disc((90, 90, 90), (255, 255, 255))) is None


def test_an_empty_picture_has_no_hue():
    assert hue_word(torch.ones(3, 128, 128)) is None


def test_hues_go_round():
    assert nearest_hue(0.99) == nearest_hue(0.01) == nearest_hue(-0.01) == "red"


def test_what_was_learned_is_near_and_what_is_new_is_not(pictures):
    known = Known(pictures)
    learned = image_prompts.real(pictures, pictures.rows(withheld=False).tolist())
    assert known.distances(learned).max() < 1e-3
    assert known.distances(torch.full((1, 3, 128, 128), -1.0)).item() > 0.3


def test_black_is_at_distance_one_from_white(pictures, monkeypatch):
    known = Known(pictures)
    monkeypatch.setattr(known, "_looks", torch.ones(1, 3 * image_judges.LOOK**2))
    assert known.distances(torch.full((1, 3, 64, 64), -1.0)).item() == pytest.approx(1)


def test_copies_are_all_near_and_strangers_are_not(pictures):
    known = Known(pictures)
    learned = image_prompts.real(pictures, pictures.rows(withheld=False).tolist())
    held = image_prompts.real(pictures, pictures.rows(withheld=True).tolist())
    assert known.memory(learned, held).near == 1
    assert known.memory(torch.randn(4, 3, 128, 128), held).near == 0
    assert known.memory(held, held).distance == known.memory(held, held).real > 0


def test_the_spread_of_seeds_and_of_prompts():
    corners = torch.tensor([[[0.0, 0.0], [0.0, 3.0]], [[4.0, 0.0], [4.0, 3.0]]])  # two prompts with two seeds each
    assert spread(corners) == (pytest.approx(3), pytest.approx((4 + 5) / 2))
    assert spread(corners[..., None])[0] == pytest.approx(3)  # of whatever shape
