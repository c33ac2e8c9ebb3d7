"""The video tab: a prompt, a picture to start from, and frames that come out of the noise together.

What has been made lives in the session on the server (ui/video_desk.py, ui/video_run.py); the page plays the frames in
the making as well as the finished clip (assets/video.js).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.engine import Engine
from pipelines.errors import BadRequest
from pipelines.video_request import VideoRequest
from ui import explain, seeds, states, video_controls
from ui.image_desk import contents
from ui.models import describe
from ui.player import TOGGLE
from ui.theme import ASSETS
from ui.video_desk import Desk
from ui.video_from_image import Moved
from ui.video_pace import Pace
from ui.video_run import EMPTY
from ui.visits import Visits
from ui.wire import QUIET, endpoint, refusal, refusals, refusing, request_from, user_of

TITLE = "Video"

SCREEN = ASSETS / "video.js"
EXAMPLES = (
    "a fox bounces",
    "a rocket flies off quickly",
    "a red apple spins clockwise",
    "an owl swings slowly, flat",
    "a cat and a dog pass each other",
)
MARKUP = f"""
<div class="pm-video" data-state="empty" data-playing="false" data-drawn="0">
  <div class="pm-video-well">
    <div class="pm-invitation"><p><strong>Describe what moves</strong></p>
      <p>All frames come out of the noise together, and play while they do.</p></div>
    <canvas role="img" aria-label="Preview"></canvas>
    <video muted loop playsinline controls preload="auto" aria-label="The finished clip"></video>
    <img alt="The finished clip">
  </div>
  <div class="pm-video-bar">
    {TOGGLE.format("pm-video")}
    <div class="pm-video-strip" role="group" aria-label="The frames"></div>
  </div>
  <p class="pm-video-note"></p>
  <ul class="pm-video-facts"></ul>
  <p class="pm-work-actions"><span class="pm-downloads"></span>
    <button type="button" class="pm-video-on">Go on from here</button></p>
</div>
"""


def build(engine: Engine) -> None:
    """Lay the tab out and wire it."""
    models = engine.registry.of("video")
    if not models:
        gr.HTML("<p>There is no video model here. Name one in a file for --catalog.</p>", apply_default_css=False)
        return
    visits: Visits[Desk] = Visits()
    pace = Pace()
    desk_state = gr.State(Desk(), delete_callback=visits.leave)
    with gr.Row(elem_classes="pm-workspace"):
        with gr.Column(scale=3, min_width=320, elem_classes="pm-stage"):
            with gr.Row(elem_classes="pm-prompt", equal_height=True):
                prompt = gr.Textbox(
                    placeholder="Describe what moves, and how",
                    label="Prompt",
                    show_label=False,
                    lines=1,
                    max_lines=6,
                    scale=8,
                    elem_id="pm-video-prompt",
                    container=False,
                )
                make = gr.Button(  # not before the page knows who makes
                    "Make", variant="primary", scale=0, min_width=96, interactive=False, elem_id="pm-video-go"
                )
                stop = gr.Button("Stop", variant="stop", scale=0, min_width=96, visible=False, elem_id="pm-video-stop")
            with gr.Row(elem_classes="pm-chips"):
                for text in EXAMPLES:
                    chip = gr.Button(text, size="sm", scale=0, min_width=0)
                    chip.click(None, None, prompt, js=f"() => {json.dumps(text)}", api_visibility="private")
            status = gr.HTML(states.idle(), elem_id="pm-video-status", apply_default_css=False)
            screen = gr.HTML(
                EMPTY,
                html_template=MARKUP,
                js_on_load=SCREEN.read_text("utf-8"),
                apply_default_css=False,
                elem_id="pm-video-screen",
            )
        with gr.Column(scale=1, min_width=280, elem_classes="pm-side"):
            controls = video_controls.build(engine, models)
    explain.what_you_are_seeing(
        "Frames that must agree",
        (
            "A clip is not made one frame after the other: all frames begin as noise and are cleaned together, step "
            "by step, and at each step every frame looks at all the others.",
            "The built-in model makes one picture, and numbers that say where each part of it is in each frame: a "
            "motion field. Sixteen pictures of their own would have to agree in every detail, and flicker where not.",
            "Models of the hub make every pixel: a latent block of frames, height and width, smaller by 4 in time and "
            "by 8 or more to each side, and still a thousand times what a sentence needs. They want a GPU.",
        ),
    )

    def begin(desk: Desk, values: dict[str, Any]) -> tuple[Any, ...]:
        """Take an order, if it makes sense; else nothing changes and nothing is lost."""
        if desk.busy:
            raise refusal("A clip is being made. Wait for it, or stop it first.")
        with refusals():
            seeds.draw(values)
            if desk.start is not None:
                values["image"] = contents(desk.start)
            elif not values["prompt"].strip():
                raise BadRequest("There is nothing to go by. Describe what moves, or choose a picture to start from.")
            engine.registry[values["model"]]  # raises for a model that is not there
        request = request_from(VideoRequest, values)
        assert isinstance(request, VideoRequest)
        desk.begin(request, pace)
        return values["seed"], *making_stands(desk)

    def on_make(text: str, desk: Desk, *values: Any) -> tuple[Any, ...]:
        return begin(desk, {"prompt": text, **controls.named(values)})

    async def making(http: gr.Request, desk: Desk) -> AsyncIterator[tuple[dict[str, Any], str]]:
        async with aclosing(desk.played(engine, user_of(http))) as news:
            async for _ in news:
                yield desk.shown(), desk.line

    def making_stands(desk: Desk) -> tuple[Any, ...]:
        """How things stand. Also after a run: what it streamed can overtake, on the page, what ended it."""
        buttons = gr.Button(visible=not desk.busy, interactive=True), gr.Button(visible=desk.busy)
        return *buttons, desk.shown(), desk.line

    def on_no_making(desk: Desk) -> tuple[Any, ...]:
        if desk.busy:  # it never came to a run: gradio's queue is full
            desk.end()
            desk.line = states.failed("The clip could not be started. Make it again.")
        return making_stands(desk)

    def on_stop_making(desk: Desk) -> tuple[Any, ...]:
        if desk.busy:
            assert desk.take is not None
            finished, seen = desk.take.finished, desk.take.seen
            desk.halt(states.stopped("" if finished or not seen else "the frames so far are kept"))
            desk.end()
        return making_stands(desk)

    def start_stands(desk: Desk) -> tuple[Any, ...]:
        return desk.start_view(), gr.Button(visible=desk.start is not None)

    def start_from(desk: Desk, data: bytes) -> tuple[Any, ...]:
        desk.put_start(data)
        return start_stands(desk)

    def on_first_frame(path: str, desk: Desk) -> tuple[Any, ...]:
        with refusals():
            return start_from(desk, Path(path).read_bytes())

    def on_no_first_frame(desk: Desk) -> tuple[Any, ...]:
        desk.put_start(None)
        return start_stands(desk)

    def on_go_on(desk: Desk) -> tuple[Any, ...]:
        with refusals():
            if desk.take is None or desk.take.last is None:
                raise BadRequest("There is no clip to go on from. Make one first.")
            return start_from(desk, contents(desk.take.last))

    def asked_for(desk: Desk) -> tuple[Any, ...]:
        """What the visitor had asked for, and from which picture."""
        return *start_stands(desk), gr.skip() if desk.take is None else desk.take.prompt, seeds.of(desk)

    def on_video_model(choice: str, frames: float) -> tuple[Any, ...]:
        with refusals():
            spec = engine.registry[choice]
            most = video_controls.most_frames(spec)
            return describe(engine, spec), gr.Slider(maximum=most, value=min(frames, most))

    may_refuse = refusing(make)
    stands = [make, stop, screen, status]
    asked = [prompt, desk_state, *controls.inputs]
    begun = gr.on([make.click, prompt.submit], on_make, asked, [controls.seed, *stands], **may_refuse)
    run = begun.success(making, desk_state, [screen, status], **may_refuse)
    run.then(making_stands, desk_state, stands, **QUIET)
    run.failure(on_no_making, desk_state, stands, **QUIET)
    stopped = stop.click(on_stop_making, desk_state, stands, cancels=[run], **QUIET)
    seeds.follow([run, stopped], desk_state, controls.asked)
    starting = [controls.start, controls.remove]
    controls.upload.upload(on_first_frame, [controls.upload, desk_state], starting, **may_refuse)
    controls.remove.click(on_no_first_frame, desk_state, starting, **QUIET)
    screen.go_on(on_go_on, desk_state, starting, **may_refuse)
    frames = controls.asked["frames"]
    controls.model.change(on_video_model, [controls.model, frames], [controls.about, frames], **may_refuse)
    if (moved := Moved.found()) is not None:
        moved.wire(start_from, desk_state, starting, prompt, make)
    visits.wire("video", desk_state, making_stands, stands, asked_for, [*starting, prompt, controls.seed])
    endpoint(engine, VideoRequest, "video")
