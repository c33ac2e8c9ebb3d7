"""The music tab: a piece is composed note by note, on a piano roll, and heard while the rest is still being written.

What has been composed lives in the session on the server (ui/music_run.py); the player in the page plays it
(assets/player.js), and the roll shows it (assets/music.js).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import gradio as gr

from pipelines.engine import Engine
from pipelines.music_instruments import GROUPS, NAMES, PLAYABLE
from pipelines.music_request import METRES, MOST_PLAYERS, MusicRequest
from pipelines.music_score import TONICS
from pipelines.music_styles import STYLES
from ui import explain, fields, keys, seeds, states
from ui.models import describe, option
from ui.music_run import Studio
from ui.player import player
from ui.theme import ASSETS
from ui.visits import Visits
from ui.wire import QUIET, endpoint, refusal, refusing, request_from, user_of

TITLE = "Music"

RATE = 48_000  # of the built-in synthesiser
CUSHION_S = 4.0  # where composing is slower than hearing
ROLL = """
<p class="pm-chosen" aria-label="What was chosen"></p>
<div class="pm-roll">
  <canvas class="pm-keys" aria-hidden="true"></canvas>
  <div class="pm-sheet" tabindex="0" role="group" aria-label="Piano roll; arrow keys move it">
    <div><canvas role="img" aria-label="No notes yet"></canvas><span class="pm-playhead" hidden></span></div>
  </div>
  <p class="pm-roll-empty">Notes appear here as they are written. Click on them to hear it from there.</p>
</div>
"""

EXAMPLES = {
    "Folk tune": "a calm minor folk tune for flute and guitar, 90 bpm",
    "Chorale": "a solemn chorale for church organ in D minor",
    "String quartet": "a slow hymn for string quartet, 8 bars",
    "Jig": "a merry Irish jig for fiddle and accordion in G major",
    "Reel": "a wild reel for fiddle and tin whistle",
    "March": "soldiers on parade, for piccolo",
    "Lullaby": "a lullaby for harp, very slow",
}
FROM_PROMPT = ("From the prompt", "")
USES = [("Go on from it", "continue"), ("Set it for four voices", "harmonise")]


def build(engine: Engine) -> None:
    """Lay the tab out and wire it."""
    models = engine.registry.of("music")
    if not models:
        gr.HTML("<p>There is no music model here.</p>", apply_default_css=False)
        return
    visits: Visits[Studio] = Visits()
    studio_state = gr.State(Studio(), delete_callback=visits.leave)
    with gr.Row(elem_classes="pm-workspace"):
        with gr.Column(scale=3, min_width=320, elem_classes="pm-stage"):
            prompt = gr.Textbox(
                placeholder="Describe a piece of music",
                label="Prompt",
                lines=2,
                max_lines=4,
                elem_id="pm-music-prompt",
            )
            with gr.Row(elem_classes="pm-actions"):
                compose = gr.Button(
                    "Compose",
                    variant="primary",
                    scale=0,
                    min_width=120,
                    elem_id="pm-music-compose",
                    elem_classes=keys.GO,
                )
                stop = gr.Button(
                    "Stop", variant="stop", scale=0, min_width=120, visible=False, elem_id="pm-music-stop"
                )
                keep = gr.Button("Keep settings", scale=0, min_width=160, visible=False, elem_id="pm-music-keep")
            with gr.Row(elem_classes="pm-chips"):
                chips = [(gr.Button(title, size="sm", scale=0, min_width=0), text) for title, text in EXAMPLES.items()]
            status = keys.status("pm-music-status")
            heard = player(
                Studio().shown(),
                "pm-music-player",
                ROLL,
                RATE,
                ("pm-music-compose",),
                CUSHION_S,
                ASSETS / "music.js",
            )
        with gr.Column(scale=1, min_width=280, elem_classes="pm-side"):
            named = _column()
            model = named["model"] = gr.Dropdown(
                [(option(engine, spec), spec.id) for spec in models], value=models[0].id, label="Model"
            )
            about = gr.HTML(describe(engine, models[0]), apply_default_css=False)
    explain.what_you_are_seeing(
        "A piece that is guessed note by note",
        (
            "The model has read thousands of old tunes and chorales, and learned one thing: given all notes so far, "
            "which note comes next, and how long it lasts, as a language model guesses the next word. Each stripe on "
            "the roll is one such guess: time goes to the right, pitch upwards, and every voice has its colour.",
            "Your words only set the stage: a sentence encoder finds the style, the mood and the instruments that "
            "are nearest in meaning, and the key, the metre and the tempo are read where you name them.",
            "Chance decides between notes that are likely; temperature says how much of it there is, and the same "
            "seed throws the same dice again. A synthesiser then plays recorded instruments from the notes.",
        ),
    )

    def on_compose(text: str, studio: Studio, *values: Any) -> tuple[Any, ...]:
        if studio.state == "live":
            raise refusal("A piece is being composed. Wait for it, or stop it first.")
        given = {"prompt": text, **dict(zip(named, values, strict=True))}
        seeds.draw(given)
        request = request_from(MusicRequest, given)
        assert isinstance(request, MusicRequest)
        studio.begin(request)
        return request.seed, *music_as_it_stands(studio)

    async def composing(http: gr.Request, studio: Studio) -> AsyncIterator[tuple[dict[str, Any], str]]:
        async with aclosing(studio.played(engine, user_of(http))) as news:
            async for _ in news:
                yield studio.shown(), studio.line

    def music_as_it_stands(studio: Studio) -> tuple[Any, ...]:
        """How things stand. Also after a run: what it streamed can overtake, on the page, what ended it."""
        busy = studio.state == "live"
        chosen = studio.piece is not None and bool(studio.piece.settings) and not busy
        buttons = gr.Button(visible=not busy), gr.Button(visible=busy), gr.Button(visible=chosen)
        return *buttons, studio.shown(), studio.line

    def asked_for(studio: Studio) -> tuple[Any, ...]:
        return gr.skip() if studio.piece is None else studio.piece.request.prompt, seeds.of(studio)

    def on_no_composing(studio: Studio) -> tuple[Any, ...]:
        if studio.state == "live":  # it never came to a run: gradio's queue is full
            studio.end()
            studio.line = states.failed("This could not be started. Press Compose again.")
        return music_as_it_stands(studio)

    def on_stop_composing(studio: Studio) -> tuple[Any, ...]:
        if studio.state == "live":
            studio.stop()
        return music_as_it_stands(studio)

    def on_keep(studio: Studio) -> list[Any]:
        found = {} if studio.piece is None else studio.piece.settings | {"random_seed": False}
        return [found.get(name, gr.skip()) for name in named]

    may_refuse = refusing(compose)
    stands = [compose, stop, keep, heard, status]
    columns = list(named.values())
    begun = gr.on(
        [compose.click, prompt.submit],
        on_compose,
        [prompt, studio_state, *columns],
        [named["seed"], *stands],
        **may_refuse,
    )
    run = begun.success(composing, studio_state, [heard, status], **may_refuse)
    run.then(music_as_it_stands, studio_state, stands, **QUIET)
    run.failure(on_no_composing, studio_state, stands, **QUIET)
    stopped = stop.click(on_stop_composing, studio_state, stands, cancels=[run], **QUIET)
    seeds.follow([run, stopped], studio_state, named)
    keep.click(on_keep, studio_state, columns, **QUIET)
    for chip, text in chips:
        chip.click(lambda text=text: text, None, prompt, **QUIET)
    model.change(lambda choice: describe(engine, engine.registry[choice]), model, about, **QUIET)
    visits.wire("music", studio_state, music_as_it_stands, stands, asked_for, [prompt, named["seed"]])
    endpoint(engine, MusicRequest, "music")


def _column() -> dict[str, Any]:
    """The side column's settings, by their names in a request; all but the last few may be left to the prompt."""
    named: dict[str, Any] = {}
    styles = [FROM_PROMPT, *((style.title, style.id) for style in STYLES.values())]
    named["style"] = gr.Dropdown(styles, value="", label="Style", elem_id="pm-music-style")
    keys = [f"{tonic} {mode}" for mode in ("major", "minor") for tonic in TONICS]
    named["key"] = gr.Dropdown([FROM_PROMPT, *((key, key) for key in keys)], value="", label="Key")
    metres = [FROM_PROMPT, *((metre, metre) for metre in METRES)]
    named["metre"] = gr.Dropdown(metres, value="", label="Metre")
    named["instruments"] = gr.Dropdown(
        [*GROUPS, *(NAMES[number] for number in PLAYABLE)],
        value=[],
        multiselect=True,
        max_choices=MOST_PLAYERS,
        label="Instruments",
        info="None: from the prompt",
        elem_id="pm-music-instruments",
    )
    named["tempo"] = fields.visible(MusicRequest, "tempo", "Tempo", info="Quarter notes per minute; 0: as prompted")
    named["bars"] = fields.visible(MusicRequest, "bars", "Bars", info="0: as prompted")
    named["temperature"] = fields.visible(MusicRequest, "temperature", "Temperature")
    named |= seeds.laid_out(MusicRequest, "pm-music-seed")
    with gr.Accordion("Start from a melody", open=False):
        named["melody"] = gr.File(
            file_types=[".mid", ".midi"], type="binary", label="A MIDI file", height=120, elem_id="pm-music-melody"
        )
        named["melody_use"] = gr.Radio(USES, value="continue", label="What to do with it")
    return named
