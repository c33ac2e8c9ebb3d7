"""A picture to start from, with a brush: what is painted over is what will be painted anew.

Not gr.ImageEditor: that sends its layers through gradio's component functions, which are closed here (ui/guard.py),
keeps them in memory for good, and opens whatever file comes before anybody could refuse it.

The component's value goes two ways. The server sets it to a picture's address, or to nothing; the page sets it to the
mask, as a data URI, with every stroke.
"""

from __future__ import annotations

import base64
import binascii

import gradio as gr

from pipelines.errors import BadRequest
from ui.theme import ASSETS

SCRIPT = ASSETS / "painter.js"
PNG = "data:image/png;base64,"
MOST_CHARACTERS = 1_000_000  # of a mask; a painted one has ten thousand

MARKUP = """
<div class="pm-painter" hidden>
  <div class="pm-painter-sheet">
    <img class="pm-painter-picture" alt="The picture to start from">
    <canvas class="pm-painter-canvas" tabindex="0" role="application"
      aria-label="Paint over what should change. Arrow keys move the brush, Space paints."></canvas>
    <span class="pm-painter-brush" aria-hidden="true"></span>
  </div>
  <div class="pm-painter-tools">
    <label>Brush <input class="pm-painter-size" type="range" min="3" max="40" value="14"></label>
    <label><input class="pm-painter-erase" type="checkbox"> Erase</label>
    <button class="pm-painter-clear" type="button">Clear</button>
  </div>
  <p>Paint over what should change; unpainted, all of it may.</p>
</div>
"""


def painter(elem_id: str) -> gr.HTML:
    """The component, empty."""
    return gr.HTML(
        "",
        html_template=MARKUP,
        js_on_load=SCRIPT.read_text("utf-8"),
        apply_default_css=False,
        elem_id=elem_id,
    )


def mask(value: object) -> bytes | None:
    """The mask that was painted, as a PNG file; None if nothing was. Raises BadRequest for anything else."""
    if not isinstance(value, str) or not value.startswith(PNG):
        return None
    if len(value) > MOST_CHARACTERS:
        raise BadRequest("The mask is larger than a painted one can be. Clear it and paint again.")
    try:
        return base64.b64decode(value.removeprefix(PNG), validate=True)
    except binascii.Error:
        raise BadRequest("The mask cannot be read. Clear it and paint again.") from None
