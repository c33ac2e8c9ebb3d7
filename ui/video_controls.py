"""The side column of the video tab: from which picture, which motion, by which model, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from pipelines.engine import Engine
from pipelines.spec import ModelSpec
from pipelines.video_motions import ALIVE, PASSING, PHRASES
from pipelines.video_request import VideoRequest
from ui import fields, seeds
from ui.image_controls import ENLARGE, PICTURES
from ui.models import describe, option

AS_TOLD = ("As the prompt says", "")
MOTIONS = [AS_TOLD, *((name.capitalize(), name) for name in (*PHRASES, PASSING, ALIVE))]
SPEEDS = [("Slowly", "slowly"), AS_TOLD, ("Quickly", "quickly")]
FPS = [
    ("As the model makes them", 0),
    ("8", 8),
    ("12", 12),
    ("24, smooth", 24),
    ("30, smooth", 30),
    ("60, smooth", 60),
]
FOLDED = {"steps": "Steps", "guidance": "Guidance", "fps": "Frames a second", "upscale": "Enlarge"}


@dataclass(frozen=True)
class Controls(fields.Asked):
    """The components, by the names that the rest of the tab knows them by."""

    upload: gr.UploadButton
    start: gr.HTML
    remove: gr.Button

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """The values of `inputs`, by name, as a request takes them."""
        named = super().named(values)
        return named | {"guidance": None if named["guidance"] == "" else named["guidance"]}


def most_frames(spec: ModelSpec[Any]) -> int:
    """Of one clip; what the request allows, where the model does not say."""
    _, most = fields.limits(VideoRequest.model_fields["frames"])
    return int(spec.limits.get("most_frames", most))


def build(engine: Engine, models: Sequence[ModelSpec[Any]]) -> Controls:
    """Lay the column out."""
    asked: dict[str, Component] = {}
    with gr.Accordion("Start from a picture", open=True):
        start = gr.HTML('<div class="pm-reference"></div>', apply_default_css=False, elem_id="pm-video-start")
        upload = gr.UploadButton("Choose a picture", file_types=PICTURES, size="sm", elem_id="pm-video-upload")
        remove = gr.Button("Remove the picture", size="sm", visible=False, elem_id="pm-video-remove")
    asked["motion"] = gr.Dropdown(  # words of one's own are the model's business: it takes the nearest it knows
        MOTIONS, value="", label="Motion", allow_custom_value=True, elem_id="pm-video-motion"
    )
    asked["speed"] = gr.Dropdown(SPEEDS, value="", label="Speed")
    asked["frames"] = fields.visible(
        VideoRequest,
        "frames",
        "Frames",
        info="0: as many as the model is made for",
        elem_id="pm-video-frames",
        maximum=most_frames(models[0]),
    )
    asked["loop"] = gr.Checkbox(False, label="Loop", info="The end meets the beginning, where the motion can")
    choices = [(option(engine, spec), spec.id) for spec in models]
    asked["model"] = gr.Dropdown(choices, value=models[0].id, label="Model", elem_id="pm-video-model")
    about = gr.HTML(describe(engine, models[0]), apply_default_css=False)
    asked |= seeds.laid_out(VideoRequest, "pm-video-seed")
    with gr.Accordion("Settings", open=False):
        asked["negative_prompt"] = fields.visible(VideoRequest, "negative_prompt", "Negative prompt")
        for name, label in FOLDED.items():
            menu = {"fps": FPS, "upscale": ENLARGE}.get(name)
            if menu is None:
                asked[name] = fields.visible(VideoRequest, name, label)
            else:
                asked[name] = gr.Dropdown(menu, value=0, label=label)
    return Controls(asked, about, upload, start, remove)
