"""A prompt is taken apart where it names several things, and nowhere else."""

from __future__ import annotations

import pytest

from pipelines.image_grounds import COLOURS as GROUNDS
from pipelines.image_grounds import OTHERS, SAME, grounds_of
from pipelines.image_words import ABOVE, BELOW, COLUMNS, LEFT, ON_WHITE, RIGHT, SPOTS, Scene, scene_of

NAMES = frozenset(
    [
        "fox",
        "apple",
        "bee",
        "cherries",
        "knife",
        "knives",
        "salt and pepper",
        "two hearts",
        "face with hand over mouth",
        "glasses",
    ]
)


def things_of(scene: Scene | None) -> tuple[str, ...]:
    """What each is, without the background that all are drawn on."""
    assert scene is not None and all(ON_WHITE in prompt for prompt in scene.prompts)
    return tuple(prompt.replace(ON_WHITE, "") for prompt in scene.prompts)


@pytest.mark.parametrize(
    ("prompt", "things", "spots"),
    [
        ("a fox next to an apple", ("a fox", "an apple"), (LEFT, RIGHT)),
        ("a fox and an apple", ("a fox", "an apple"), (LEFT, RIGHT)),
        ("A fox to the left of an apple", ("A fox", "an apple"), (LEFT, RIGHT)),
        ("a fox to the right of an apple", ("a fox", "an apple"), (RIGHT, LEFT)),
        ("a bee above a tulip", ("a bee", "a tulip"), (ABOVE, BELOW)),
        ("a bee on top of a tulip", ("a bee", "a tulip"), (ABOVE, BELOW)),
        ("a key below a lock", ("a key", "a lock"), (BELOW, ABOVE)),
        ("A FOX & AN APPLE!", ("A FOX", "AN APPLE"), (LEFT, RIGHT)),
        ("Draw me a fox beside an apple.", ("a fox", "an apple"), (LEFT, RIGHT)),
        ("a picture of a fox near an apple", ("a fox", "an apple"), (LEFT, RIGHT)),
        ("a fox on the right of an apple", ("a fox", "an apple"), (RIGHT, LEFT)),
        ("an orange and a lemon", ("an orange", "a lemon"), (LEFT, RIGHT)),
        ("a red car and a blue house", ("a red car", "a blue house"), (LEFT, RIGHT)),
        ("a pair of glasses and a fox", ("a pair of glasses", "a fox"), (LEFT, RIGHT)),
    ],
)
def test_two_things_stand_as_the_words_say(prompt: str, things: tuple[str, ...], spots: tuple[object, ...]) -> None:
    scene = scene_of(prompt, NAMES)
    assert scene is not None and things_of(scene) == things
    assert scene.stands == ((0, spots[0]), (1, spots[1]))


@pytest.mark.parametrize(
    ("prompt", "things"),
    [
        ("a fox next to an apple, 3d", ("a fox, 3d", "an apple, 3d")),
        ("a fox and an apple on blue, flat", ("a fox, flat", "an apple, flat")),
        ("a flat icon of a fox and an apple", ("a flat icon of a fox", "a flat icon of an apple")),
        ("cartoon style, a fox beside an apple", ("cartoon style, a fox", "cartoon style, an apple")),
        ("a painted picture of two foxes, on white", ("a painted picture of a fox",)),
        ("two foxes in 3d", ("a fox in 3d",)),
        ("a 3d fox and an apple", ("a 3d fox", "a 3d apple")),
        ("a 3d fox and a flat apple", ("a 3d fox", "a flat apple")),
    ],
)
def test_the_style_is_told_of_each(prompt: str, things: tuple[str, ...]) -> None:
    assert things_of(scene_of(prompt, NAMES)) == things


@pytest.mark.parametrize(
    ("prompt", "colour"),
    [
        ("a fox and an apple", (255, 255, 255)),
        ("a fox and an apple on white", (255, 255, 255)),
        ("a fox and an apple on a blue background, 3d", (60, 120, 220)),
        ("a fox and an apple, 3d, Blue background", (60, 120, 220)),
        ("blue background, a fox and an apple, 3d", (60, 120, 220)),
        ("a fox on a blue background and an apple, 3d", (60, 120, 220)),
        ("a fox and an apple against a plain pink backdrop, 3d", (250, 160, 190)),
        ("a fox and an apple on a dark blue background", (33, 66, 121)),
        ("a fox and an apple on light gray", (202, 202, 202)),
        ("a fox and an apple on a sky blue background", (135, 206, 235)),
        ("a fox and an apple on a navy blue background", (25, 40, 95)),
        ("two foxes on a golden background", (255, 215, 0)),
    ],
)
def test_a_plain_background_is_painted_behind_what_is_drawn_on_white(
    prompt: str, colour: tuple[int, int, int]
) -> None:
    scene = scene_of(prompt, NAMES)
    assert scene is not None and scene.ground == colour
    style = ", 3d" if "3d" in prompt else ""
    assert set(things_of(scene)) <= {f"a fox{style}", f"an apple{style}"}


def test_any_other_background_is_told_of_each() -> None:
    scene = scene_of("a fox and an apple on a dark starry background, 3d", NAMES)
    assert scene is not None and scene.ground is None
    assert scene.prompts == ("a fox on a dark starry background, 3d", "an apple on a dark starry background, 3d")


@pytest.mark.parametrize("name", [*GROUNDS, *SAME, *OTHERS.split("|"), "sky blue", "royal-blue", "forest green"])
def test_each_colour_that_is_known_has_a_colour(name: str) -> None:
    (ground,) = grounds_of(f"a fox on a {name} background")
    assert ground.start == len("a fox") and all(0 <= value <= 255 for value in ground.colour)


def test_a_thing_s_own_colour_is_no_background() -> None:
    assert not grounds_of("a red fox on a table") and not grounds_of("a fox on a red car")


@pytest.mark.parametrize(
    ("prompt", "thing", "count"),
    [
        ("two foxes", "a fox", 2),
        ("three apples", "an apple", 3),
        ("2 red cars", "a red car", 2),
        ("a pair of foxes", "a fox", 2),
        ("two knives", "a knives", 2),  # a thing of that name is there
        ("four foxes", "a fox", 4),
        ("three sheep", "a sheep", 3),
        ("two butterflies", "a butterfly", 2),
        ("two cherries", "a cherries", 2),
    ],
)
def test_a_count_is_one_thing_several_times(prompt: str, thing: str, count: int) -> None:
    scene = scene_of(prompt, NAMES)
    assert scene is not None and things_of(scene) == (thing,)
    assert scene.stands == tuple((0, spot) for spot in SPOTS[count])


@pytest.mark.parametrize(
    ("prompt", "things", "which"),
    [
        ("two foxes and an apple", ("a fox", "an apple"), (0, 0, 1)),
        ("one fox and two apples", ("one fox", "an apple"), (0, 1, 1)),
        ("a fox and an apple and a bee", ("a fox", "an apple", "a bee"), (0, 1, 2)),
        ("a fox, an apple and a bee, 3d", ("a fox, 3d", "an apple, 3d", "a bee, 3d"), (0, 1, 2)),
        ("a fox next to an apple, a bee, and a key", ("a fox", "an apple", "a bee", "a key"), (0, 1, 2, 3)),
    ],
)
def test_up_to_four_things_are_shared_out(prompt: str, things: tuple[str, ...], which: tuple[int, ...]) -> None:
    scene = scene_of(prompt, NAMES)
    assert scene is not None and things_of(scene) == things
    assert scene.stands == tuple(zip(which, SPOTS[len(which)], strict=True))


def test_two_kinds_of_two_stand_side_by_side() -> None:
    scene = scene_of("two foxes next to two apples", NAMES)
    assert scene is not None and scene.stands == tuple(zip((0, 0, 1, 1), COLUMNS, strict=True))


@pytest.mark.parametrize(
    "prompt",
    [
        "a fox",
        "a fox with a hat",
        "salt and pepper, 3d",
        "two hearts",
        "a face with hand over mouth",
        "a black and white cat",
        "red and blue balloons",
        "a pair of glasses",
        "five foxes",
        "three foxes and two apples",
        "a fox above a bee above an apple",
        "two foxes above an apple",
        "a white and a red car",
        "2 and a half men",
        "a fox on a red background and an apple on a blue background",
        "un zorro y una manzana",
        "zwei Katzen",
        "キツネとリンゴ",
        "",
        "a sandy beach",
        "and",
        "a fox and ",
        "twofold",
        "a " + "very " * 30 + "old fox and an apple",
    ],
)
def test_what_is_one_thing_or_not_understood_stays_whole(prompt: str) -> None:
    assert scene_of(prompt, NAMES) is None
