"""Several things are drawn one by one and put together; all else is handed on as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipelines.events import Emit, Picture, Pictures, Preview, Progress, Reference, Update
from pipelines.image_request import ImageRequest
from pipelines.image_scene import ScenePipeline, with_scenes

COLOURS = {"fox": (240, 120, 20), "apple": (200, 20, 30), "ghost": (243, 243, 246)}
STEPS = 3


GROUNDS = {"blue": (60, 120, 220), "black": (20, 20, 20), "starry": (90, 70, 160), "white": (255, 255, 255)}


class Painter:
    """Draws a disc of the colour of what the prompt names, on the background that it asks for, white if none; says
    what it was asked. `uneven`: how far the background may be from its colour, elsewhere otherwise."""

    def __init__(self, uneven: int = 0) -> None:
        self.asked: list[ImageRequest] = []
        self.uneven = uneven

    def run(self, request: ImageRequest, emit: Emit) -> Pictures:
        self.asked.append(request)
        made = self._disc(request, 128)
        for step in range(1, STEPS + 1):
            emit(Preview(made, step, STEPS, made) if step != 2 else Progress(step, STEPS, "Drawing"))
        emit(Progress(1, 4, "Enlarging"))
        larger = self._disc(request, 512) if request.upscale == 4 else None
        reference = Reference(request.prompt, "3d", 1.0, made)
        return Pictures(
            (Picture(larger or made, request.seed, made if larger else None),), {"steps": STEPS}, (reference,)
        )

    def _disc(self, request: ImageRequest, side: int) -> Image.Image:
        ground = next((rgb for word, rgb in GROUNDS.items() if word in request.prompt), (255, 255, 255))
        page = Image.fromarray(_shaded(ground, request.seed % 1000, side, self.uneven))
        colour = next(rgb for name, rgb in COLOURS.items() if name in request.prompt)
        ImageDraw.Draw(page).ellipse((side // 8, side // 8, side - side // 8, side - side // 8), colour)
        return page


def _shaded(colour: tuple[int, int, int], seed: int, side: int, uneven: int) -> Any:
    """A page a little lighter or darker than it should be, and so is each eighth of its side; white much less."""
    drawn = np.random.default_rng(seed)
    cells = drawn.integers(-uneven, uneven + 1, (8, 8, 1)) + drawn.integers(-uneven, uneven + 1)
    cells = cells // 4 if min(colour) > 250 else cells
    return (np.kron(cells, np.ones((side // 8, side // 8, 1))) + colour).clip(0, 255).astype(np.uint8)


def drawn(**values: Any) -> tuple[Painter, Pictures, list[Update]]:
    painter, updates = Painter(values.pop("uneven", 0)), list[Update]()
    made = ScenePipeline(painter, frozenset(["salt and pepper"])).run(
        ImageRequest.model_validate({"upscale": 1, **values}), updates.append
    )
    return painter, made, updates


def colour_at(picture: Image.Image, x: float, y: float) -> Any:
    return picture.getpixel((round(x * picture.width), round(y * picture.height)))


def near(one: Any, other: Any) -> bool:
    return bool(np.abs(np.array(one) - np.array(other)).max() < 12)


@pytest.mark.parametrize("upscale", [1, 4])
def test_two_things_stand_where_the_words_say(upscale: int) -> None:
    painter, made, _ = drawn(prompt="a fox next to an apple", upscale=upscale, seed=5)
    (picture,) = made.pictures
    assert picture.image.size == (128 * upscale,) * 2 and picture.seed == 5
    for each in [picture.image, *([picture.small] if picture.small else [])]:
        assert near(colour_at(each, 0.25, 0.5), COLOURS["fox"]) and near(colour_at(each, 0.75, 0.5), COLOURS["apple"])
        assert near(colour_at(each, 0.5, 0.1), (255, 255, 255)) and near(colour_at(each, 0.03, 0.3), (255, 255, 255))
    assert (picture.small is not None) == (upscale == 4)
    prompts = ["a fox on a white background", "an apple on a white background"]
    assert [one.prompt for one in painter.asked] == prompts
    assert painter.asked[0].seed == 5 != painter.asked[1].seed, "or both would be of one noise"
    assert [one.name for one in made.references] == prompts and made.settings == {"steps": STEPS}


def test_the_background_lies_behind_all_of_them_and_a_count_is_drawn_once() -> None:
    painter, made, _ = drawn(prompt="three apples on a blue background")
    assert len(painter.asked) == 1
    picture = made.pictures[0].image
    for x, y in ((0.5, 0.25), (0.25, 0.75), (0.75, 0.75)):
        assert near(colour_at(picture, x, y), COLOURS["apple"])
    for x, y in ((0.1, 0.1), (0.9, 0.3), (0.5, 0.97)):
        assert near(colour_at(picture, x, y), (60, 120, 220))


@pytest.mark.parametrize("upscale", [1, 4])
@pytest.mark.parametrize("ground", ["blue", "black", "starry", "white"])
def test_all_around_the_things_is_of_one_colour_however_uneven_the_model_s_is(ground: str, upscale: int) -> None:
    """A model's background is another in each picture: each thing would stand in a block of its own shade."""
    _, made, _ = drawn(prompt=f"a fox and an apple on a {ground} background", uneven=12, seed=3, upscale=upscale)
    picture = made.pictures[0]
    for page in [picture.image, *([picture.small] if picture.small else [])]:
        pixels = np.array(page).astype(int)
        y, x = (np.indices(pixels.shape[:2]) + 0.5) / page.width
        radius = 0.75 / 2 * 0.48 + 2.5 / 128
        away = (np.hypot(x - 0.25, y - 0.5) > radius) & (np.hypot(x - 0.75, y - 0.5) > radius)
        assert np.ptp(pixels[away], axis=0).max() == 0
        assert ground == "starry" or tuple(pixels[0, 0]) == GROUNDS[ground]
        assert near(colour_at(page, 0.25, 0.5), COLOURS["fox"]) and near(colour_at(page, 0.75, 0.5), COLOURS["apple"])


@pytest.mark.parametrize("upscale", [1, 4])
def test_what_is_white_is_whole_on_a_dark_background_and_has_no_white_rim_if_it_is_not(upscale: int) -> None:
    _, made, _ = drawn(prompt="a ghost and an apple on a black background", upscale=upscale)
    pixels = np.array(made.pictures[0].image).astype(int)
    y, x = (np.indices(pixels.shape[:2]) + 0.5) / len(pixels)
    ghost = np.hypot(x - 0.25, y - 0.5) < 0.75 / 2 * 0.48 - 2.5 / 128
    assert np.abs(pixels[ghost] - COLOURS["ghost"]).max() < 12
    right = pixels[:, len(pixels) // 2 :]
    assert right[..., 1:].max() < 60, "only red and black, and what is between"


def test_a_background_that_is_no_colour_is_drawn_with_each() -> None:
    painter, made, updates = drawn(prompt="a fox and an apple on a starry background")
    assert [one.prompt for one in painter.asked] == ["a fox on a starry background", "an apple on a starry background"]
    previews = [update.image for update in updates if isinstance(update, Preview)]
    assert near(colour_at(previews[0], 0.9, 0.1), GROUNDS["starry"])
    assert near(colour_at(made.pictures[0].image, 0.9, 0.1), GROUNDS["starry"])


def test_previews_have_the_background_that_the_picture_will_have() -> None:
    _, made, updates = drawn(prompt="a fox above an apple on a black background")
    for update in updates:
        if isinstance(update, Preview):
            assert colour_at(update.image, 0.9, 0.1) == colour_at(made.pictures[0].image, 0.9, 0.1) == (20, 20, 20)
            assert near(colour_at(update.image, 0.5, 0.25), COLOURS["fox"])
            assert near(colour_at(update.image, 0.62, 0.1), (20, 20, 20)), "in a corner of the fox's picture"


def test_a_thing_that_fills_its_picture_stays_whole() -> None:
    class Filled(Painter):
        def _disc(self, request: ImageRequest, side: int) -> Image.Image:
            sky = Image.linear_gradient("L").resize((side, side))
            return Image.merge("RGB", [sky, Image.new("L", sky.size, 60), Image.new("L", sky.size, 200)])

    request = ImageRequest(prompt="a sunset and a fox on a white background", upscale=1)
    picture = ScenePipeline(Filled(), frozenset()).run(request, lambda _: None).pictures[0].image
    assert all(picture.getpixel((x, y))[1] == 60 for x in (4, 32, 60) for y in (36, 64, 92))  # type: ignore[index]


def test_an_empty_page_is_nothing() -> None:
    class Idle(Painter):
        def _disc(self, request: ImageRequest, side: int) -> Image.Image:
            return Image.new("RGB", (side, side), "white")

    request = ImageRequest(prompt="a fox and an apple on blue", upscale=1)
    picture = ScenePipeline(Idle(), frozenset()).run(request, lambda _: None).pictures[0].image
    assert picture.getcolors() == [(128 * 128, GROUNDS["blue"])]


def test_the_steps_of_all_things_are_those_of_one_run_and_each_preview_is_in_its_place() -> None:
    _, made, updates = drawn(prompt="a fox above an apple", count=2)
    total = 2 * 2 * STEPS
    steps = [update.step if isinstance(update, Preview) else update.done for update in updates if _draws(update)]
    assert steps == list(range(1, total + 1))
    assert {update.total for update in updates if _draws(update)} == {total}
    previews = [update for update in updates if isinstance(update, Preview)]
    assert near(colour_at(previews[0].image, 0.5, 0.25), COLOURS["fox"])
    assert near(colour_at(previews[0].image, 0.5, 0.75), (255, 255, 255)), "the apple is not there yet"
    assert near(colour_at(previews[2].image, 0.5, 0.75), COLOURS["apple"]) and previews[2].noisy is not None
    assert near(colour_at(previews[2].image, 0.5, 0.25), COLOURS["fox"]), "and the fox is still"
    assert [picture.seed for picture in made.pictures] == [0, 1]


def _draws(update: Update) -> bool:
    return isinstance(update, Preview) or (isinstance(update, Progress) and update.label == "Drawing")


def test_the_same_seed_gives_the_same_picture_and_previews_do_not_change_it() -> None:
    one, other = (drawn(prompt="a fox next to an apple", seed=9)[1].pictures[0].image for _ in range(2))
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("values", [{"prompt": "a fox"}, {"prompt": "a fox and an apple", "image": b"x"}])
def test_one_thing_and_what_begins_with_a_picture_is_handed_on(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.pictures_in.check", lambda *_: None)
    painter, _, updates = drawn(**values)
    assert [one.prompt for one in painter.asked] == [values["prompt"]]
    assert [update.step for update in updates if isinstance(update, Preview)] == [1, 3]


def test_only_a_model_that_draws_from_references_is_asked_thing_by_thing(tmp_path: Path) -> None:
    painter = Painter()
    assert with_scenes(painter, tmp_path) is painter
    (tmp_path / "references").mkdir()
    (tmp_path / "references/config.json").write_text(json.dumps({"names": ["fox", "fox"]}))
    assert isinstance(with_scenes(painter, tmp_path), ScenePipeline)
