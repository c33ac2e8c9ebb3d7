"""Everything that shows. Nothing in here imports torch, diffusers or transformers."""

from __future__ import annotations

from types import ModuleType

from ui import chat, enhance, image, music, speech

TABS: tuple[ModuleType, ...] = (chat, image, speech, music, enhance)
"""The tabs in page order: modules with a TITLE and build(engine)."""
