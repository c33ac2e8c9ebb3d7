"""Which pictures a prompt is drawn from."""

from __future__ import annotations

import pytest
import torch

from pipelines.image_references import NEAREST, References, phrases, style_number, style_of
from training.captions import STYLES, Captions

NAMES = ("fox", "apple", "moon")


@pytest.fixture
def references():
    names = [name for name in NAMES for _ in STYLES]
    vectors = torch.eye(3, 384).repeat_interleave(len(STYLES), 0)
    latents = torch.arange(15.0)[:, None, None, None].expand(-1, 8, 4, 4).contiguous()
    return References.of(names, list(STYLES) * 3, vectors, latents, latents[..., :2, :2].contiguous())


def embed(texts):
    """A sentence encoder that knows three words."""
    return torch.tensor([[float(name in text) for name in NAMES] + [0.0] * 381 for text in texts])


@pytest.mark.parametrize(
    ("prompt", "style", "parts"),
    [
        ("a blue apple next to a fox, 3d render", "3d", ["blue apple", "fox"]),
        ("a flat icon of the moon on a navy background", "flat", ["moon"]),
        ("a painted picture of an owl above two trees", "painted", ["owl", "two trees"]),
        ("glossy gradient, sandcastle", "glossy", ["sandcastle"]),
        ("a cat, green background, classic emoji", "painted", ["cat"]),
        ("flatfish", None, ["flatfish"]),
        ("3d", "3d", ["3d"]),
    ],
)
def test_a_prompt_is_cut_into_the_things_it_names(prompt, style, parts):
    assert style_of(prompt) == style
    assert phrases(prompt) == parts


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("a camera with flash, 3d", ["camera with flash"]),
        ("a blue Camera with flash above a bow and arrow", ["blue Camera with flash", "bow and arrow"]),
        ("a camera with flashes and an arrow", ["camera", "flashes", "arrow"]),
        ("and a fox", ["fox"]),
    ],
)
def test_a_name_is_not_cut_into_things(prompt, parts):
    assert phrases(prompt, ["camera with flash", "bow and arrow"]) == parts


def test_a_thing_of_several_words_is_found_whole(references):
    references = References.of(
        ["moon with fox"] * 5, list(STYLES), references.vectors[10:], references.latents[10:], references.small[10:]
    )
    found = references.find("a moon with fox, flat", embed, 4)
    assert [one.thing for one in found] == [0] * 4 and found[0].style == "flat"


def test_captions_are_understood(pictures):
    """The words training uses are the words the parser knows."""
    captions = Captions(pictures)
    for seed in range(100):
        scene = captions.scene(seed)
        assert style_of(scene.caption) == pictures.records[scene.rows[0]]["style"], scene.caption
        assert len(phrases(scene.caption)) == (1 if scene.kind in ("thing", "count") else 2), scene.caption


def test_the_asked_style_comes_first(references):
    found = references.find("a fox, cartoon", embed, 3)
    assert [one.name for one in found] == ["fox"] * 3
    assert found[0].style == "cartoon"
    assert found[0].score == 1


def test_two_things_share_the_references(references):
    found = references.find("a moon above an apple", embed, 4)
    assert [one.name for one in found] == ["moon", "apple", "moon", "apple"]
    assert [one.thing for one in found] == [0, 1, 0, 1]


def test_each_style_is_nearest_to_itself():
    assert set(NEAREST) == set(STYLES)
    for style, order in NEAREST.items():
        assert order[0] == style
        assert set(order) == set(STYLES)


def test_references_survive_saving(references, tmp_path):
    references.save_pretrained(tmp_path)
    loaded = References.from_pretrained(tmp_path)
    assert (loaded.names, loaded.styles) == (references.names, references.styles)
    found = [loaded.find("an apple, flat", embed, 2), []]
    shown = loaded.stack(found, 3)
    assert shown.latents.shape == (2, 3, 8, 4, 4)
    assert shown.there.tolist() == [[True, True, False], [False] * 3]
    assert shown.latents[0, 0].unique().tolist() == [found[0][0].row]
    assert shown.styles[0, :2].tolist() == [style_number("flat"), style_number("3d")]
