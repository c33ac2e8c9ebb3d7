"""The corner of the speech tab where a voice is matched: a recording, a promise, and what was found."""

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
PROMISE = "It is my own voice, or its owner has agreed to this"


@dataclass(frozen=True)
class Corner:
    """What a visitor finds there."""

    recording: gr.Audio
    consent: gr.Checkbox
    go: gr.Button
    found: gr.HTML


def corner() -> Corner:
    """Lay it out, closed at first."""
    with gr.Accordion("Match a voice", open=False, elem_id="pm-match"):
        gr.Markdown(ABOUT)
        return Corner(
            gr.Audio(
                sources=["upload", "microphone"],
                type="filepath",
                label=f"{LEAST_SECONDS} to {MOST_SECONDS} seconds of one person's speech",
                buttons=[],
                editable=False,
            ),
            gr.Checkbox(False, label=PROMISE, elem_id="pm-match-consent"),
            gr.Button("Find the nearest blend", size="sm", elem_id="pm-match-go"),
            gr.HTML("", elem_id="pm-match-found", apply_default_css=False),
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
    return (
        f"<p>Nearest: {who}, chosen above. Likeness to the recording, 1 at most: {found['before']:.2f} for "
        f"{VOICES[found['nearest']].title} alone, {found['after']:.2f} for what you hear.</p>"
    )
