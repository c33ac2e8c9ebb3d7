"""Weights that are on this machine already: looked over before use, and given a revision for the recipe."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipelines.errors import BadWeights
from pipelines.formats import SAFE, can_run_code, is_safe

_SAMPLES, _SAMPLE = 16, 1 << 16


def check(path: Path, remedy: str) -> None:
    """Raise BadWeights unless there are weights here, and everywhere in a format that can only be read."""
    files = _files(path)
    if not files:
        raise BadWeights(f"There is nothing at {path}. {remedy}")
    safe = {file.parent for file in files if is_safe(file.name)}
    for file in files:
        if can_run_code(file.name) and file.suffix != ".py" and file.parent not in safe:
            raise BadWeights(
                f"{file} is in a format that can run code when it is loaded, so it is refused. Convert it to "
                "safetensors (save_pretrained does, and so does https://huggingface.co/spaces/safetensors/convert)."
            )
    if not safe:
        raise BadWeights(f"{path} holds no weights ({', '.join(SAFE)}). {remedy}")


def fingerprint(path: Path) -> str:
    """A digest of the files' names and sizes and of a MiB of each, spread over it: quick for any size, and any
    training, merging or quantising changes it. Not proof against somebody who means to deceive."""
    state = hashlib.sha256()
    for file in _files(path):
        size = file.stat().st_size
        state.update(f"{file.relative_to(path).as_posix()} {size}\n".encode())
        with file.open("rb") as content:
            for start in sorted({size * sample // _SAMPLES for sample in range(_SAMPLES)}):
                content.seek(start)
                state.update(content.read(_SAMPLE))
    return state.hexdigest()[:16]


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
