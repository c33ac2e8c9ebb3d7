"""The seed of a run: a visitor's own, or one that is drawn for the run and then shown, so that it can be had again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from pipelines.spec import Request
from ui import fields
from ui.place import Place
from ui.wire import QUIET

MOST = 1_000_000  # of one drawn here: short enough to be read out


def laid_out(kind: type[Request], elem_id: str) -> dict[str, Component]:
    """A number, and beside it a switch for a new one each time, which goes off when the visitor types one."""
    with gr.Row(elem_classes="pm-seed"):
        seed = fields.visible(kind, "seed", "Seed", info=None, min_width=90, elem_id=elem_id)
        anew = gr.Checkbox(True, label="New each time", container=False, scale=0, min_width=136)
    assert isinstance(seed, gr.Number)
    seed.input(None, None, anew, js="() => false", api_visibility="private")
    return {"seed": seed, "random_seed": anew}


def draw(given: dict[str, Any]) -> None:
    """Put a seed in the place of the two that laid_out() made."""
    if given.pop("random_seed"):
        given["seed"] = secrets.randbelow(MOST)


def of(place: Place[Any]) -> Any:
    """The seed of what there is, for the number: a reload brings it back too."""
    return gr.skip() if place.run is None else place.run.seed


def follow(ends: Iterable[Dependency], place: gr.State, knobs: Mapping[str, Component]) -> None:
    """Where nothing came of a run, the one before is back, and the number is the seed of that; not if it was typed."""
    for end in ends:
        end.then(back, [place, knobs["random_seed"]], knobs["seed"], **QUIET)


def back(place: Place[Any], anew: bool) -> Any:
    """The seed of what there is, if the one in the number was drawn too."""
    return of(place) if anew else gr.skip()
