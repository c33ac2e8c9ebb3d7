"""Ctrl+Enter: the way from a text that may have lines to the button of its workspace."""

from __future__ import annotations

import gradio as gr

from ui import states
from ui.theme import ASSETS

SCRIPT = ASSETS / "keys.js"
GO = "pm-go"  # the class of the button that is pressed


def status(elem_id: str) -> gr.HTML:
    """The status line of a workspace, which listens to the keys in it."""
    return gr.HTML(states.idle(), js_on_load=SCRIPT.read_text("utf-8"), elem_id=elem_id, apply_default_css=False)
