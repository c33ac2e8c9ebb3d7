"""--catalog FILE: models added or replaced without touching code, in TOML.

    [[chat]]
    id = "my-model"                    # replaces the entry of this id, or adds one
    title = "My model"
    repo = "organisation/name"         # on the hub, or  path = "/a/folder"  on this machine
    revision = "main"                  # a branch, or better a commit
    licence = "Apache-2.0"
    card = "What it is good for, in a sentence."
    parameters = 3_080_000_000         # these five are on the model's card or in its config.json,
    layers = 36                        # and give the memory that it needs
    kv_heads = 4
    head_dim = 128
    context = 8192                     # the most tokens of one conversation to allow

Every key is checked: an unknown or missing one is refused by name.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines.catalog import chat_model
from pipelines.device import Device
from pipelines.errors import CatalogError
from pipelines.spec import ModelSpec
from pipelines.weights import Hub, Local


class _ChatEntry(BaseModel):
    """One [[chat]] table."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(min_length=1, max_length=200)
    title: str = Field(min_length=1, max_length=200)
    repo: str | None = Field(None, pattern=r"^\w[\w.-]*/\w[\w.-]*$")
    path: str | None = None
    revision: str = "main"
    licence: str
    card: str = ""
    parameters: int = Field(gt=0)
    layers: int = Field(gt=0)
    kv_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)
    context: int = Field(gt=0)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.repo is None) == (self.path is None):
            raise ValueError("give either “repo” or “path”")
        return self

    def spec(self, device: Device) -> ModelSpec[Any]:
        weights = Local(self.path) if self.path is not None else Hub(self.repo or "", self.revision)
        return chat_model(device, weights=weights, **self.model_dump(exclude={"repo", "path", "revision"}))


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    chat: list[_ChatEntry] = []


def read(path: Path, device: Device) -> list[ModelSpec[Any]]:
    """The specs in a catalog file. Raises CatalogError that names the entry, the key and what is wrong with it."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(f"The catalog file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"The catalog file {path} is not valid TOML: {error}.") from None
    try:
        return [entry.spec(device) for entry in _File.model_validate(tables).chat]
    except ValidationError as error:
        problems = "; ".join(_sentence(tables, dict(problem)) for problem in error.errors())
        raise CatalogError(f"In the catalog file {path}: {problems}.") from None


def _sentence(tables: dict[str, Any], problem: dict[str, Any]) -> str:
    kind, *where = problem["loc"]
    place = f"[[{kind}]]"
    if where and isinstance(where[0], int):
        entry = tables[kind][where.pop(0)]
        place += f" “{entry.get('id', '?')}”" if isinstance(entry, dict) else ""
    key = f"“{'.'.join(map(str, where)) or kind}”"
    match problem["type"]:
        case "extra_forbidden":
            return f"{place} has an unknown key {key}"
        case "missing":
            return f"{place} lacks {key}"
        case _:
            return f"{place}, {key}: {str(problem['msg']).removeprefix('Value error, ')}"
