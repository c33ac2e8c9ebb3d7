"""The image tab: a prompt, and a canvas on which the picture comes out of the noise; sweeps and comparisons likewise.

What has been drawn lives in the session on the server (ui/image_desk.py); the page only shows it. One canvas serves
one picture, several, the grid of a sweep and two models side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines import picture_file
from pipelines.engine import Engine
from pipelines.errors import BadRequest
from pipelines.image_request import BUILT_IN, ImageRequest
from ui import explain, files, image_controls, image_plan, image_view, painter, seeds, states
from ui.image_desk import Desk, contents
from ui.image_work import Work
from ui.models import describe
from ui.theme import ASSETS
from ui.visits import Visits
from ui.wire import MISSING, QUIET, endpoint, refusal, refusals, refusing, user_of

TITLE = "Image"

CANVAS = ASSETS / "canvas.js"
DROPPED = "pm-image-dropped"
BUSY = "A picture is being drawn. Wait for it, or stop it first."
STYLES = ("3d", "glossy", "flat", "cartoon", "painted")  # that the built-in model knows
CHIP = """(prompt) => {
  const words = prompt.trim().replace(/(,\\s*|^)(%s)$/, "");
  return words && !prompt.trim().endsWith(", %s") ? `${words}, %s` : words;
}"""


def build(engine: Engine) -> None:
    """Lay the tab out and wire it."""
    if not engine.registry.of("image"):
        gr.HTML("<p>There is no image model here. Name one in a file for --catalog.</p>", apply_default_css=False)
        return
    visits: Visits[Desk] = Visits()
    desk_state = gr.State(Desk(), delete_callback=visits.leave)
    with gr.Row(elem_classes="pm-workspace"):
        with gr.Column(scale=3, min_width=320, elem_classes="pm-stage"):
            with gr.Row(elem_classes="pm-prompt", equal_height=True):
                prompt = gr.Textbox(
                    placeholder="Describe a picture",
                    label="Prompt",
                    show_label=False,
                    lines=1,
                    max_lines=6,
                    scale=8,
                    elem_id="pm-image-prompt",
                    container=False,
                )
                draw = gr.Button(  # not before the page knows who draws
                    "Draw", variant="primary", scale=0, min_width=96, interactive=False, elem_id="pm-image-draw"
                )
                stop = gr.Button("Stop", variant="stop", scale=0, min_width=96, visible=False, elem_id="pm-image-stop")
            with gr.Row(elem_classes="pm-chips") as chips:
                for style in STYLES:
                    chip = gr.Button(style, size="sm", scale=0, min_width=0)
                    script = CHIP % ("|".join(STYLES), style, style)
                    chip.click(None, prompt, prompt, js=script, api_visibility="private")
            status = gr.HTML(states.idle(), elem_id="pm-image-status", apply_default_css=False)
            with gr.Row(elem_classes="pm-easel"):
                with gr.Column(min_width=260, visible=False, elem_classes="pm-start") as start_column:
                    start = painter.painter("pm-image-start")
                    remove = gr.Button("Remove the picture", size="sm", elem_id="pm-image-remove")
                with gr.Column(min_width=300):
                    canvas = gr.HTML(
                        image_view.empty(),
                        js_on_load=CANVAS.read_text("utf-8"),
                        apply_default_css=False,
                        elem_id="pm-image-canvas",
                    )
                    # Where canvas.js puts a picture that is dropped on the page or pasted into it.
                    dropped = gr.UploadButton(file_types=image_controls.PICTURES, visible="hidden", elem_id=DROPPED)
            gallery = gr.HTML(
                image_view.gallery((), ""),
                js_on_load=CANVAS.read_text("utf-8"),
                apply_default_css=False,
                elem_id="pm-image-gallery",
            )
        with gr.Column(scale=1, min_width=280, elem_classes="pm-side"):
            controls = image_controls.build(engine)
    explain.what_you_are_seeing(
        "A picture that is taken out of noise",
        (
            "It starts as pure noise in a small block of numbers: the built-in model has 16 x 16 x 8 of them for a "
            "picture of 128 x 128 x 3, a twenty-fourth, and a decoder that turns them into pixels.",
            "At each step a network predicts the clean picture behind the noise, which is what you see, and takes a "
            "part of the noise away; more steps make smaller, more careful corrections.",
            "Guidance compares the prediction with your prompt and without it, and exaggerates the difference: little "
            "wanders off, much obeys to the letter and looks overdone. Of several things the built-in model draws "
            "each by itself, and they are put together after; what it has a picture of in the style that you ask for "
            "comes out much like that one, whatever the seed.",
        ),
    )

    def begin(desk: Desk, values: dict[str, Any], painted: Any) -> tuple[Any, ...]:
        """Take an order, if it makes sense; else nothing changes and nothing is lost."""
        if desk.run is not None:
            raise refusal(BUSY)
        if not values["prompt"].strip():
            raise refusal("Describe a picture first.", MISSING)
        with refusals():
            seeds.draw(values)
            if desk.start is not None:
                values |= {"image": contents(desk.start), "mask": painter.mask(painted)}
            if desk.reference is not None and values["model"] == BUILT_IN:  # others have no use for it: it is hidden
                values["reference"] = contents(desk.reference)
            plan = image_controls.plan(engine, values)
        desk.begin(plan, values["prompt"])
        return values["seed"], *standing(desk)

    def on_draw(text: str, desk: Desk, painted: Any, *values: Any) -> tuple[Any, ...]:
        return begin(desk, {"prompt": text, **controls.named(values)}, painted)

    def on_example(data: gr.EventData, desk: Desk, painted: Any, *values: Any) -> tuple[Any, ...]:
        text = named(data)
        return text, *begin(desk, {"prompt": text, **controls.named(values)}, painted)

    async def drawing(http: gr.Request, desk: Desk) -> AsyncIterator[tuple[str, str]]:
        run = desk.run
        if run is None:  # stopped before it began; gradio empties what it is told nothing of
            yield desk.canvas, desk.line
            return

        def add(work: Work) -> None:
            if desk.run is run:
                desk.add(work)
            else:  # it was being written while somebody pressed Stop
                work.forget()

        try:
            async with aclosing(run.play(engine, user_of(http), desk.shelf, add)) as lines:
                async for line in lines:
                    if desk.run is not run:  # stopped; gradio stops us only next
                        yield desk.canvas, desk.line
                        return
                    desk.follow(line)
                    yield desk.canvas, line
        finally:
            if desk.run is run:
                desk.end()
                desk.line = states.over(desk.line)

    def standing(desk: Desk) -> tuple[Any, ...]:
        """How things stand. Also after a run: what it streamed can overtake, on the page, what ended it."""
        busy = desk.run is not None
        buttons = gr.Button(visible=not busy, interactive=True), gr.Button(visible=busy)
        return *buttons, desk.canvas, desk.line, desk.gallery()

    def on_no_drawing(desk: Desk) -> tuple[Any, ...]:
        if desk.run is not None:  # it never came to a run: gradio's queue is full
            desk.end()
            desk.line = states.failed("The picture could not be started. Draw it again.")
        return standing(desk)

    async def on_stop_drawing(desk: Desk) -> tuple[Any, ...]:  # where drawing() is: never beside it
        run = desk.run
        grid = None if run is None else await asyncio.to_thread(run.grid, desk.shelf)
        if run is not None and desk.run is run:  # it has not come to its end meanwhile
            if grid is not None:
                run.add(grid, desk.add)
            desk.end()
            kept = sum(not work.grid for work in run.works)
            seen = "what there is of the picture is kept" if run.seen else ""
            desk.line = states.stopped(f"{kept} finished, in the gallery" if kept else seen)
        elif grid is not None:
            grid.forget()
        return standing(desk)

    def on_choose(data: gr.EventData, desk: Desk) -> tuple[Any, ...]:
        if desk.run is not None:
            raise refusal(BUSY)
        if (work := desk.find(named(data))) is not None:
            desk.show(work)
        return desk.canvas, desk.gallery()

    def on_start(path: str, desk: Desk) -> tuple[Any, ...]:
        with refusals():
            desk.put_start(Path(path).read_bytes())
        return begun_from(desk)

    def on_take(data: gr.EventData, desk: Desk) -> tuple[Any, ...]:
        with refusals():
            if (work := desk.find(named(data))) is None:
                raise BadRequest("That picture is no longer in the gallery.")
            desk.put_start(contents(work.file))
        return begun_from(desk)

    def on_remove(desk: Desk) -> tuple[Any, ...]:
        desk.put_start(None)
        return begun_from(desk)

    def asked_for(desk: Desk) -> tuple[Any, ...]:
        """What the visitor had asked for, and from what: told once, since telling a start again wipes its mask off."""
        return *begun_from(desk), *referred_to(desk), desk.prompt or gr.skip()

    def begun_from(desk: Desk) -> tuple[Any, ...]:
        there = desk.start is not None
        return gr.Column(visible=there), files.address(desk.start) if desk.start else "", gr.Slider(visible=there)

    def referred_to(desk: Desk) -> tuple[Any, ...]:
        return image_view.reference(desk.reference), gr.Button(visible=desk.reference is not None)

    def on_reference(path: str, desk: Desk) -> tuple[Any, ...]:
        with refusals():
            desk.put_reference(Path(path).read_bytes())
        return referred_to(desk)

    def on_forget_reference(desk: Desk) -> tuple[Any, ...]:
        desk.put_reference(None)
        return referred_to(desk)

    def on_repeat(data: gr.EventData, desk: Desk) -> tuple[Any, ...]:
        with refusals():
            if (work := desk.find(named(data))) is None:
                raise BadRequest("That picture is no longer in the gallery.")
        return work.prompt, *controls.of(work.recipe)

    def on_restore(path: str) -> tuple[Any, ...]:
        with refusals():
            recipe = image_plan.again(picture_file.read(Path(path).read_bytes()))
            if engine.registry[recipe.model].modality != "image":
                raise BadRequest("These are not the settings of a picture. Choose a PNG file that was made here.")
        if lacking := image_plan.lacking(recipe):
            gr.Warning(f"The file has all settings, but not {lacking}. Choose it too.", title="One thing is missing")
        return str(recipe.options["prompt"]), *controls.of(recipe)

    def on_model(choice: str) -> tuple[Any, ...]:
        built_in = choice == BUILT_IN
        with refusals():
            return describe(engine, engine.registry[choice]), gr.Row(visible=built_in), gr.Column(visible=built_in)

    may_refuse = refusing(draw)
    stands = [draw, stop, canvas, status, gallery]
    asked = [desk_state, start, *controls.inputs]
    begun = [
        gr.on([draw.click, prompt.submit], on_draw, [prompt, *asked], [controls.seed, *stands], **may_refuse),
        canvas.example(on_example, asked, [prompt, controls.seed, *stands], **may_refuse),
    ]
    runs = []
    for event in begun:
        run = event.success(drawing, desk_state, [canvas, status], **may_refuse)
        runs.append(run)
        run.then(standing, desk_state, stands, **QUIET)
        run.failure(on_no_drawing, desk_state, stands, **QUIET)
    stop.click(on_stop_drawing, desk_state, stands, cancels=runs, **QUIET)
    for shown in (canvas, gallery):
        shown.choose(on_choose, desk_state, [canvas, gallery], **may_refuse)
    starting = [start_column, start, controls.strength]
    for upload in (controls.upload, dropped):
        upload.upload(on_start, [upload, desk_state], starting, **may_refuse)
    canvas.take(on_take, desk_state, starting, **may_refuse)
    remove.click(on_remove, desk_state, starting, **QUIET)
    referred = [controls.reference, controls.forget_reference]
    controls.upload_reference.upload(on_reference, [controls.upload_reference, desk_state], referred, **may_refuse)
    controls.forget_reference.click(on_forget_reference, desk_state, referred, **QUIET)
    canvas.repeat(on_repeat, desk_state, [prompt, *controls.inputs], **may_refuse)
    controls.restore.upload(on_restore, controls.restore, [prompt, *controls.inputs], **may_refuse)
    controls.model.change(on_model, controls.model, [controls.about, chips, controls.reference_group], **may_refuse)
    visits.wire("image", desk_state, standing, stands, asked_for, [*starting, *referred, prompt])
    endpoint(engine, ImageRequest, "image")


def named(data: gr.EventData) -> str:
    """What a press on the canvas or in the gallery was about."""
    return str(data._data.get("value", "")) if isinstance(data._data, dict) else ""
