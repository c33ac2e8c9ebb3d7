"""Everything that shows. Nothing in here imports torch, diffusers or transformers."""

from __future__ import annotations

from types import ModuleType

from ui import chat, code, enhance, image, music, shape, speech, video, write

TABS: tuple[ModuleType, ...] = (chat, write, code, image, video, shape, speech, music, enhance)
"""The tabs in page order: modules with a TITLE and build(engine)."""
