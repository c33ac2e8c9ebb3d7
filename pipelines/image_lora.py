"""LoRAs: small files that teach an image model a style or a thing, named in a request and merged when it is loaded.

Merged, because an adapter on shared weights is state: runs pass the device on at every step, in the middle of a call,
and one with a LoRA would lend it to the next without. So a model with a LoRA at a weight is a model of its own, with
an id, a lease and its memory counted; it draws as fast as the plain one, and goes as any model goes when it is idle.
The price is that another weight means loading again.

What a visitor types names a file on the hub; a path on this machine can only be named in the catalog file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import BadRequest, BadWeights
from pipelines.formats import can_run_code
from pipelines.weights import Hub, Local, Store

if TYPE_CHECKING:
    from pipelines.events import Emit

REPO = r"\w[\w.-]{0,95}/\w[\w.-]{0,95}"
TYPED = re.compile(rf"({REPO})(?::(\w[\w./ -]*))?", re.ASCII)
SUFFIX = ".safetensors"
USUAL = "pytorch_lora_weights.safetensors"  # as diffusers saves them
HOW = "Name one as “organisation/name” on the hub, or “organisation/name:file.safetensors”"


@dataclass(frozen=True)
class Lora:
    """A LoRA that this server offers by its id."""

    id: str
    title: str
    weights: Hub | Local


def find(name: str, offered: Mapping[str, Lora], typed: bool, store: Store, emit: Emit) -> Hub | Local:
    """Where the LoRA of this name comes from, down to the file. `typed`: whether any on the hub will do.

    Raises BadRequest or WeightsError that says what would.
    """
    if name in offered:
        weights = offered[name].weights
        return weights if isinstance(weights, Local) else _file(weights, "", store, emit)
    match = TYPED.fullmatch(name)
    if not typed or match is None:
        here = f"This server has: {', '.join(offered)}." if offered else "This server has none of its own."
        raise BadRequest(f"There is no LoRA “{name}” here. {here}{f' {HOW}.' if typed else ''}")
    return _file(Hub(match[1]), match[2] or "", store, emit)


def _file(hub: Hub, file: str, store: Store, emit: Emit) -> Hub:
    """The repository with the one file that is meant."""
    if file:
        if can_run_code(file) or not file.endswith(SUFFIX):
            raise BadRequest(f"“{file}” is refused: a LoRA is read from {SUFFIX} files only, which cannot run code.")
        return Hub(hub.repo, hub.revision, (file,))
    if "*" not in "".join(hub.patterns):  # one file already
        return hub
    usual = Hub(hub.repo, hub.revision, (USUAL,))
    if store.look(usual).present:
        return usual
    files = sorted(store.contents(Hub(hub.repo, hub.revision, (f"*{SUFFIX}",)), emit).files)
    if USUAL not in files and len(files) > 1:
        raise BadRequest(
            f"{hub.repo} has {len(files)} files. Say which one, such as “{hub.repo}:{files[0]}”; there are: "
            f"{', '.join(files[:8])}{' and more' if len(files) > 8 else ''}."
        )
    return usual if USUAL in files else Hub(hub.repo, hub.revision, (files[0],))


def merge(pipe: Any, folder: Path, scale: float, title: str) -> None:
    """Add the LoRA in a folder, which may be the file itself, to the weights of a pipeline; nothing else stays of it.

    Raises BadRequest where this model cannot take it.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not hasattr(pipe, "load_lora_weights"):
        raise BadRequest(f"{title} takes no LoRA. Choose another model for that.")
    file = folder if folder.is_file() else next(folder.rglob(f"*{SUFFIX}"))
    try:
        state = load_file(file)
    except SafetensorError as error:
        raise BadWeights(f"{file.name} is not a safetensors file, whatever its name says ({error}).") from error
    try:
        pipe.load_lora_weights(state)
        if not pipe.get_active_adapters():
            raise ValueError("none of its keys belongs to this model")
        pipe.fuse_lora(lora_scale=scale, safe_fusing=True)
        pipe.unload_lora_weights()
    except (ValueError, KeyError, RuntimeError) as error:
        raise BadRequest(
            f"This LoRA does not fit: {title} is another kind of model than the one that it was made for. "
            "Choose the model that its page names."
        ) from error
