"""A model in words, for every tab's picker: what it is, how large it is, and whether it fits."""

from __future__ import annotations

from html import escape
from typing import Any

from pipelines.engine import Engine
from pipelines.errors import format_bytes
from pipelines.spec import ModelSpec


def option(engine: Engine, spec: ModelSpec[Any]) -> str:
    """The model as the picker lists it: with its size, and whether it fits."""
    fit = "" if engine.fits(spec.id) else ", too large here"
    return f"{spec.title} · {format_bytes(spec.resident + spec.working)}{fit}"


def describe(engine: Engine, spec: ModelSpec[Any]) -> str:
    """The model's facts for the side column: what it is, its licence, its size and whether it fits."""
    there = engine.look(spec.id)
    need = f"{format_bytes(spec.resident + spec.working)} of memory"
    if not engine.fits(spec.id):
        state, verdict = "bad", f"Too large for this device: it needs {need}."
    elif there.present:
        state, verdict = "good", f"Ready. Takes {need}."
    else:
        size = f"{format_bytes(there.download)} " if there.download else ""
        free = f"{format_bytes(there.free)} free on disk"
        state, verdict = "warm", f"First use fetches {size}from {there.source} ({free}). Takes {need}."
    made_for = ""
    if {"steps", "side"} <= set(spec.limits):
        steps, side = spec.limits["steps"], spec.limits["side"]
        made_for = f"<p>Made for {steps} steps and {side} x {side} pixels.</p>"
    return (
        f'<div class="pm-model"><p>{escape(spec.card)}</p>{made_for}<p data-fit="{state}">{escape(verdict)}</p>'
        f"<p>Licence: {escape(spec.licence)}</p></div>"
    )
