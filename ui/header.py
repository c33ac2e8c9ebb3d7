"""The head of the page: name, device, model memory, queue, and the switch between light and dark.

What changes is read from /health by assets/header.js, every few seconds while the page is in view. That costs one
small GET; an event of gradio's would cost a POST, a place in the queue and a diff of the component each time.

The page's content must be an element with the id `main` (CONTENT_ID), where the skip link leads.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from ui.theme import ASSETS, ICON

if TYPE_CHECKING:
    from pipelines.engine import Engine

CONTENT_ID = "main"
SCRIPT = ASSETS / "header.js"


def build(engine: Engine) -> gr.HTML:
    """The header, for the top of the Blocks. The engine is asked once, for what does not change."""
    status = engine.status()
    return gr.HTML(
        markup(status.device.name, status.budget),
        js_on_load=SCRIPT.read_text("utf-8"),
        apply_default_css=False,
        elem_id="pm-header",
    )


def markup(device: str, budget: int) -> str:
    """The header before its first reading."""
    return f"""
<header class="pm-header" role="banner">
  <a class="pm-skip" href="#{CONTENT_ID}">Skip to the content</a>
  <div class="pm-brand">{ICON.read_text("utf-8")}<h1>Polymuse</h1></div>
  <div class="pm-facts">
    <span class="pm-device" title="Where the models run">{escape(device)}</span>
    <span class="pm-memory">
      <span class="pm-meter" role="meter" tabindex="0" aria-label="Memory in use" aria-describedby="pm-models"
        aria-valuemin="0" aria-valuemax="{budget}" aria-valuenow="0" aria-valuetext="not read yet">
        <span class="pm-bar"><span></span></span><span class="pm-meter-text">Memory</span>
      </span>
      <span class="pm-models" id="pm-models" role="tooltip"></span>
    </span>
    <span class="pm-queue">Connecting</span>
  </div>
  <button class="pm-theme" type="button" aria-pressed="false" aria-label="Dark theme" title="Light or dark">
    <svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7"/><path d="M10 3a7 7 0 0 1 0 14Z"/></svg>
  </button>
</header>
"""
