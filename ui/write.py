"""The write tab: everyday tasks with a text, each a prompt over chat that can be read and changed.

What has been written lives in the session on the server (ui/write_run.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import gradio as gr

from pipelines.engine import Engine
from pipelines.errors import PolymuseError
from pipelines.spec import ModelSpec, validate
from pipelines.tasks_request import MOST_TEXT, TaskRequest, preset
from ui import explain, fields, keys, seeds, states
from ui.models import describe, option
from ui.visits import Visits
from ui.wire import MISSING, QUIET, endpoint, refusal, refusing, request_from, user_of
from ui.write_run import Page

TITLE = "Write"

TASKS = [
    ("Write", "write"),
    ("Summarise", "summarise"),
    ("Translate", "translate"),
    ("Rewrite", "rewrite"),
    ("Answer from a text", "answer"),
]
WISHES = {
    "write": "What to write",
    "summarise": "Anything to mind (may be empty)",
    "translate": "Anything to mind (may be empty)",
    "rewrite": "Anything to mind (may be empty)",
    "answer": "Question",
}
LANGUAGES = [
    "English",
    "French",
    "German",
    "Spanish",
    "Italian",
    "Portuguese",
    "Dutch",
    "Polish",
    "Chinese",
    "Japanese",
]
BEES = (
    "Honey bees tell each other where to find flowers by dancing. A bee that comes home with nectar runs in a "
    "straight line on the comb, shaking her body, then circles back and runs again. The direction of the run shows "
    "the direction of the flowers, measured from the sun: straight up means towards the sun. The longer she shakes, "
    "the farther away they are. Other bees follow her in the dark, feel the dance with their antennae, and fly out to "
    "the place that they have never seen. Karl von Frisch, an Austrian scientist, found this out in the 1940s, and "
    "received a Nobel Prize for it in 1973."
)
MAIL = "hey, cant make it tmrw, car broke down again!! can we do thurs instead? sorry"
EXAMPLES = {
    "Write a thank-you note": ("write", "A thank-you note to a neighbour who fed my cat.", "", "as it is"),
    "Summarise a text": ("summarise", "", BEES, "as it is"),
    "Make a message formal": ("rewrite", "", MAIL, "formal"),
    "Ask a text": ("answer", "Who found out that bees dance?", BEES, "as it is"),
}
NEEDED = {"write": "Say what to write first.", "answer": "Ask a question about the text first."}
CHOICES = {"tone": "Tone", "length": "Length", "level": "For"}
FITTING = {
    "write": ("tone", "length", "level"),
    "summarise": ("tone", "length", "level"),
    "translate": ("language",),
    "rewrite": ("tone", "length", "level"),
    "answer": ("length", "level"),
}
SETTINGS = {
    "temperature": "Temperature",
    "top_p": "Top-p",
    "max_new_tokens": "Longest answer (tokens), of each part",
}
LIMITS = {
    "": "The built-in model is very small. It writes simple English; it leaves things out, and makes things up.",
    "translate": "The built-in model knows hardly any language but English: what it translates is mostly wrong.",
    "answer": "The built-in model finds plain facts in a short text, and makes up the rest: compare with the text.",
}


def build(engine: Engine) -> None:
    """Lay the tab out and wire it."""
    models = [spec for spec in engine.registry.of("chat") if TaskRequest in spec.also]
    if not models:
        gr.HTML("<p>There is no model here that writes.</p>", apply_default_css=False)
        return
    most = models[0].limits.get("characters", MOST_TEXT)
    first = _preset({"task": "summarise", "instruction": ""})
    visits: Visits[Page] = Visits()
    page_state = gr.State(Page(), delete_callback=visits.leave)
    offered_state = gr.State(
        first
    )  # the prompt that this page put into its field: one that differs is the visitor's own
    with gr.Row(elem_classes="pm-workspace"):
        with gr.Column(scale=3, min_width=320, elem_classes="pm-stage"):
            task = gr.Radio(TASKS, value="summarise", label="Task", show_label=False, elem_id="pm-write-task")
            text = gr.Textbox(
                placeholder="Paste a text",
                label=f"Text, up to {most:,} characters",
                lines=6,
                max_lines=14,  # no max_length: a browser would cut what is pasted, and not say so
                elem_id="pm-write-text",
            )
            instruction = gr.Textbox(label=WISHES["summarise"], lines=1, max_lines=6, elem_id="pm-write-instruction")
            with gr.Row(elem_classes="pm-actions"):
                go = gr.Button(
                    "Start", variant="primary", scale=0, min_width=120, elem_id="pm-write-go", elem_classes=keys.GO
                )
                stop = gr.Button(
                    "Stop", variant="stop", scale=0, min_width=120, visible=False, elem_id="pm-write-stop"
                )
            with gr.Row(elem_classes="pm-chips"):
                chips = [(gr.Button(title, size="sm", scale=0, min_width=0), what) for title, what in EXAMPLES.items()]
            status = keys.status("pm-write-status")
            result = gr.Markdown(elem_id="pm-write-result", buttons=["copy"], visible=False)
            parts = gr.HTML(Page().shown()[1], elem_id="pm-write-parts", apply_default_css=False, js_on_load=None)
        with gr.Column(scale=1, min_width=280, elem_classes="pm-side"):
            language = gr.Dropdown(
                LANGUAGES, value="French", label="Translate into", allow_custom_value=True, visible=False
            )
            choices = {name: _menu(name, label) for name, label in CHOICES.items()}
            with gr.Accordion("The prompt", open=False, elem_id="pm-write-prompt"):
                prompt = gr.Textbox(
                    value=first,
                    label="What the model is told",
                    info="{text} is the text. Change it as you like",
                    lines=4,
                    max_lines=14,
                )
            model = gr.Dropdown(
                [(option(engine, spec), spec.id) for spec in models], value=models[0].id, label="Model"
            )
            about = gr.HTML(_about(engine, models[0], "summarise"), apply_default_css=False)
            with gr.Accordion("Settings", open=False):
                knobs = {name: fields.visible(TaskRequest, name, label) for name, label in SETTINGS.items()}
                knobs |= seeds.laid_out(TaskRequest, "pm-write-seed")
    explain.what_you_are_seeing(
        "One model, many tasks",
        (
            "There is no machine for summaries and another for letters: each task is a few sentences put before your "
            "text, the prompt, and the model goes on from there. Open it and change it.",
            "A model reads only so much at once, its context. A longer text is cut into parts, each is summarised, "
            "and the summaries are put together and summarised again.",
            "For a question about a long text, the passages that share most words with it are picked out first, so "
            "that the model reads what matters; what it says should still be looked up.",
        ),
    )
    wished = {"task": task, "instruction": instruction, "text": text, "language": language, **choices}
    named = {**wished, "prompt": prompt, "model": model}
    asked = [page_state, offered_state, *named.values(), *knobs.values()]

    def on_write(page: Page, offered: str, *values: Any) -> tuple[Any, ...]:
        """Take a request, if it makes sense; else nothing changes and nothing is lost."""
        if page.busy:
            raise refusal("Something is being written. Wait for it, or stop it first.")
        given = dict(zip((*named, *knobs), values, strict=True))
        seeds.draw(given)
        if given["prompt"].strip() == offered.strip():  # it may be behind what was chosen since
            given["prompt"] = ""
        if given["task"] in NEEDED and not (given["instruction"] + given["prompt"]).strip():
            raise refusal(NEEDED[given["task"]], MISSING)
        if given["task"] != "write" and not given["text"].strip():
            raise refusal("Paste a text first.", MISSING)
        if len(given["text"]) > most:
            long = f"This text has {len(given['text']):,} characters; it may have up to {most:,}."
            raise refusal(f"{long} Shorten it, or give it in pieces.", "That is too long")
        request = request_from(TaskRequest, given)
        assert isinstance(request, TaskRequest)
        page.begin(request)
        return request.seed, *write_stands(page)

    async def writing(http: gr.Request, page: Page) -> AsyncIterator[tuple[Any, str, str]]:
        async with aclosing(page.played(engine, user_of(http))) as news:
            async for _ in news:
                yield *page.shown(), page.line

    def write_stands(page: Page) -> tuple[Any, ...]:
        """How things stand. Also after a run: what it streamed can overtake, on the page, what ended it."""
        made, told = page.shown()
        there = gr.Markdown(made, visible=page.writing is not None)
        return gr.Button(visible=not page.busy), gr.Button(visible=page.busy), there, told, page.line

    def on_no_writing(page: Page) -> tuple[Any, ...]:
        if page.busy:  # it never came to a run: gradio's queue is full
            page.end()
            page.line = states.failed("This could not be started. Press Start again.")
        return write_stands(page)

    def on_stop_writing(page: Page) -> tuple[Any, ...]:
        if page.busy:
            page.stop()
        return write_stands(page)

    def on_task(choice: str, chosen: str) -> tuple[Any, ...]:
        fitting = FITTING[choice]
        free = choice == "write"
        kind = "Notes to use (may be empty)" if free else "Text"
        return (
            gr.Textbox(label=WISHES[choice], lines=3 if free else 1),
            gr.Textbox(label=f"{kind}, up to {most:,} characters", lines=2 if free else 6),
            gr.Dropdown(visible="language" in fitting),
            *(gr.Dropdown(visible=name in fitting) for name in choices),
            _about(engine, engine.registry[chosen], choice),
        )

    def on_wish(offered: str, now: str, *values: Any) -> tuple[Any, Any]:
        """Another prompt, unless the visitor has written one, for the field and to be known again."""
        if now.strip() != offered.strip():
            return gr.skip(), gr.skip()
        told = _preset(dict(zip(wished, values, strict=True))) or gr.skip()  # Start says what is wrong
        return told, told

    def was_wished(page: Page) -> tuple[Any, ...]:
        """What the visitor had asked for, for the fields, and the prompt that it would be by itself."""
        if (request := page.request) is None:
            return tuple(gr.skip() for _ in (*named, offered_state, "seed"))
        offered = preset(request)
        told = {name: getattr(request, name) for name in named} | {"prompt": request.prompt or offered}
        return *told.values(), offered, seeds.of(page)

    may_refuse = refusing(go)
    stands = [go, stop, result, parts, status]
    begun = go.click(on_write, asked, [knobs["seed"], *stands], **may_refuse)
    run = begun.success(writing, page_state, [result, parts, status], **may_refuse)
    run.then(write_stands, page_state, stands, **QUIET)
    run.failure(on_no_writing, page_state, stands, **QUIET)
    stopped = stop.click(on_stop_writing, page_state, stands, cancels=[run], **QUIET)
    seeds.follow([run, stopped], page_state, knobs)
    task.change(on_task, [task, model], [instruction, text, language, *choices.values(), about], **QUIET)
    changes = [task.change, language.change, *(one.change for one in choices.values())]
    wishes = [offered_state, prompt, *wished.values()]
    gr.on([*changes, instruction.blur], on_wish, wishes, [prompt, offered_state], **QUIET)
    for chip, example in chips:
        chip.click(lambda found=example: found, None, [task, instruction, text, choices["tone"]], **QUIET)
    model.change(lambda name, chosen: _about(engine, engine.registry[name], chosen), [model, task], about, **QUIET)
    visits.wire("write", page_state, write_stands, stands, was_wished, [*named.values(), offered_state, knobs["seed"]])
    endpoint(engine, TaskRequest, "write")


def _menu(name: str, label: str) -> gr.Dropdown:
    menu = fields.visible(TaskRequest, name, label, info=None)
    assert isinstance(menu, gr.Dropdown)
    return menu


def _preset(wishes: dict[str, Any]) -> str:
    """The prompt for these wishes, also while they are not complete; "" if they make no sense."""
    needed = {"instruction": wishes["instruction"] or "…", "text": "…"}
    try:
        request = validate(TaskRequest, wishes | needed)
    except PolymuseError:
        return ""
    unneeded = {} if request.task in ("write", "answer") else {"instruction": wishes["instruction"]}
    unneeded |= {"text": wishes.get("text", "").strip() and "…"} if request.task == "write" else {}
    return preset(request.model_copy(update=unneeded))


def _about(engine: Engine, spec: ModelSpec[Any], task: str) -> str:
    limits = LIMITS.get(task, LIMITS[""]) if spec.id == TaskRequest.model_fields["model"].default else ""
    return describe(engine, spec) + (f'<p class="pm-limits">{limits}</p>' if limits else "")
