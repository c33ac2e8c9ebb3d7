"""Words around a tab: what a visitor is seeing, and what made it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import gradio as gr


def what_you_are_seeing(title: str, sentences: Sequence[str]) -> gr.HTML:
    """The idea behind a tab, for somebody who has never heard of it: a title and three sentences, no more.

    Raises ValueError for any other number: three stand side by side, and a fourth would be a paragraph.
    """
    if len(sentences) != 3:
        raise ValueError(f"“{title}” is explained in three sentences, not {len(sentences)}.")
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return gr.HTML(
        f'<section class="pm-explain"><p class="pm-eyebrow">What you are seeing</p><h2>{escape(title)}</h2>'
        f"<ol>{items}</ol></section>",
        apply_default_css=False,
        js_on_load=None,
    )


def footer() -> gr.HTML:
    """The notice that goes under every tab."""
    return gr.HTML(
        '<footer class="pm-footer"><p>Everything here is made by AI models, on the machine that serves this page. '
        "They can be wrong, and can look convincing when they are: check what matters.</p></footer>",
        apply_default_css=False,
        js_on_load=None,
    )
