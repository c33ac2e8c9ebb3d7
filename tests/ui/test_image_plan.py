"""What Draw sets off: grids are complete and in order, and whatever makes no sense is refused before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.errors import BadRequest
from ui import image_plan
from ui.image_plan import MOST_CELLS, Axis, axis, compare, one, sweep

FOX: dict[str, Any] = {"prompt": "a fox", "seed": 7, "count": 3}


@pytest.mark.parametrize(
    ("setting", "text", "values"),
    [
        ("steps", "5, 10,20 ,", (5, 10, 20)),
        ("seed", "1-4, 9", (1, 2, 3, 4, 9)),
        ("seed", "3 – 4, 3", (3, 4)),
        ("guidance", "1, 1.5", (1, 1.5)),
        ("scheduler", "ddim, euler A", ("DDIM", "Euler a")),
        ("words", "3d, made of glass", ("3d", "made of glass")),
    ],
)
def test_values_are_read_as_people_write_them(setting: str, text: str, values: tuple[Any, ...]) -> None:
    assert axis(setting, text) == Axis(setting, values)


def test_nothing_to_vary_is_no_axis() -> None:
    assert axis("none", "1, 2") is None


@pytest.mark.parametrize(
    ("setting", "text", "message"),
    [
        ("steps", "", "has no values"),
        ("steps", " , ", "has no values"),
        ("steps", "many", "not a whole number"),
        ("steps", "2.5", "not a whole number"),
        ("seed", "9-1", "the smaller first"),
        ("seed", "1-999999999999", "at most 36"),
        ("seed", "1-20, 21-40", "40 values are too many"),
        ("guidance", "high", "not a number"),
        ("scheduler", "Karras", "There is no scheduler “Karras”"),
        ("image", "1", "cannot vary “image”"),
    ],
)
def test_values_that_make_no_sense_are_refused_with_a_reason(setting: str, text: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        axis(setting, text)


def test_a_grid_has_every_pair_of_values_in_reading_order() -> None:
    plan = sweep(FOX, axis("steps", "5, 10, 20"), axis("words", "3d, flat"))
    assert (plan.columns, plan.single) == (3, False)
    assert [(request.steps, request.prompt) for request in plan.requests] == [
        *((steps, "a fox, 3d") for steps in (5, 10, 20)),
        *((steps, "a fox, flat") for steps in (5, 10, 20)),
    ]
    assert (plan.across, plan.down) == (("steps 5", "steps 10", "steps 20"), ("3d", "flat"))
    assert plan.label(4) == "flat, steps 10"


def test_all_cells_share_what_is_not_varied_and_draw_one_picture_each() -> None:
    plan = sweep(FOX, None, axis("steps", "5, 10"))
    assert {(request.seed, request.count) for request in plan.requests} == {(7, 1)}
    assert plan.columns == 1


def test_a_grid_of_the_most_cells_is_taken_and_one_of_more_is_refused() -> None:
    assert len(sweep(FOX, axis("seed", "1-9"), axis("steps", "1-4")).requests) == MOST_CELLS
    with pytest.raises(BadRequest, match="8 x 5 are 40 pictures; a sweep has at most 36"):
        sweep(FOX, axis("seed", "1-5"), axis("steps", "1-8"))


def test_a_sweep_needs_two_different_settings_or_one() -> None:
    with pytest.raises(BadRequest, match="Choose one to vary"):
        sweep(FOX, None, None)
    with pytest.raises(BadRequest, match="two different ones"):
        sweep(FOX, axis("seed", "1"), axis("seed", "2"))


@pytest.mark.parametrize(("setting", "text"), [("steps", "10, 999"), ("strength", "0.5, 7"), ("upscale", "2")])
def test_one_value_that_no_request_takes_refuses_the_whole_grid(setting: str, text: str) -> None:
    with pytest.raises(BadRequest, match=setting):
        sweep(FOX, axis(setting, text), None)


def test_a_comparison_draws_one_picture_of_each_with_the_same_seed() -> None:
    plan = compare(FOX, {"steps": 9}, ("one", "two"))
    assert [(request.steps, request.seed, request.count) for request in plan.requests] == [(0, 7, 1), (9, 7, 1)]
    assert (plan.columns, plan.label(1)) == (2, "two")


def test_a_comparison_with_itself_is_refused() -> None:
    with pytest.raises(BadRequest, match="Both sides would be the same"):
        compare(FOX, {"steps": 0}, ("one", "two"))


def test_one_request_needs_no_labels() -> None:
    plan = one(FOX)
    assert plan.single and plan.label(0) == "" and plan.requests[0].count == 3


def test_every_setting_says_values_that_it_takes_itself() -> None:
    for name, setting in image_plan.SETTINGS.items():
        assert axis(name, setting.hint) is not None
