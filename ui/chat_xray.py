"""X-ray in the chat tab: every token of the answer with its chances, and what the page says was pressed there.

The page is told of tokens as texts of JSON, a new one with each update, and makes its elements of them itself, as
text: nothing that a model wrote is ever HTML. What comes back are numbers of branches, tokens and alternatives.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.theme import ASSETS
from ui.wire import refusal

SCRIPT = ASSETS / "xray.js"
MARKUP = """
<section class="pm-xray" data-state="off" aria-label="X-ray of the answer">
  <p class="pm-xray-hint"></p>
  <ul class="pm-ways" aria-label="Ways the answer went"></ul>
  <div class="pm-panes"></div>
  <p class="pm-xray-legend">
    <span><i class="pm-shades" aria-hidden="true"></i>unlikely</span>
    <span><i class="pm-underlined" aria-hidden="true">ab</i>another was likelier</span>
    <span><i class="pm-curve" aria-hidden="true"></i>undecided (entropy)</span>
    <span><i class="pm-spike" aria-hidden="true"></i>surprise</span>
  </p>
  <div class="pm-card" role="group" hidden></div>
</section>
"""


def xray(elem_id: str) -> gr.HTML:
    """The component, off."""
    return gr.HTML(
        {"state": "off"},
        html_template=MARKUP,
        js_on_load=SCRIPT.read_text("utf-8"),
        apply_default_css=False,
        elem_id=elem_id,
    )


def pressed(data: gr.EventData, count: int) -> list[int]:
    """The numbers that a press sends, as many as there should be; the page could send anything."""
    sent: Any = data._data.get("value") if isinstance(data._data, dict) else None
    if not isinstance(sent, list) or len(sent) != count or not all(type(one) is int for one in sent):
        raise refusal("That answer is no longer here.", "It is gone")
    return sent
