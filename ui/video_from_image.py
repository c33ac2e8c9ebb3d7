"""From the image tab to the video tab: a finished picture becomes a first frame by one press.

The video tab looks for the parts of the image tab, which was built before it; without that there is no such press.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.context import Context

from pipelines.errors import BadRequest
from ui import image
from ui.header import CONTENT_ID
from ui.image_desk import Desk as ImageDesk
from ui.image_desk import contents
from ui.video_desk import Desk
from ui.wire import refusals, refusing

CANVAS = "pm-image-canvas"
VIDEO = "video"  # the tab's id


@dataclass(frozen=True)
class Moved:
    """The image tab's canvas, with what it keeps of a visitor, and the tabs of the page."""

    canvas: gr.HTML
    desk: gr.State
    tabs: gr.Tabs

    @classmethod
    def found(cls) -> Moved | None:
        """On the page that is being built; None where there is no image tab."""
        page = Context.root_block
        assert page is not None
        parts = [*page.blocks.values()]
        canvas = next((one for one in parts if isinstance(one, gr.HTML) and one.elem_id == CANVAS), None)
        desk = next((one for one in parts if isinstance(one, gr.State) and isinstance(one.value, ImageDesk)), None)
        tabs = next((one for one in parts if isinstance(one, gr.Tabs) and one.elem_id == CONTENT_ID), None)
        return None if canvas is None or desk is None or tabs is None else cls(canvas, desk, tabs)

    def wire(
        self,
        start_from: Callable[[Desk, bytes], tuple[Any, ...]],
        state: gr.State,
        starting: Sequence[Block],
        prompt: gr.Textbox,
        make: gr.Button,
    ) -> None:
        """Let the press fill the video tab, by `start_from` and its outputs, and open it."""

        def on_move(data: gr.EventData, drawn: ImageDesk, desk: Desk) -> tuple[Any, ...]:
            with refusals():
                if (work := drawn.find(image.named(data))) is None:
                    raise BadRequest("That picture is no longer in the gallery.")
                return *start_from(desk, contents(work.file)), work.prompt, gr.Tabs(selected=VIDEO)

        self.canvas.move(on_move, [self.desk, state], [*starting, prompt, self.tabs], **refusing(make))
