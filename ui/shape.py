"""The 3D tab: a thing comes out of the noise on a turntable, and then is a mesh to turn, to print and to take away.

What has been made lives in the session on the server (ui/shape_run.py, ui/shape_work.py); the page only shows it.
Detail, smoothing and the view are of the mesh: they make another of the same grid, without the model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import gradio as gr
from gradio.context import Context

from pipelines.engine import Engine
from pipelines.errors import BadRequest
from pipelines.shape_request import ShapeRequest
from pipelines.spec import ModelSpec
from ui import explain, fields, seeds, shape_view, states
from ui.models import describe, option
from ui.shape_run import Making, Paces, View, Workshop
from ui.shape_work import Thing
from ui.visits import Visits
from ui.wire import QUIET, endpoint, refusal, refusals, refusing, request_from, user_of

TITLE = "3D"

EXAMPLES = (
    "a yellow rubber duck",
    "a wooden chair with four legs",
    "a red and white lighthouse",
    "a blue teapot",
    "a golden robot",
    "a purple mushroom",
)
VIEWS: list[tuple[str, View]] = [("Surface", "surface"), ("Points", "points")]
FROM_ABOVE = (60, 68, 2.1)  # degrees around and down from the top, and how far away: a thing's longest side is 1
# The viewer is told what to show when it is there, and once: told with its column, or twice while its script is still
# being fetched, gradio 6.31's forgets it. The second is for visitors who come back: it waits
# until the tab is opened, and ends there where nothing is finished, or it would tell a second time.
WHEN_THERE = """(state) => new Promise((done) => {
  const there = () => document.querySelector("#pm-shape-solid");
  const over = () => document.querySelector('#pm-shape-sheet [data-kind="over"]');
  const look = (times) =>
    there() || times > 600 || (times > 10 && !over()) ? done([state]) : setTimeout(look, 100, times + 1);
  look(0);
})"""
WHEN_OPENED = """(state) => new Promise((done) => {
  const known = () => document.querySelector("#pm-shape-make:not(:disabled), #pm-shape-stop");
  const there = () => document.querySelector("#pm-shape-solid");
  const over = () => document.querySelector('#pm-shape-sheet [data-kind="over"]');
  const look = () => (known() && (there() || !over()) ? done([state]) : setTimeout(look, 200));
  look();
})"""
ONE_AT_A_TIME: dict[str, Any] = {**QUIET, "queue": True, "concurrency_limit": 1, "concurrency_id": "shape-work"}
"""For what computes outside of the engine's turns."""


def build(engine: Engine) -> None:
    """Lay the tab out and wire it."""
    models = engine.registry.of("shape")
    if not models:
        gr.HTML("<p>There is no 3D model here.</p>", apply_default_css=False)
        return
    visits: Visits[Workshop] = Visits()
    paces = Paces()
    workshop_state = gr.State(Workshop(), delete_callback=visits.leave)
    with gr.Row(elem_classes="pm-workspace"):
        with gr.Column(scale=3, min_width=320, elem_classes="pm-stage"):
            with gr.Row(elem_classes="pm-prompt", equal_height=True):
                prompt = gr.Textbox(
                    placeholder="Describe a thing",
                    label="Prompt",
                    show_label=False,
                    lines=1,
                    max_lines=4,
                    scale=8,
                    elem_id="pm-shape-prompt",
                    container=False,
                )
                make = gr.Button(  # not before the page knows whose things these are
                    "Make", variant="primary", scale=0, min_width=96, interactive=False, elem_id="pm-shape-make"
                )
                stop = gr.Button("Stop", variant="stop", scale=0, min_width=96, visible=False, elem_id="pm-shape-stop")
            with gr.Row(elem_classes="pm-chips"):
                chips = [(gr.Button(text, size="sm", scale=0, min_width=0), text) for text in EXAMPLES]
            status = gr.HTML(states.idle(), elem_id="pm-shape-status", apply_default_css=False)
            with gr.Column(visible=False, elem_classes="pm-shape-viewer") as viewer:
                solid = gr.Model3D(
                    label="The finished thing: drag to turn it, scroll to come nearer",
                    interactive=False,
                    height=520,
                    camera_position=FROM_ABOVE,
                    elem_id="pm-shape-solid",
                )
                with gr.Row(elem_classes="pm-shape-tools"):
                    view = gr.Radio(VIEWS, value="surface", label="View", scale=0, min_width=230)
                    detail = _slider("detail", "Detail")
                    smoothing = _slider("smoothing", "Smoothing")
                film = gr.Button("Film the turntable", size="sm", scale=0, elem_id="pm-shape-film")
            sheet = gr.HTML(shape_view.empty(), elem_id="pm-shape-sheet", apply_default_css=False)
        with gr.Column(scale=1, min_width=280, elem_classes="pm-side"):
            model = gr.Dropdown(
                [(option(engine, spec), spec.id) for spec in models], value=models[0].id, label="Model"
            )
            about = gr.HTML(describe(engine, models[0]), apply_default_css=False)
            image = gr.File(
                file_types=["image"],
                type="binary",
                label="A picture of it",
                height=120,
                visible=takes_pictures(models[0]),
                elem_id="pm-shape-image",
            )
            named = {"model": model, "image": image, "detail": detail, "smoothing": smoothing, **_settings()}
    explain.what_you_are_seeing(
        "A distance for every point in space",
        (
            "A thing is a grid of 48 x 48 x 48 distances to its surface, less than nothing inside, with colours: "
            "152,064 numbers. A linear code packs them into a latent grid of 8 x 8 x 8 cells with 32 numbers each.",
            "The built-in model starts with the nearest of 1,440 shapes, with three tenths of noise. At each step "
            "a transformer predicts the clean numbers behind it, from your words; you see what they stand for.",
            "At last smeared colours become the few paints they stand for, and what floats is joined to the rest. "
            "Marching cubes then lays triangles where the distance is nothing: the surface. Detail and smoothing "
            "change the triangles, and never ask the model again.",
        ),
    )

    def on_make(text: str, workshop: Workshop, *values: Any) -> tuple[Any, ...]:
        """Take a request, if it makes sense; else nothing changes and nothing is lost."""
        if workshop.busy:
            raise refusal("A thing is being made. Wait for it, or stop it first.")
        given = {"prompt": text.strip(), **dict(zip(named, values, strict=True))}
        seeds.draw(given)
        with refusals():
            spec = engine.registry[str(given["model"])]
            if not takes_pictures(spec):
                given["image"] = None
            if not given["prompt"] and given["image"] is None:
                raise BadRequest("Write what it should be, or press one of the examples under the prompt.")
        request = request_from(ShapeRequest, given | {"guidance": given["guidance"] or None})
        assert isinstance(request, ShapeRequest)
        workshop.begin(Making(request, paces), request.steps or spec.limits.get("steps", 0))
        return request.seed, None, *shaping_stands(workshop)  # the viewer forgets: what it knows is nothing new to it

    async def shaping(http: gr.Request, workshop: Workshop) -> AsyncIterator[tuple[str, str]]:
        async with aclosing(workshop.played(engine, user_of(http))) as news:
            async for _ in news:
                yield workshop.sheet, workshop.line

    def shaping_stands(workshop: Workshop) -> tuple[Any, ...]:
        """How things stand. Also after a run: what it streamed can overtake, on the page, what ended it."""
        busy, thing = workshop.busy, workshop.thing
        filmed = thing is not None and thing.clip is not None
        made = gr.Button(visible=not busy, interactive=True)
        buttons = made, gr.Button(visible=busy), gr.Button(visible=not filmed)
        return *buttons, gr.Column(visible=thing is not None), workshop.sheet, workshop.line

    def shown_model(workshop: Workshop) -> str | None:
        return workshop.model

    def asked_for(workshop: Workshop) -> tuple[Any, ...]:
        """What a visitor who comes back had asked for."""
        if (making := workshop.making) is None:
            return tuple(gr.skip() for _ in asked)
        mesh = workshop.thing.meshed if workshop.thing else making
        return workshop.prompt, mesh.detail, mesh.smoothing, workshop.view, seeds.of(workshop)

    def on_no_shaping(workshop: Workshop) -> tuple[Any, ...]:
        if workshop.busy:  # it never came to a run: gradio's queue is full
            workshop.end()
            workshop.line = states.failed("This could not be started. Press Make again.")
        return shaping_stands(workshop)

    def on_stop_shaping(workshop: Workshop) -> tuple[Any, ...]:
        if workshop.busy:
            seen = workshop.making is not None and workshop.making.seen is not None
            workshop.halt(states.stopped("what there is of it stays here" if seen else ""))
            workshop.end()
        return shaping_stands(workshop)

    async def remeshing(workshop: Workshop, detail: int, smoothing: float) -> AsyncIterator[tuple[Any, ...]]:
        def work(thing: Thing) -> str:
            thing.remesh(detail, smoothing)
            return f"{thing.meshed.triangles:,} triangles"

        thing = workshop.thing
        if thing is None or (thing.meshed.detail, thing.meshed.smoothing) == (detail, smoothing):
            yield tuple(gr.skip() for _ in (*stands, solid))  # a slider that the page has just made says so, too
            return
        before = workshop.model
        async with aclosing(workshop.rework("Making another mesh", work)) as news:
            async for _ in news:
                yield *shaping_stands(workshop), gr.skip() if workshop.model == before else workshop.model

    async def filming(workshop: Workshop) -> AsyncIterator[tuple[Any, ...]]:
        def work(thing: Thing) -> str:
            thing.film()
            return "once around, under the thing"

        async with aclosing(workshop.rework("Filming the turntable", work)) as news:
            async for _ in news:
                yield shaping_stands(workshop)

    def on_view(chosen: View, workshop: Workshop) -> Any:
        """The other view."""
        if chosen == workshop.view:
            return gr.skip()
        workshop.view = chosen
        return workshop.model

    def on_model(choice: str) -> tuple[Any, ...]:
        with refusals():
            spec = engine.registry[choice]
        return describe(engine, spec), gr.File(visible=takes_pictures(spec))

    may_refuse = refusing(make)
    stands = [make, stop, film, viewer, sheet, status]
    asked = [prompt, detail, smoothing, view, named["seed"]]
    begun = gr.on(
        [make.click, prompt.submit],
        on_make,
        [prompt, workshop_state, *named.values()],
        [named["seed"], solid, *stands],
        **may_refuse,
    )
    run = begun.success(shaping, workshop_state, [sheet, status], **may_refuse)
    over = run.then(shaping_stands, workshop_state, stands, **QUIET)
    over.then(shown_model, workshop_state, solid, js=WHEN_THERE, **QUIET)
    run.failure(on_no_shaping, workshop_state, stands, **QUIET)
    stopped = stop.click(on_stop_shaping, workshop_state, stands, cancels=[run], **QUIET)
    seeds.follow([run, stopped], workshop_state, named)
    for slider in (detail, smoothing):
        slider.change(
            remeshing,
            [workshop_state, detail, smoothing],
            [*stands, solid],
            **ONE_AT_A_TIME,
            trigger_mode="always_last",
        )
    film.click(filming, workshop_state, stands, **ONE_AT_A_TIME)
    view.change(on_view, [view, workshop_state], solid, **QUIET)
    for chip, text in chips:
        chip.click(lambda text=text: text, None, prompt, **QUIET)
    model.change(on_model, model, [about, image], **may_refuse)
    visits.wire("shape", workshop_state, shaping_stands, stands, asked_for, asked)
    page = Context.root_block
    assert page is not None
    page.load(shown_model, workshop_state, solid, js=WHEN_OPENED, **QUIET)
    endpoint(engine, ShapeRequest, "shape")


def takes_pictures(spec: ModelSpec[Any]) -> bool:
    """Whether a model can make a thing of a picture."""
    return bool(spec.limits.get("picture"))


def _slider(name: str, label: str) -> gr.Slider:
    slider = fields.visible(ShapeRequest, name, label, info=None, min_width=150, elem_id=f"pm-shape-{name}")
    assert isinstance(slider, gr.Slider)
    return slider


def _settings() -> dict[str, Any]:
    """The side column's settings of a run, by their names in a request."""
    named: dict[str, Any] = seeds.laid_out(ShapeRequest, "pm-shape-seed")
    named["steps"] = fields.visible(ShapeRequest, "steps", "Steps", info="0: as many as the model is made for")
    named["guidance"] = fields.visible(ShapeRequest, "guidance", "Guidance", info="Empty: as the model is made for")
    return named
