"""The speech tab: a text is spoken, and heard while the rest is still being made.

What has been spoken lives in the session on the server (ui/speech_run.py); the player in the page fetches each stretch
of sound as it is finished and plays them without a gap (assets/player.js).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import cycle
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.engine import Engine
from pipelines.speech_match_request import MATCH, MatchRequest
from pipelines.speech_request import BUILT_IN, MOST_SPEAKERS, SpeechRequest
from pipelines.speech_text import CHARACTERS_PER_S, speakers
from pipelines.speech_voices import BUNDLED, LANGUAGE_TITLES, VOICES, Language
from ui import explain, fields, keys, speech_match, states
from ui.models import describe, option
from ui.player import player
from ui.speech_run import Studio
from ui.visits import Visits
from ui.wire import MISSING, QUIET, endpoint, refusal, refusing, request_from, user_of

TITLE = "Speech"
RATE = 24_000  # of the built-in voices

CAPTIONS = '<ol class="pm-captions" aria-label="Captions"></ol>'

SPEED = "Speed"
PACED = ("gan", "vae")  # families of models that can be told a speed
NO_SPEED: dict[str, Any] = {"interactive": False, "value": 1, "label": "Speed: this model has one of its own"}
ONE, SEVERAL = "One voice", "Several speakers"
WAITS = "“[pause 2 s]” waits so long"
SCRIPT = "Begin each line with a name and a colon: “Anna: Hello!”"
CAST = ("First to speak", "Second", "Third")
FIRST_CAST = ("af_heart", "am_michael", "bf_emma")
EXAMPLES = {
    "A story": (
        "The lighthouse had been dark for thirty years. Then, one night in October, the lamp began to turn again, "
        "slowly, as if it were waking up. Nobody in the village said a word; but every window along the harbour had "
        "a face in it.",
        "af_heart",
        ONE,
    ),
    "Numbers and dates": (
        "Dr. Lee paid $5.50 on 2026-11-22 at 3:45 pm, for 1.5 kg of apples. That is 20% less than in 1999.",
        "am_michael",
        ONE,
    ),
    "A dialogue": (
        "Anna: Did you hear that?\nBen: [pause 1 s] Hear what? I was asleep.\n"
        "Anna: A voice, in the kitchen. It said my name!\nBen: That was the kettle, Anna. Go back to bed.",
        "af_heart",
        SEVERAL,
    ),
    "Spanish": ("Hay que vivir despacio, dijo la tortuga, y siguió su camino sin mirar atrás.", "ef_dora", ONE),
    "French": ("Il était une fois un petit nuage qui avait peur de la pluie.", "ff_siwis", ONE),
    "Hindi": ("नमस्ते! आज मौसम बहुत अच्छा है, चलो बाहर चलते हैं।", "hf_alpha", ONE),
}
SAMPLES: dict[Language, str] = {
    "en-us": "Hello! This is how I sound when I read to you.",
    "en-gb": "Hello! This is how I sound when I read to you.",
    "es": "¡Hola! Así sueno cuando leo para ti.",
    "fr-fr": "Bonjour ! Voici ma voix quand je vous fais la lecture.",
    "hi": "नमस्ते! जब मैं आपके लिए पढ़ती हूँ तो मेरी आवाज़ ऐसी लगती है।",
    "it": "Ciao! Ecco la mia voce quando leggo per te.",
    "pt-br": "Olá! É assim que eu soo quando leio para você.",
}


def build(engine: Engine) -> None:
    """Lay the tab out and wire it."""
    models = [spec for spec in engine.registry.of("speech") if spec.request is SpeechRequest]
    if not models:
        gr.HTML("<p>There is no speech model here.</p>", apply_default_css=False)
        return
    most = models[0].limits["characters"]
    visits: Visits[Studio] = Visits()
    studio_state = gr.State(Studio(), delete_callback=visits.leave)
    later = " · fetched at first use"
    voices = [(f"{voice.label}{'' if id in BUNDLED else later}", id) for id, voice in VOICES.items()]
    with gr.Row(elem_classes="pm-workspace"):
        with gr.Column(scale=3, min_width=320, elem_classes="pm-stage"):
            text = gr.Textbox(
                placeholder="Write what should be said",
                label="Text",
                lines=5,
                max_lines=14,
                info=f"Up to {most:,} characters, about {states.duration(most / CHARACTERS_PER_S)}; {WAITS}",
                elem_id="pm-speech-text",
            )
            with gr.Row(elem_classes="pm-actions"):
                speak = gr.Button(
                    "Speak", variant="primary", scale=0, min_width=120, elem_id="pm-speech-speak", elem_classes=keys.GO
                )
                stop = gr.Button(
                    "Stop", variant="stop", scale=0, min_width=120, visible=False, elem_id="pm-speech-stop"
                )
            with gr.Row(elem_classes="pm-chips"):
                chips = [(gr.Button(title, size="sm", scale=0, min_width=0), what) for title, what in EXAMPLES.items()]
            status = keys.status("pm-speech-status")
            heard = player(
                Studio().shown(), "pm-speech-player", CAPTIONS, RATE, ("pm-speech-speak", "pm-speech-sample")
            )
        with gr.Column(scale=1, min_width=280, elem_classes="pm-side"):
            mode = gr.Radio([ONE, SEVERAL], value=ONE, label="Read by", info="", elem_id="pm-speech-mode")
            recorded = speech_match.reference()  # for models that take a voice from it
            with gr.Column(elem_classes="pm-mode") as voiced:  # what only the built-in model has
                with gr.Column(elem_classes="pm-mode") as alone:
                    voice = gr.Dropdown(voices, value="af_heart", label="Voice", elem_id="pm-speech-voice")
                    voice_b = gr.Dropdown([("None", ""), *voices], value="", label="Blend with")
                    blend = fields.visible(SpeechRequest, "blend", "How much of the second", visible=False)
                    sample = gr.Button("Hear this voice", size="sm", elem_id="pm-speech-sample")
                    matching = speech_match.corner() if MATCH in engine.registry else None
                with gr.Column(visible=False, elem_classes="pm-mode") as together:
                    cast = [
                        gr.Dropdown(voices, value=given, label=title)
                        for title, given in zip(CAST, FIRST_CAST, strict=True)
                    ]
                    gr.Markdown(SCRIPT)
                languages = [("As the voice", ""), *((title, code) for code, title in LANGUAGE_TITLES.items())]
                language = gr.Dropdown(languages, value="", label="Language")
            speed = fields.visible(SpeechRequest, "speed", SPEED)
            model = gr.Dropdown(
                [(option(engine, spec), spec.id) for spec in models], value=models[0].id, label="Model"
            )
            about = gr.HTML(describe(engine, models[0]), apply_default_css=False)
    explain.what_you_are_seeing(
        "Letters that become a voice",
        (
            "Numbers and dates are written out, then the text becomes phonemes, the sounds that words are made of: a "
            "dictionary with rules says how each is pronounced. They stand under the words that you hear.",
            "A built-in voice is 256 numbers, its style vector: one half says how it sounds, the other how long and "
            "how high each phoneme is spoken; a mean of two such vectors is a voice between the two.",
            "A vocoder turns all that into sound, 24,000 values a second: it was trained as a generator, against "
            "networks that tried to tell it from recordings.",
        ),
    )
    named = {
        "voice": voice,
        "voice_b": voice_b,
        "blend": blend,
        "speed": speed,
        "language": language,
        "model": model,
    }
    settings = [mode, *cast, *named.values(), recorded.recording, recorded.consent]

    def asked(words: str, values: tuple[Any, ...]) -> SpeechRequest:
        how, *by = values[: 1 + len(cast)]
        *chosen, recording, consent = values[1 + len(cast) :]
        given = {"text": words, **dict(zip(named, chosen, strict=True))}
        if given["model"] != BUILT_IN:
            limits = engine.registry[given["model"]].limits
            given = {name: given[name] for name in ("text", "model", "speed")}
            if how == SEVERAL and limits.get("speakers", 1) > 1:
                given["speakers"] = [{"name": name} for name in speakers(words)[:MOST_SPEAKERS]]
            if "reference" in limits and recording:
                given |= {"reference": Path(recording).read_bytes(), "consent": consent}
        elif how == SEVERAL:
            told = [{"name": name, "voice": one} for name, one in zip(speakers(words), cycle(by), strict=False)]
            given |= {"speakers": told[:MOST_SPEAKERS], "voice": by[0], "voice_b": ""}
        request = request_from(SpeechRequest, given)
        assert isinstance(request, SpeechRequest)
        return request

    def begin(studio: Studio, request: SpeechRequest | MatchRequest) -> tuple[Any, ...]:
        if studio.busy:
            raise refusal("Something is being spoken. Wait for it, or stop it first.")
        studio.begin(request)
        return as_it_stands(studio)

    def on_speak(words: str, studio: Studio, *values: Any) -> tuple[Any, ...]:
        if not words.strip():
            raise refusal("Write what should be said first.", MISSING)
        told = begin(studio, asked(words, values))
        studio.text = words
        return told

    def on_sample(studio: Studio, *values: Any) -> tuple[Any, ...]:
        request = asked(SAMPLES["en-us"], values)
        return begin(studio, request.model_copy(update={"text": SAMPLES[request.reads_as(request.voice)]}))

    def on_match(studio: Studio, recording: str | None, consent: bool) -> tuple[Any, ...]:
        return begin(studio, speech_match.request(recording, consent))

    def on_matched(studio: Studio) -> tuple[Any, ...]:
        found = studio.reading.found if studio.reading else {}
        if "before" not in found:  # it was no match, or came to none
            return (gr.skip(),) * 5
        return speech_match.told(found), found["voice"], found["voice_b"], found["blend"], found["language"]

    def on_speech_model(choice: str) -> tuple[Any, ...]:
        spec = engine.registry[choice]
        built_in = choice == BUILT_IN
        several = built_in or spec.limits.get("speakers", 1) > 1
        return (
            describe(engine, spec),
            gr.Radio(visible=several, info="" if built_in else SCRIPT),
            gr.Column(visible="reference" in spec.limits),
            gr.Column(visible=built_in),
            gr.Slider(**({"interactive": True, "label": SPEED} if spec.family in PACED else NO_SPEED)),
        )

    async def speaking(http: gr.Request, studio: Studio) -> AsyncIterator[tuple[dict[str, Any], str]]:
        async with aclosing(studio.played(engine, user_of(http))) as news:
            async for _ in news:
                yield studio.shown(), studio.line

    def as_it_stands(studio: Studio) -> tuple[Any, ...]:
        """How things stand. Also after a run: what it streamed can overtake, on the page, what ended it."""
        busy = studio.busy
        return gr.Button(visible=not busy), gr.Button(visible=busy), studio.shown(), studio.line

    def asked_for(studio: Studio) -> tuple[Any, ...]:
        return (studio.text or gr.skip(),)

    def on_no_speaking(studio: Studio) -> tuple[Any, ...]:
        if studio.busy:  # it never came to a run: gradio's queue is full
            studio.end()
            studio.line = states.failed("This could not be started. Press Speak again.")
        return as_it_stands(studio)

    def on_stop_speaking(studio: Studio) -> tuple[Any, ...]:
        if studio.busy:
            studio.stop()
        return as_it_stands(studio)

    may_refuse = refusing(speak)
    stands = [speak, stop, heard, status]
    begun = [
        speak.click(on_speak, [text, studio_state, *settings], stands, **may_refuse),
        sample.click(on_sample, [studio_state, *settings], stands, **may_refuse),
    ]
    if matching is not None:
        given = [studio_state, matching.recording, matching.consent]
        begun.append(matching.go.click(on_match, given, stands, **may_refuse))
    runs = []
    for event in begun:
        run = event.success(speaking, studio_state, [heard, status], **may_refuse)
        runs.append(run)
        run.then(as_it_stands, studio_state, stands, **QUIET)
        run.failure(on_no_speaking, studio_state, stands, **QUIET)
        if matching is not None:
            run.then(on_matched, studio_state, [matching.found, voice, voice_b, blend, language], **QUIET)
    stop.click(on_stop_speaking, studio_state, stands, cancels=runs, **QUIET)
    for chip, (words, by, how) in chips:
        chip.click(lambda found=(words, by, how): found, None, [text, voice, mode], **QUIET)
    mode.change(
        lambda how: (gr.Column(visible=how == ONE), gr.Column(visible=how == SEVERAL)),
        mode,
        [alone, together],
        **QUIET,
    )
    voice_b.change(lambda other: gr.Slider(visible=bool(other)), voice_b, blend, **QUIET)
    model.change(on_speech_model, model, [about, mode, recorded.column, voiced, speed], **QUIET)
    visits.wire("speech", studio_state, as_it_stands, stands, asked_for, [text])
    endpoint(engine, SpeechRequest, "speech")
    if matching is not None:
        endpoint(engine, MatchRequest, "match")
