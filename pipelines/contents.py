"""What is in a repository, known before any of its weights are fetched: files, and parameters by folder.

A safetensors file says at its beginning what is in it. One file of each folder is asked; the others of that folder
hold as many parameters for their bytes.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines import hub
from pipelines.errors import BadWeights

if TYPE_CHECKING:
    from pipelines.weights import Hub

SUFFIX = ".safetensors"
LONGEST_HEADER = 100 * 2**20  # as in the format's own description


@dataclass(frozen=True)
class Contents:
    """Files by name, with their bytes; the class of diffusers that runs them, "" where nobody says."""

    files: Mapping[str, int]
    parameters: Mapping[str, int]  # by folder
    pipeline: str = ""


def of_folder(folder: Path) -> Contents:
    """What is in a folder on this machine."""
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    index = folder / "model_index.json"
    pipeline = json.loads(index.read_text(encoding="utf-8")).get("_class_name", "") if index.is_file() else ""
    return Contents(files, _counted(files, lambda name: _header(folder / name)), pipeline)


def of_snapshot(weights: Hub, snapshot: hub.Snapshot, endpoint: str | None) -> Contents:
    """What is in a commit on the hub."""
    files = {file.name: file.size for file in snapshot.files}
    counted = _counted(files, lambda name: hub.header(weights, snapshot, name, endpoint))
    return Contents(files, counted, snapshot.pipeline)


def _counted(files: Mapping[str, int], count: Callable[[str], int]) -> dict[str, int]:
    folders: dict[str, list[str]] = defaultdict(list)
    for name in sorted(files):
        if name.endswith(SUFFIX):
            folders[str(PurePosixPath(name).parent)].append(name)
    return {
        folder: math.ceil(count(names[0]) * sum(files[name] for name in names) / files[names[0]])
        for folder, names in folders.items()
    }


def _header(path: Path) -> int:
    """How many parameters a safetensors file holds."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            tensors = json.loads(file.read(min(length, LONGEST_HEADER)))
            return sum(math.prod(each["shape"]) for name, each in tensors.items() if name != "__metadata__")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BadWeights(f"{path.name} is not a safetensors file, whatever its name says.") from None
