"""The built-in 3D model at tiny size: what it makes follows from prompt and seed, is seen on the way, and can be
stopped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pipelines import shape
from pipelines.errors import BadRequest
from pipelines.events import Cancelled, Frames, Progress
from pipelines.shape_library import ShapeLibrary, core, paint_in, quantised, restored
from pipelines.shape_request import ShapeRequest
from pipelines.spec import validate
from tests.pipelines import tiny_shape
from tests.pipelines.drawings import gradient, png
from tests.pipelines.test_music import Stopped

ASKED = ShapeRequest(prompt="a red cat with a hat", seed=3, steps=6)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shape")
    tiny_shape.built_in(folder)
    return shape.load(folder)


def run(pipeline, request=ASKED):
    updates = []
    return updates, pipeline.run(request, updates.append)


def test_it_makes_a_grid_and_shows_it_from_four_sides(pipeline):
    updates, solid = run(pipeline)
    assert solid.distance.shape == (48, 48, 48)
    assert solid.colour.shape == (48, 48, 48, 3)
    assert abs(solid.distance).max() <= 3
    assert solid.settings == {"steps": 6, "guidance": shape.GUIDANCE, "kind": "cat"}
    assert [len(update.images) for update in updates if isinstance(update, Frames)][:1] == [4]
    steps = [update.step if isinstance(update, Frames) else update.done for update in updates[1:]]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_a_seed_gives_the_same_thing_again_and_another_seed_another(pipeline):
    one, two = (run(pipeline)[1] for _ in range(2))
    other = run(pipeline, ASKED.model_copy(update={"seed": 4}))[1]
    assert (one.distance == two.distance).all()
    assert (one.colour == two.colour).all()
    assert (one.distance != other.distance).any()


def test_previews_change_nothing(pipeline, monkeypatch):
    with_previews = run(pipeline)[1]
    monkeypatch.setattr(pipeline, "_previews", False)
    updates, without = run(pipeline)
    assert not any(isinstance(update, Frames) for update in updates)
    assert (with_previews.distance == without.distance).all()


@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_cancel_ends_it_at_the_next_step(pipeline, after):
    stopped = Stopped(after)
    with pytest.raises(Cancelled):
        pipeline.run(ASKED, stopped)
    assert stopped.left == -1


@pytest.mark.parametrize("prompt", ["", "  \n"])
def test_an_empty_prompt_is_refused(pipeline, prompt):
    with pytest.raises(BadRequest, match="Say in “prompt”"):
        run(pipeline, ShapeRequest(prompt=prompt))


def test_a_picture_is_refused(pipeline):
    request = validate(ShapeRequest, {"prompt": "a cat", "image": png(gradient())})
    with pytest.raises(BadRequest, match="from words alone"):
        run(pipeline, request)


def test_an_unknown_thing_becomes_the_nearest_and_the_page_says_so(pipeline):
    _, solid = run(pipeline, ShapeRequest(prompt="a dragon", steps=1))
    [remark] = solid.remarks
    assert solid.settings["kind"] in remark
    assert "3 kinds: heart, cat, dog" in remark
    assert not run(pipeline)[1].remarks


def test_no_guidance_needs_no_second_look(pipeline, monkeypatch):
    sizes = []
    plain = type(pipeline._denoiser).forward
    monkeypatch.setattr(
        type(pipeline._denoiser), "forward", lambda self, x, *rest: sizes.append(len(x)) or plain(self, x, *rest)
    )
    run(pipeline, ASKED.model_copy(update={"guidance": 1.0}))
    run(pipeline, ASKED.model_copy(update={"guidance": 2.0, "steps": 1}))
    assert sizes == [1] * 6 + [2]


def test_progress_tells_what_goes_on(pipeline):
    updates, _ = run(pipeline)
    assert updates[0] == Progress(label="Reading the prompt")


VECTORS = {"cat": 0, "kitten": 0, "dog": 1, "heart": 2, "puppy": 1}


def embed(texts):
    """One axis for each thing."""
    made = torch.zeros(len(texts), 384)
    for row, text in enumerate(texts):
        for word, axis in VECTORS.items():
            made[row, axis] += word in text
        made[row, 3] += 0.5 * ("hat" in text)
    return torch.nn.functional.normalize(made + 1e-3, dim=1)


@pytest.fixture(scope="module")
def library():
    latents = quantised(torch.randn(6, 4, 8, 8, 8))
    told = [f"a {paint} {kind}" for paint, kind in zip(tiny_shape.PAINTS, tiny_shape.KINDS, strict=True)]
    return ShapeLibrary.of(tiny_shape.NAMES, tiny_shape.KINDS, tiny_shape.PAINTS, embed(told), latents, embed)


@pytest.mark.parametrize(
    ("prompt", "kind", "named"),
    [
        ("two kittens", "cat", True),
        ("a dog on a heart", "dog", True),
        ("a puppy", "dog", False),
        ("a catapult for a dog", "dog", True),
    ],
)
def test_a_kind_is_found_by_name_or_meaning(library, prompt, kind, named):
    found = library.kind(prompt, embed)
    assert (found.name, found.named) == (kind, named)


def test_shapes_to_go_by_are_of_the_kind_and_the_colour_asked_for_comes_first(library):
    chance = torch.Generator().manual_seed(0)
    for prompt, row in (("a blue cat", 4), ("a red cat", 1)):
        rows = library.find(prompt, "cat", embed, 2, chance)
        assert sorted(rows) == [1, 4]
        assert rows[0] == row


@pytest.mark.parametrize(
    ("prompt", "paint"),
    [
        ("a wood chair", "wooden"),
        ("a gray chair with red legs", "grey"),
        ("chair, red legs", "red"),
        ("a chair", ""),
        ("", ""),
    ],
)
def test_a_paint_is_known_by_its_words(prompt, paint):
    assert paint_in(prompt, ["red", "wooden", "grey"]) == paint


def test_missing_shapes_are_nothing(library):
    stacked = library.stack([3], 2)
    assert stacked.shape == (1, 2, 4, 8, 8, 8)
    assert not stacked[0, 1].any()
    assert torch.equal(stacked[0, 0], restored(library.latents[3]))


def test_a_byte_is_enough_for_each_number():
    latents = torch.randn(1000) * 2
    assert (restored(quantised(latents)) - latents).abs().max() < 0.2
    assert np.corrcoef(restored(quantised(latents)), latents)[0, 1] > 0.999


def test_what_is_told_first_is_the_thing():
    assert core("a red chair with four legs") == "a red chair"
    assert core("chair, red") == "chair"
    assert core("with legs") == "with legs"
