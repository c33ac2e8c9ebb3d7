"""The code tab: a task about code, written into an editor, parsed while it comes, compared with what came in.

What has been written lives in the session on the server (ui/code_run.py). It is text here as everywhere: shown,
parsed, offered as a file, and never run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import gradio as gr

from pipelines.code import Coder
from pipelines.code_languages import LANGUAGES, CodeLanguage
from pipelines.code_request import CURSOR, MOST_CODE, CodeRequest
from pipelines.code_syntax import language_of
from pipelines.engine import Engine
from pipelines.spec import ModelSpec
from ui import explain, fields, keys, seeds, states
from ui.code_run import CodeDesk
from ui.models import describe, option
from ui.visits import Visits
from ui.wire import MISSING, QUIET, endpoint, refusal, refusals, refusing, request_from, user_of

TITLE = "Code"

TASKS = [
    ("Write", "write"),
    ("Complete", "complete"),
    ("Explain", "explain"),
    ("Fix", "fix"),
    ("Translate", "translate"),
    ("Test", "test"),
]
WISHES = {
    "write": "What the program should do",
    "complete": "Anything to mind (may be empty)",
    "explain": "What you want to know (may be empty)",
    "fix": "What goes wrong (may be empty)",
    "translate": "Anything to mind (may be empty)",
    "test": "What to test most of all (may be empty)",
}
MEAN = (
    "def mean(values):\n    total = 0\n    for value in values\n        total += value\n    return total / len(value)"
)
EXAMPLES = {
    "Write a function": ("write", "A function that says whether a word is a palindrome.", "", "python"),
    "Fill a gap": (
        "complete",
        "",
        f"def largest(numbers):\n    best = numbers[0]\n{CURSOR}\n    return best",
        "python",
    ),
    "Explain a line": ("explain", "", "squares = [x * x for x in range(10) if x % 2]", "python"),
    "Fix a mistake": ("fix", "", MEAN, "python"),
    "Python to JavaScript": ("translate", "", "def double(x):\n    return 2 * x\n\nprint(double(21))", "javascript"),
}
SETTINGS = {
    "temperature": "Temperature",
    "top_p": "Top-p",
    "max_new_tokens": "Longest answer (tokens)",
}
LABEL = f"Code, up to {MOST_CODE:,} characters"
LIMITS = (
    '<p class="pm-limits">The built-in model is very small, and weak at code: it may get a few simple lines right. '
    "For work, choose a coder model; the smallest takes about 2 GB.</p>"
)


def build(engine: Engine) -> None:
    """Lay the tab out and wire it."""
    models = [spec for spec in engine.registry if CodeRequest in spec.also]
    if not models:
        gr.HTML("<p>There is no model here that writes code.</p>", apply_default_css=False)
        return
    models.sort(key=lambda spec: (spec.id != _default(), spec.modality != "code"))
    visits: Visits[CodeDesk] = Visits()
    desk_state = gr.State(CodeDesk(), delete_callback=visits.leave)
    with gr.Row(elem_classes="pm-workspace"):
        with gr.Column(scale=3, min_width=320, elem_classes="pm-stage"):
            task = gr.Radio(TASKS, value="write", label="Task", show_label=False, elem_id="pm-code-task")
            instruction = gr.Textbox(
                label=WISHES["write"],
                placeholder="A function that …",
                lines=2,
                max_lines=8,  # no max_length: a browser would cut what is pasted, and not say so
                elem_id="pm-code-instruction",
            )
            code = gr.Code(
                language="python",
                label=LABEL,
                lines=6,
                max_lines=16,
                visible=False,
                interactive=True,
                wrap_lines=True,
                buttons=[],
                elem_id="pm-code-input",
            )
            with gr.Row(elem_classes="pm-actions"):
                go = gr.Button(
                    "Start", variant="primary", scale=0, min_width=120, elem_id="pm-code-go", elem_classes=keys.GO
                )
                stop = gr.Button("Stop", variant="stop", scale=0, min_width=120, visible=False, elem_id="pm-code-stop")
            with gr.Row(elem_classes="pm-chips"):
                chips = [(gr.Button(title, size="sm", scale=0, min_width=0), what) for title, what in EXAMPLES.items()]
            status = keys.status("pm-code-status")
            result = gr.Code(
                language="python",
                label="Result",
                interactive=False,
                visible=False,
                wrap_lines=True,
                max_lines=30,
                buttons=["copy"],
                elem_id="pm-code-result",
            )
            report = gr.HTML(CodeDesk().shown()[2], elem_id="pm-code-report", apply_default_css=False, js_on_load=None)
            words = gr.Markdown(elem_id="pm-code-words", visible=False)
            with gr.Row(elem_classes="pm-actions"):
                use = gr.Button("Go on with this code", size="sm", scale=0, min_width=180, visible=False)
        with gr.Column(scale=1, min_width=280, elem_classes="pm-side"):
            languages = [(facts.title, name) for name, facts in LANGUAGES.items()]
            language = gr.Dropdown(languages, value="python", label="Language", elem_id="pm-code-language")
            model = gr.Dropdown(
                [(option(engine, spec), spec.id) for spec in models], value=models[0].id, label="Model"
            )
            about = gr.HTML(_about(engine, models[0]), apply_default_css=False)
            with gr.Accordion("Settings", open=False):
                knobs = {name: fields.visible(CodeRequest, name, label) for name, label in SETTINGS.items()}
                knobs |= seeds.laid_out(CodeRequest, "pm-code-seed")
    explain.what_you_are_seeing(
        "A model that has read code, and a parser that knows it",
        (
            "To a language model code is text like any other: it writes the next piece from what is likely after all "
            "that stands there, and runs nothing to find out whether it works. A small one's answer is begun for it, "
            "with a code block, or it would often only talk of code.",
            "The line under the code comes from a parser, which knows the grammar and not the purpose: code that it "
            "accepts can still do the wrong thing.",
            "Coder models learned to fill gaps too: they are shown what is before and after one, with marks between, "
            "and write what belongs there; put <cursor> where the gap is.",
        ),
    )
    named = {"task": task, "instruction": instruction, "code": code, "language": language, "model": model}
    asked = [desk_state, *named.values(), *knobs.values()]

    def on_code(desk: CodeDesk, *values: Any) -> tuple[Any, ...]:
        """Take a request, if it makes sense; else nothing changes and nothing is lost."""
        if desk.busy:
            raise refusal("Code is being written. Wait for it, or stop it first.")
        given = dict(zip((*named, *knobs), values, strict=True))
        seeds.draw(given)
        if given["task"] == "write":
            given["code"] = ""
            if not given["instruction"].strip():
                raise refusal("Say what the program should do first.", MISSING)
        elif not (given["code"] or "").strip():
            raise refusal("Paste some code first.", MISSING)
        request = request_from(CodeRequest, {**given, "code": given["code"] or ""})
        assert isinstance(request, CodeRequest)
        with refusals():
            desk.begin(request, _coder(engine, request))
        return request.seed, *code_stands(desk)

    async def coding(http: gr.Request, desk: CodeDesk) -> AsyncIterator[tuple[str, str, str, str]]:
        async with aclosing(desk.played(engine, user_of(http))) as news:
            async for _ in news:
                made, said, told = desk.shown()
                yield made, told, said, desk.line

    def code_stands(desk: CodeDesk) -> tuple[Any, ...]:
        """How things stand. Also after a run: what it streamed can overtake, on the page, what ended it."""
        made, said, told = desk.shown()
        buttons = gr.Button(visible=not desk.busy), gr.Button(visible=desk.busy)
        around = gr.Markdown(said, visible=desk.coding is not None)
        return *buttons, desk.editor(), told, around, desk.line, gr.Button(visible=bool(made) and not desk.busy)

    def on_no_code(desk: CodeDesk) -> tuple[Any, ...]:
        if desk.busy:  # it never came to a run: gradio's queue is full
            desk.end()
            desk.line = states.failed("This could not be started. Press Start again.")
        return code_stands(desk)

    def on_stop_code(desk: CodeDesk) -> tuple[Any, ...]:
        if desk.busy:
            desk.stop()
        return code_stands(desk)

    def on_code_task(choice: str) -> tuple[Any, ...]:
        gap = "; <cursor> is the gap" if choice == "complete" else ""
        return (
            gr.Textbox(label=WISHES[choice], placeholder="A function that …" if choice == "write" else ""),
            gr.Code(visible=choice != "write", label=LABEL + gap),
            gr.Dropdown(label="Translate into" if choice == "translate" else "Language"),
        )

    def on_colours(choice: str, given: str | None, into: CodeLanguage) -> dict[str, Any]:
        """The visitor's code in the colours of its language; what is to be translated is not in the chosen one."""
        found = language_of((given or "")[:MOST_CODE], "python") if choice == "translate" else into
        return gr.update(language=LANGUAGES[found].editor if found else None)

    def on_use(desk: CodeDesk) -> tuple[str, str]:
        return "fix", desk.shown()[0]

    def was_asked(desk: CodeDesk) -> tuple[Any, ...]:
        """What the visitor had asked for, for the fields."""
        if desk.request is None:
            return tuple(gr.skip() for _ in (*named, "seed"))
        return *(getattr(desk.request, name) for name in named), seeds.of(desk)

    may_refuse = refusing(go)
    stands = [go, stop, result, report, words, status, use]
    begun = go.click(on_code, asked, [knobs["seed"], *stands], **may_refuse)
    run = begun.success(coding, desk_state, [result, report, words, status], **may_refuse)
    run.then(code_stands, desk_state, stands, **QUIET)
    run.failure(on_no_code, desk_state, stands, **QUIET)
    stopped = stop.click(on_stop_code, desk_state, stands, cancels=[run], **QUIET)
    seeds.follow([run, stopped], desk_state, knobs)
    task.change(on_code_task, task, [instruction, code, language], **QUIET)
    use.click(on_use, desk_state, [task, code], **QUIET)
    for chip, example in chips:
        chip.click(lambda found=example: found, None, [task, instruction, code, language], **QUIET)
    for asks in (language.change, task.change, code.blur):
        asks(on_colours, [task, code, language], code, **QUIET)
    model.change(lambda choice: _about(engine, engine.registry[choice]), model, about, **QUIET)
    visits.wire("code", desk_state, code_stands, stands, was_asked, [*named.values(), knobs["seed"]])
    endpoint(engine, CodeRequest, "code")


def _default() -> str:
    return str(CodeRequest.model_fields["model"].default)


def _coder(engine: Engine, request: CodeRequest) -> Coder:
    """How this model is asked about code; one that is asked otherwise is refused when its job is submitted."""
    made_by = engine.registry[request.model].also.get(CodeRequest)
    return made_by if isinstance(made_by, Coder) else Coder()


def _about(engine: Engine, spec: ModelSpec[Any]) -> str:
    return describe(engine, spec) + (LIMITS if spec.id == _default() else "")
