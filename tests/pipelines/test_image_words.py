"""A prompt is taken apart where it names several things, and nowhere else."""

from __future__ import annotations

import pytest

from pipelines.image_words import ABOVE, BELOW, LEFT, RIGHT, SPOTS, scene_of

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
    ]
)


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
    ],
)
def test_two_things_stand_as_the_words_say(prompt: str, things: tuple[str, ...], spots: tuple[object, ...]) -> None:
    scene = scene_of(prompt, NAMES)
    assert scene is not None and scene.prompts == things
    assert scene.stands == ((0, spots[0]), (1, spots[1]))


@pytest.mark.parametrize(
    ("prompt", "things"),
    [
        ("a fox next to an apple, 3d", ("a fox, 3d", "an apple, 3d")),
        ("a fox and an apple on a blue background", ("a fox on a blue background", "an apple on a blue background")),
        ("a fox and an apple on blue, flat", ("a fox on blue, flat", "an apple on blue, flat")),
        ("a flat icon of a fox and an apple", ("a flat icon of a fox", "a flat icon of an apple")),
        ("cartoon style, a fox beside an apple", ("cartoon style, a fox", "cartoon style, an apple")),
        ("a painted picture of two foxes, on white", ("a painted picture of a fox, on white",)),
    ],
)
def test_style_and_background_are_told_of_each(prompt: str, things: tuple[str, ...]) -> None:
    scene = scene_of(prompt, NAMES)
    assert scene is not None and scene.prompts == things


@pytest.mark.parametrize(
    ("prompt", "thing", "count"),
    [
        ("two foxes", "a fox", 2),
        ("three apples", "an apple", 3),
        ("2 red cars", "a red car", 2),
        ("a pair of knives", "a knives", 2),  # a thing of that name is there
        ("three sheep", "a sheep", 3),
        ("two butterflies", "a butterfly", 2),
        ("two cherries", "a cherries", 2),
    ],
)
def test_a_count_is_one_thing_several_times(prompt: str, thing: str, count: int) -> None:
    scene = scene_of(prompt, NAMES)
    assert scene is not None and scene.prompts == (thing,)
    assert scene.stands == tuple((0, spot) for spot in SPOTS[count])


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
        "a fox and an apple and a bee",
        "two foxes and an apple",
        "a sandy beach",
        "and",
        "a fox and ",
        "twofold",
        "a " + "very " * 30 + "old fox and an apple",
    ],
)
def test_what_is_one_thing_or_not_understood_stays_whole(prompt: str) -> None:
    assert scene_of(prompt, NAMES) is None
