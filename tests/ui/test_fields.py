"""From schema to components: what a Request takes is what its component offers, and nothing is said twice."""

from __future__ import annotations

from typing import Any, Literal

import gradio as gr
import pytest
from pydantic import Field

from pipelines.chat import ChatRequest
from pipelines.spec import Request
from ui import fields


class Everything(Request):
    share: float = Field(0.5, ge=0, le=2, description="A share")
    count: int = Field(3, ge=1, le=9, description="A count")
    free: float = Field(1.5, ge=0)
    name: str = Field("x", max_length=5, description="A name")
    kind: Literal["a", "b"] = "b"
    times: Literal[1, 4] = 4
    maybe: float | None = Field(None, ge=0, le=9)
    file: bytes | None = None
    many: tuple[str, ...] = ("a", "b")
    needed: str


def of(name: str) -> Any:
    return fields.visible(Everything, name, name.title())


def test_two_limits_make_a_slider_with_the_default_and_the_description() -> None:
    share, count = of("share"), of("count")
    assert isinstance(share, gr.Slider) and isinstance(count, gr.Slider)
    assert (share.minimum, share.maximum, share.value, share.step) == (0, 2, 0.5, 0.02)
    assert (count.minimum, count.maximum, count.value, count.step) == (1, 9, 3, 1)
    assert (share.label, share.info, share.interactive) == ("Share", "A share", True)


def test_one_limit_makes_a_number_box_that_leaves_the_check_to_the_request() -> None:
    free = of("free")
    assert isinstance(free, gr.Number) and (free.value, free.precision, free.minimum) == (1.5, None, None)


def test_a_seed_is_a_whole_number_box() -> None:
    seed = of("seed")
    assert isinstance(seed, gr.Number) and (seed.value, seed.precision) == (0, 0)
    assert seed.info == Request.model_fields["seed"].description


def test_a_few_values_make_a_menu_of_them() -> None:
    kind, times = of("kind"), fields.visible(Everything, "times", "Times", choices=[("Once", 1), ("Often", 4)])
    assert isinstance(kind, gr.Dropdown) and [value for _, value in kind.choices] == ["a", "b"] and kind.value == "b"
    assert isinstance(times, gr.Dropdown) and times.choices == [("Once", 1), ("Often", 4)] and times.value == 4


def test_a_number_that_may_be_left_out_is_a_text_box_that_may_stay_empty() -> None:
    assert isinstance(of("maybe"), gr.Textbox) and of("maybe").value is None


def test_text_makes_a_text_box() -> None:
    assert isinstance(of("name"), gr.Textbox) and of("name").value == "x"


def test_hidden_inputs_have_the_defaults_and_no_limits_of_their_own() -> None:
    made = {name: fields.hidden(name, field) for name, field in Everything.model_fields.items()}
    kinds = {name: type(component) for name, component in made.items()}
    assert kinds == {
        **dict.fromkeys(("model", "name", "needed", "kind"), gr.Textbox),
        **dict.fromkeys(("seed", "share", "count", "free", "times", "maybe"), gr.Number),
        "file": gr.File,
        "many": gr.JSON,
    }
    assert not any(component.visible for component in made.values())
    numbers = [component for component in made.values() if isinstance(component, gr.Number)]
    assert all(number.minimum is None and number.maximum is None for number in numbers)
    assert {number.label: number.precision for number in numbers} == {
        "seed": 0,
        "count": 0,
        "share": None,
        "free": None,
        "times": 0,
        "maybe": None,
    }
    assert made["share"].value == 0.5


def test_a_required_field_has_no_default_and_a_tuple_is_a_list() -> None:
    assert fields.default(Everything.model_fields["needed"]) is None
    assert fields.default(Everything.model_fields["many"]) == ["a", "b"]
    assert fields.default(ChatRequest.model_fields["history"]) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("temperature", (0, 2)), ("top_p", (0.01, 1)), ("max_new_tokens", (1, 8192)), ("seed", (0, None))],
)
def test_limits_are_the_requests_own(name: str, expected: tuple[Any, Any]) -> None:
    assert fields.limits(ChatRequest.model_fields[name]) == expected


@pytest.mark.parametrize("name", ["temperature", "top_p", "max_new_tokens"])
def test_a_sliders_ends_and_default_are_taken_by_the_request(name: str) -> None:
    slider = fields.visible(ChatRequest, name, name)
    assert isinstance(slider, gr.Slider)
    for value in (slider.minimum, slider.value, slider.maximum):
        ChatRequest(**{"message": "hi", name: value})


def test_words_given_with_the_field_win_over_its_own() -> None:
    assert fields.visible(Everything, "name", "Name", info="Other", lines=3).info == "Other"
