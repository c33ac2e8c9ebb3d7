"""The enhance tab: a recording is made clean, and compared with what it was.

What has been made lives in the session on the server (ui/enhance_run.py); the player in the page switches between
before and after without a gap (assets/enhance.js).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.engine import Engine
from pipelines.enhance_request import EnhanceRequest
from pipelines.enhance_tone import PRESETS, Preset
from pipelines.sound_in import MOST_SECONDS
from ui import explain, fields, states
from ui.enhance_run import EMPTY, Booth
from ui.models import describe, option
from ui.player import TOGGLE
from ui.theme import ASSETS
from ui.visits import Visits
from ui.wire import MISSING, QUIET, endpoint, refusal, refusing, request_from, user_of

TITLE = "Enhance"

PLAYER = ASSETS / "enhance.js"
EXAMPLE = ASSETS / "enhance-example.flac"
FIRST_S = 10  # what is tried before all of it is done

MARKUP = f"""
<div class="pm-ab" data-state="empty" data-heard="after" data-playing="false" data-played="0">
  <div class="pm-ab-bar">
    {TOGGLE.format("pm-ab")}
    <fieldset class="pm-ab-choice" disabled>
      <legend>Listen to</legend>
      <label><input type="radio" name="pm-ab" value="before"><span>Before</span></label>
      <label><input type="radio" name="pm-ab" value="after" checked><span>After</span></label>
    </fieldset>
    <output class="pm-ab-time">0:00</output>
  </div>
  <div class="pm-ab-sheets">
    <figure data-which="before"><figcaption>Before</figcaption><img alt="Spectrogram before"></figure>
    <figure data-which="after"><figcaption>After</figcaption><img alt="Spectrogram after"></figure>
    <span class="pm-ab-line" aria-hidden="true"></span>
    <input type="range" min="0" max="1" step="0.01" value="0" disabled aria-label="Position">
  </div>
  <details class="pm-ab-mask"><summary>The noise mask</summary>
    <img alt="The noise mask"><p>Bright is kept, dark is taken away.</p></details>
  <ul class="pm-ab-facts"></ul>
  <p class="pm-work-actions pm-downloads"></p>
  <audio preload="auto"></audio>
</div>
"""

PRESET_TITLES: dict[Preset, str] = {
    "podcast": "Podcast",
    "voice note": "Voice note",
    "music": "Music",
    "none": "As it is",
}
LOUDNESS = [("−16 LUFS, podcasts, phones", -16), ("−23 LUFS, broadcast", -23), ("As it is", 0)]
SLIDER_TITLES = {
    "denoise": "Noise removal",
    "bass": "Bass, dB",
    "presence": "Presence, dB",
    "treble": "Treble, dB",
    "compression": "Compression",
}
HINTS = {"denoise": "It knows voices; music it takes for noise"}


def build(engine: Engine) -> None:
    """Lay the tab out and wire it."""
    models = engine.registry.of("enhance")
    if not models:
        gr.HTML("<p>There is no model here that removes noise.</p>", apply_default_css=False)
        return
    visits: Visits[Booth] = Visits()
    booth_state = gr.State(Booth(), delete_callback=visits.leave)
    with gr.Row(elem_classes="pm-workspace"):
        with gr.Column(scale=3, min_width=320, elem_classes="pm-stage"):
            audio = gr.Audio(
                sources=["upload", "microphone"],
                type="filepath",
                label=f"Recording, up to {MOST_SECONDS // 60} minutes: WAV, FLAC, OGG, MP3 or AIFF",
                elem_id="pm-enhance-audio",
                buttons=[],
                editable=False,
            )
            with gr.Row(elem_classes="pm-actions"):
                enhance = gr.Button("Enhance", variant="primary", scale=0, min_width=120, elem_id="pm-enhance-go")
                first = gr.Button(f"Try {FIRST_S} seconds", scale=0, min_width=160, elem_id="pm-enhance-first")
                stop = gr.Button(
                    "Stop", variant="stop", scale=0, min_width=120, visible=False, elem_id="pm-enhance-stop"
                )
            with gr.Row(elem_classes="pm-chips"):
                example = gr.Button("A noisy example", size="sm", scale=0, min_width=0, elem_id="pm-enhance-example")
            status = gr.HTML(states.idle(), elem_id="pm-enhance-status", apply_default_css=False)
            player = gr.HTML(
                EMPTY,
                html_template=MARKUP,
                js_on_load=PLAYER.read_text("utf-8"),
                apply_default_css=False,
                elem_id="pm-enhance-player",
            )
        with gr.Column(scale=1, min_width=280, elem_classes="pm-side"):
            titles = [(title, name) for name, title in PRESET_TITLES.items()]
            preset = gr.Dropdown(titles, value="podcast", label="Sounds like", elem_id="pm-enhance-preset")
            loudness = gr.Dropdown(LOUDNESS, value=-16, label="Loudness")
            sliders = {name: _slider(name, title) for name, title in SLIDER_TITLES.items()}
            model = gr.Dropdown(
                [(option(engine, spec), spec.id) for spec in models], value=models[0].id, label="Model"
            )
            about = gr.HTML(describe(engine, models[0]), apply_default_css=False)
    explain.what_you_are_seeing(
        "A mask over noise",
        (
            "The sound is cut into a hundred overlapping frames a second, and each is split into pitches: that is the "
            "spectrogram, time to the right, pitch upwards, the louder the brighter.",
            "For each frame a network gives every band a gain from 0 to 1: that is the noise mask, to be opened under "
            "the pictures. It was trained on speech with noise laid over it, to find the speech again.",
            "Below 4.8 kHz, where a voice has its harmonics, it also gives filters over five frames, which put right "
            "what a gain alone would leave rough; then tone and loudness follow by plain rules.",
        ),
    )
    named = {"preset": preset, "loudness": loudness, **sliders, "model": model}

    def begin(path: str | None, booth: Booth, seconds: float, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Take a recording, if it can be read; else nothing changes and nothing is lost."""
        if booth.busy:
            raise refusal("A recording is being made clean. Wait for it, or stop it first.")
        if not path:
            raise refusal("Choose a sound file first, or record something.", MISSING)
        given = dict(zip(named, values, strict=True)) | {"audio": Path(path).read_bytes(), "seconds": seconds}
        request = request_from(EnhanceRequest, given)
        assert isinstance(request, EnhanceRequest)
        booth.begin(request)
        return enhancing_stands(booth)

    def on_enhance(path: str | None, booth: Booth, *values: Any) -> tuple[Any, ...]:
        return begin(path, booth, 0, values)

    def on_first(path: str | None, booth: Booth, *values: Any) -> tuple[Any, ...]:
        return begin(path, booth, FIRST_S, values)

    async def enhancing(http: gr.Request, booth: Booth) -> AsyncIterator[tuple[dict[str, Any], str]]:
        async with aclosing(booth.played(engine, user_of(http))) as news:
            async for _ in news:
                yield booth.shown(), booth.line

    def enhancing_stands(booth: Booth) -> tuple[Any, ...]:
        """How things stand. Also after a run: what it streamed can overtake, on the page, what ended it."""
        busy = booth.busy
        buttons = gr.Button(visible=not busy), gr.Button(visible=not busy), gr.Button(visible=busy)
        return *buttons, booth.shown(), booth.line

    def on_no_enhancing(booth: Booth) -> tuple[Any, ...]:
        if booth.busy:  # it never came to a run: gradio's queue is full
            booth.end()
            booth.line = states.failed("This could not be started. Press Enhance again.")
        return enhancing_stands(booth)

    def on_stop_enhancing(booth: Booth) -> tuple[Any, ...]:
        if booth.busy:
            booth.halt(states.stopped())
            booth.end()
        return enhancing_stands(booth)

    def on_noisy_example(booth: Booth) -> str:
        """A copy: no file of the repository is ever served."""
        copy = booth.shelf / EXAMPLE.name
        copy.write_bytes(EXAMPLE.read_bytes())
        return str(copy)

    def on_preset(name: Preset) -> tuple[float, ...]:
        return tuple(getattr(PRESETS[name], each) for each in sliders)

    may_refuse = refusing(enhance)
    stands = [enhance, first, stop, player, status]
    asked = [audio, booth_state, *named.values()]
    begun = [
        enhance.click(on_enhance, asked, stands, **may_refuse),
        first.click(on_first, asked, stands, **may_refuse),
    ]
    runs = []
    for event in begun:
        run = event.success(enhancing, booth_state, [player, status], **may_refuse)
        runs.append(run)
        run.then(enhancing_stands, booth_state, stands, **QUIET)
        run.failure(on_no_enhancing, booth_state, stands, **QUIET)
    stop.click(on_stop_enhancing, booth_state, stands, cancels=runs, **QUIET)
    example.click(on_noisy_example, booth_state, audio, **QUIET)
    preset.change(on_preset, preset, [*sliders.values()], **QUIET)
    model.change(lambda choice: describe(engine, engine.registry[choice]), model, about, **QUIET)
    visits.wire("enhance", booth_state, enhancing_stands, stands)
    endpoint(engine, EnhanceRequest, "enhance")


def _slider(name: str, label: str) -> gr.Slider:
    """A slider for what a preset decides: it stands where the first preset has it."""
    low, high = fields.limits(EnhanceRequest.model_fields[name])
    step = 0.5 if high > 1 else 0.05
    first = getattr(PRESETS["podcast"], name)
    return gr.Slider(low, high, first, step=step, label=label, info=HINTS.get(name))
