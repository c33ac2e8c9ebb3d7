"""Recordings in the speech tab, and the promise that goes with each: to match a voice, or to speak in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.speech_match_request import LEAST_SECONDS, MOST_SECONDS, MatchRequest
from pipelines.speech_voices import VOICES
from ui.wire import request_from

ABOUT = (
    "Compares a recording with the stock voices and finds the blend of two that comes nearest. This is matching, not "
    "cloning: nothing is learned from the recording, and the result is like a relative at best."
)
CLONING = (
    "This model speaks in the voice of the recording. It is used for this text alone, and what is made says in its "
    "file that AI made it."
)
PROMISE = "It is my own voice, or its owner has agreed to this"


@dataclass(frozen=True)
class Reference:
    """A recording whose voice a model takes, shown for models that do so."""

    column: gr.Column
    recording: gr.Audio
    consent: gr.Checkbox


def reference() -> Reference:
    """Lay it out, hidden at first."""
    with gr.Column(visible=False, elem_classes="pm-mode", elem_id="pm-speech-reference") as column:
        recording = _recording()
        consent = gr.Checkbox(False, label=PROMISE, elem_id="pm-speech-consent")
        gr.Markdown(CLONING)
    return Reference(column, recording, consent)


@dataclass(frozen=True)
class Corner:
    """Where a voice is matched."""

    recording: gr.Audio
    consent: gr.Checkbox
    go: gr.Button
    found: gr.HTML


def corner() -> Corner:
    """Lay it out, closed at first."""
    with gr.Accordion("Match a voice", open=False, elem_id="pm-match"):
        gr.Markdown(ABOUT)
        return Corner(
            _recording(),
            gr.Checkbox(False, label=PROMISE, elem_id="pm-match-consent"),
            gr.Button("Find the nearest blend", size="sm", elem_id="pm-match-go"),
            gr.HTML("", elem_id="pm-match-found", apply_default_css=False),
        )


def _recording() -> gr.Audio:
    return gr.Audio(
        sources=["upload", "microphone"],
        type="filepath",
        label=f"{LEAST_SECONDS} to {MOST_SECONDS} seconds of one person's speech",
        buttons=[],
        editable=False,
    )


def request(recording: str | None, consent: bool) -> MatchRequest:
    """What is asked, or a message on the page that says what is missing."""
    data = Path(recording).read_bytes() if recording else None
    asked = request_from(MatchRequest, {"recording": data, "consent": consent})
    assert isinstance(asked, MatchRequest)
    return asked


def told(found: Mapping[str, Any]) -> str:
    """What was found, in words."""
    blend, second = round(100 * found["blend"]), found["voice_b"]
    who = VOICES[found["voice"]].title
    if second:
        who = f"{100 - blend} % {who}, {blend} % {VOICES[second].title}"
    alone = VOICES[found["nearest"]].title
    return (
        f'<p class="pm-found">Nearest: {who}, chosen above. Likeness to the recording, 1 at most: '
        f"{found['before']:.2f} for {alone} alone, {found['after']:.2f} for what you hear.</p>"
    )
