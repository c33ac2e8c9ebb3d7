"""The side column of the image tab: what to do, with which model, from which picture, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from pipelines.engine import Engine
from pipelines.events import Recipe
from pipelines.image_request import BUILT_IN, ImageRequest
from ui import fields, image_plan, image_view, seeds
from ui.image_plan import NOTHING, SETTINGS, Plan
from ui.models import describe, option
from ui.wire import QUIET

ONE, SWEEP, COMPARE = "Picture", "Sweep", "Compare"
PICTURES = ["image"]  # the file dialog's filter; what is sent is looked at for itself

FOLDED = {
    "negative_prompt": "Negative prompt",
    "steps": "Steps",
    "guidance": "Guidance",
    "width": "Width",
    "height": "Height",
    "scheduler": "Scheduler",
    "upscale": "Enlarge",
    "lora": "LoRA",
    "lora_scale": "Strength of the LoRA",
}
"""Settings of the request's that few need, in the order of the page."""

ENLARGE = [("As the model is made for", 0), ("No", 1), ("Four times", 4)]
ACROSS, DOWN = "across", "down"
OWN = {"steps": "0: as many as the model is made for", "guidance": "Empty: as the model is made for"}
OTHER = "other_"  # before the names of the second side's settings


@dataclass(frozen=True)
class Controls(fields.Asked):
    """The components, by the names that the rest of the tab knows them by."""

    upload: gr.UploadButton
    reference_group: gr.Column
    upload_reference: gr.UploadButton
    reference: gr.HTML
    forget_reference: gr.Button
    restore: gr.UploadButton

    @property
    def strength(self) -> Component:
        """How far to go from the picture to start from."""
        return self.asked["strength"]

    def of(self, recipe: Recipe) -> list[Any]:
        """Values for `inputs` that repeat a recipe; what it does not tell stays as it is."""
        options = {**recipe.options, "model": recipe.model, "seed": recipe.seed, "random_seed": False, "count": 1}
        given = {name: options[name] for name in self.asked if name in options and name in ASKED}
        return [given.get(name, gr.skip()) for name in self.asked]


ASKED = {"model", "seed", "random_seed", "count", "strength", *FOLDED}


def build(engine: Engine) -> Controls:
    """Lay the column out."""
    models = engine.registry.of("image")
    choices = [(option(engine, spec), spec.id) for spec in models]
    asked: dict[str, Component] = {}
    mode = gr.Radio([ONE, SWEEP, COMPARE], value=ONE, label="Make", show_label=False, elem_id="pm-image-mode")
    asked["mode"] = mode
    with gr.Column(visible=False, elem_classes="pm-mode") as sweeping:
        _sweep(asked)
    # Typed names are the registry's business: it knows whether this server takes any.
    asked["model"] = gr.Dropdown(
        choices, value=models[0].id, label="Model", elem_id="pm-image-model", allow_custom_value=True
    )
    about = gr.HTML(describe(engine, models[0]), apply_default_css=False)
    with gr.Column(visible=False, elem_classes="pm-mode") as comparing:
        _compare(asked, choices)
    asked["count"] = fields.visible(ImageRequest, "count", "Pictures", info=None, elem_id="pm-image-count")
    asked |= seeds.laid_out(ImageRequest, "pm-image-seed")
    with gr.Accordion("Start from a picture", open=False):
        upload = gr.UploadButton("Choose a picture", file_types=PICTURES, size="sm", elem_id="pm-image-upload")
        asked["strength"] = fields.visible(ImageRequest, "strength", "Strength", visible=False)
        with gr.Column(visible=models[0].id == BUILT_IN, elem_classes="pm-mode") as reference_group:
            reference = gr.HTML(image_view.reference(None), apply_default_css=False)
            upload_reference = gr.UploadButton("Choose a reference", file_types=PICTURES, size="sm")
            forget_reference = gr.Button("Remove the reference", size="sm", visible=False)
    with gr.Accordion("Settings", open=False):
        restore = gr.UploadButton("Take the settings from a PNG made here", file_types=[".png"], size="sm")
        for name, label in FOLDED.items():
            more: dict[str, Any] = {"choices": ENLARGE, "info": None} if name == "upscale" else {}
            asked[name] = fields.visible(ImageRequest, name, label, **more)
    mode.change(
        lambda chosen: (gr.Column(visible=chosen == SWEEP), gr.Column(visible=chosen == COMPARE)),
        mode,
        [sweeping, comparing],
        **QUIET,
    )
    return Controls(asked, about, upload, reference_group, upload_reference, reference, forget_reference, restore)


def _sweep(asked: dict[str, Component]) -> None:
    """Two settings to vary, and their values."""
    settings = [("Nothing", NOTHING), *((setting.title, name) for name, setting in SETTINGS.items())]
    for side, title, chosen in ((ACROSS, "From left to right", "guidance"), (DOWN, "From top to bottom", NOTHING)):
        asked[side] = gr.Dropdown(settings, value=chosen, label=title, elem_id=f"pm-image-{side}")
        hint = SETTINGS[chosen].hint if chosen in SETTINGS else ""
        asked[f"{side}_values"] = values = gr.Textbox(
            hint, label=f"{title}, values", placeholder="Values, with commas", max_length=500, show_label=False
        )
        asked[side].change(  # type: ignore[attr-defined]
            lambda setting: SETTINGS[setting].hint if setting in SETTINGS else "",
            asked[side],
            values,
            **QUIET,
        )


def _compare(asked: dict[str, Component], choices: list[tuple[str, str]]) -> None:
    """The second side: another model, or the same with other settings."""
    asked[f"{OTHER}model"] = gr.Dropdown(
        choices, value=choices[0][1], label="With", elem_id="pm-image-other-model", allow_custom_value=True
    )
    for name in ("steps", "guidance", "scheduler"):
        asked[f"{OTHER}{name}"] = fields.visible(ImageRequest, name, f"Its {name}", info=OWN.get(name))


def plan(engine: Engine, values: Mapping[str, Any]) -> Plan:
    """What the column asks for. Raises BadRequest for what makes no sense."""
    values = {name: None if name.endswith("guidance") and value == "" else value for name, value in values.items()}
    options = {name: value for name, value in values.items() if name in ImageRequest.model_fields}
    engine.registry[str(options["model"])]  # raises for a model that is not there
    if values["mode"] == SWEEP:
        across, down = (image_plan.axis(str(values[one]), str(values[f"{one}_values"])) for one in (ACROSS, DOWN))
        return image_plan.sweep(options, across, down)
    if values["mode"] == COMPARE:
        other = {name.removeprefix(OTHER): value for name, value in values.items() if name.startswith(OTHER)}
        return image_plan.compare(options, other, _sides(engine, options, other))
    return image_plan.one(options)


def _sides(engine: Engine, options: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, str]:
    """What stands above each side: its model where they differ, and each setting that differs."""
    labels = []
    for side in (options, {**options, **other}):
        told = [engine.registry[str(side["model"])].title] if options["model"] != other["model"] else []
        for name in ("steps", "guidance", "scheduler"):
            if options[name] != other[name]:
                told.append(f"{name} {side[name] or 'of its own'}" if name in OWN else str(side[name]))
        labels.append(", ".join(told))
    return labels[0], labels[1]
