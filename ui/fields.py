"""From a Request's schema to components: limits become sliders, descriptions become hints, defaults become values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import annotated_types
import gradio as gr
from gradio.components import Component
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipelines.spec import Request

STEPS = 100  # a slider over fractions has this many stops


@dataclass(frozen=True)
class Asked:
    """A side column: the components that make up an order, by name, and the line about the model that is chosen."""

    asked: Mapping[str, Component]
    about: gr.HTML

    @property
    def inputs(self) -> list[Component]:
        """What an order is made of, besides what the visitor writes or shows."""
        return list(self.asked.values())

    @property
    def model(self) -> Any:
        """The picker."""
        return self.asked["model"]

    @property
    def seed(self) -> Component:
        """Where the seed is shown that a run was given."""
        return self.asked["seed"]

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """The values of `inputs`, by name."""
        return dict(zip(self.asked, values, strict=True))


def visible(kind: type[Request], name: str, label: str, **kwargs: Any) -> Component:
    """The component for one field: a slider where it has both limits, a menu where it takes only some values, else a
    number or a text box; a text box too where a number may be left out, since gr.Number would send 0 for that."""
    field = kind.model_fields[name]
    common = {"label": label, "info": field.description, "value": default(field), "interactive": True, **kwargs}
    low, high = limits(field)
    if field.annotation is str:
        return gr.Textbox(**common)
    if field.annotation == float | None:
        return gr.Textbox(**common, max_length=20)
    if get_origin(field.annotation) is Literal:
        return gr.Dropdown(**{"choices": list(get_args(field.annotation)), **common})
    if low is None or high is None or name == "seed":
        return gr.Number(precision=0 if field.annotation is int else None, **common)
    step = 1 if field.annotation is int else round((high - low) / STEPS, 4)
    return gr.Slider(**{"minimum": low, "maximum": high, "step": step, **common})


def hidden(name: str, field: FieldInfo) -> Component:
    """The invisible input of an API endpoint. It has no limits of its own: the Request checks them, once."""
    value = default(field)
    if field.annotation == bytes | None:
        return gr.File(type="binary", label=name, visible=False)
    if field.annotation == tuple[bytes, ...]:
        return gr.File(value=value, type="binary", file_count="multiple", label=name, visible=False)
    kind = type(value) if get_origin(field.annotation) is Literal else field.annotation
    if kind is str:
        return gr.Textbox(value=value, label=name, visible=False)
    if kind is bool:
        return gr.Checkbox(value=bool(value), label=name, visible=False)
    if kind in (int, float, float | None):
        return gr.Number(value=value, precision=0 if kind is int else None, label=name, visible=False)
    return gr.JSON(value=value, label=name, visible=False)


def default(field: FieldInfo) -> Any:
    """The field's default as a component's value; None where the field is required."""
    if field.default is PydanticUndefined:
        return None
    return list(field.default) if isinstance(field.default, tuple) else field.default


def limits(field: FieldInfo) -> tuple[Any, Any]:
    """The smallest and largest value that a field takes, None where there is no such limit."""
    low = next((rule.ge for rule in field.metadata if isinstance(rule, annotated_types.Ge)), None)
    high = next((rule.le for rule in field.metadata if isinstance(rule, annotated_types.Le)), None)
    return low, high
