"""Pictures that a visitor shows in the chat: kept on the server, small and plain, until the visitor has gone.

The browser keeps their names, to find them again after a reload: a page's storage would not hold a photograph.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines import pictures_in
from pipelines.chat import MOST_PICTURES, ChatRequest
from pipelines.engine import Engine
from pipelines.errors import BadRequest
from pipelines.spec import ModelSpec
from ui.files import Keeper

SIDE = 1_536  # pixels; no model here looks closer, and what a camera notes about a place and a person goes
NAME = r"^[0-9a-f]{64}\.webp$"


def taken(uploads: Sequence[str], keeper: Keeper) -> list[Path]:
    """Keep these uploads. Raises BadRequest, by the name of the file, for what is no picture, and for too many."""
    if len(uploads) > MOST_PICTURES:
        raise BadRequest(f"{len(uploads)} pictures are too many: a conversation can have {MOST_PICTURES}.")
    small = [_small(Path(upload)) for upload in uploads]  # all of them, before any is kept
    return [_kept(data, keeper.shelf) for data in small]


def images(album: Sequence[Path]) -> tuple[bytes, ...]:
    """The files for a request. Raises BadRequest when there are too many, or one is gone."""
    if len(album) > MOST_PICTURES:
        raise BadRequest(
            f"A conversation can have {MOST_PICTURES} pictures, and with these it would have {len(album)}. "
            "Begin a new conversation, or send fewer."
        )
    try:
        return tuple(path.read_bytes() for path in album)
    except OSError:
        raise BadRequest(
            "A picture of this conversation is no longer here. Begin a new one, and send it again."
        ) from None


def check(engine: Engine, request: ChatRequest) -> None:
    """Raise BadRequest, with the models that can, where pictures are for one that cannot see."""
    spec = engine.registry[request.model]
    if not request.images or sees(spec):
        return
    able = [other for other in engine.registry.of("chat") if sees(other)]
    fitting = [other.title for other in able if engine.fits(other.id)]
    if fitting:
        remedy = f"Choose a model that can ({', '.join(fitting)}), or send the message without pictures."
    elif able:
        remedy = f"Those that can ({', '.join(other.title for other in able)}) are too large for this device."
    else:
        remedy = "No model here can."
    raise BadRequest(f"{spec.title} cannot see pictures. {remedy}")


def sees(spec: ModelSpec[Any]) -> bool:
    """Whether a model takes pictures."""
    return "pictures" in spec.limits


def part(path: Path) -> dict[str, Any]:
    """A picture as a part of a message, for gr.Chatbot."""
    return {"type": "file", "file": {"path": str(path), "mime_type": "image/webp"}, "alt_text": "A picture"}


def box(**options: Any) -> gr.MultimodalTextbox:
    """The box for messages: pictures are chosen, dropped on it or pasted into it."""
    return gr.MultimodalTextbox(
        sources=["upload"],
        file_types=["image"],
        file_count="multiple",
        submit_btn=False,
        max_plain_text_length=1_000_000,  # beyond, gradio would make a file of what is pasted
        **options,
    )


def _small(path: Path) -> bytes:
    picture = pictures_in.read(path.read_bytes(), path.name)
    picture.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=90)
    return buffer.getvalue()


def _kept(data: bytes, shelf: Path) -> Path:
    path = shelf / f"{sha256(data).hexdigest()}.webp"
    path.write_bytes(data)
    return path
