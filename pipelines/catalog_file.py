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
    patches = 4096                     # of a model that sees: the most that it makes of a picture of 1,024 pixels,
    patch_width = 4096                 # and its eyes' widest layer, `intermediate_size` in config.json

    [[code]]                           # as [[chat]], for the code tab; and, if it fills gaps in code:
    id = "my-coder"
    fim = "qwen"                       # whose marks it knows: see FAMILIES in pipelines/code_fim.py

    [[image]]                          # any model in diffusers' layout, of a family in pipelines/image_families.py
    id = "my-painter"                  # id, title, repo or path, revision, licence and card as above
    title = "My painter"
    repo = "organisation/name"
    licence = "Apache-2.0"
    parameters = [2_570_000_000, 820_000_000, 84_000_000]   # of each part, or one number for all of them; where
                                       # they are given apart, a GPU that is too small for all takes them in turns
    steps = 30                         # what it does best
    guidance = 5.0
    side = 1024                        # pixels of a square picture
    pixels = 2_097_152                 # the most, width times height
    upscale = 1                        # 4: enlarge each picture four times, unless a request says otherwise

    [[speech]]                         # any model of a family in pipelines/speech_families.py; id, title, repo or
    id = "my-voice"                    # path, revision, licence and card as above
    title = "My voice"
    repo = "facebook/mms-tts-nld"
    licence = "CC-BY-NC 4.0"
    family = "vae"                     # those can be told a speed; without this line: "autoregressive"
    parameters = 36_300_000
    codec = "descript/dac_44khz"       # of Dia and Pocket TTS: a repository or a folder; its parameters count too
    reference = "may"                  # whether it speaks in the voice of a recording: "may", or it "must"
    speakers = 2                       # how many it tells apart in a script

    [[music]]                          # the built-in composer, played with another soundfont; id, title, repo or
    id = "my-band"                     # path, revision, licence and card as above
    title = "My band"
    path = "/a/file.sf2"
    licence = "MIT"

    [[lora]]                           # for image requests, by its id
    id = "my-style"
    title = "My style"
    repo = "organisation/name"         # or  path = "/a/file.safetensors"
    revision = "main"
    file = "style.safetensors"         # where the repository has several

Every key is checked: an unknown or missing one is refused by name.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines.catalog import Sight, chat_model
from pipelines.code_fim import FAMILIES, Fim
from pipelines.device import Device
from pipelines.errors import CatalogError
from pipelines.image_catalog import PATTERNS, image_model
from pipelines.image_families import MadeFor
from pipelines.image_lora import REPO, Lora
from pipelines.music_catalog import music_model
from pipelines.spec import Modality, ModelSpec
from pipelines.speech_catalog import hub_model as speech_model
from pipelines.weights import Hub, Local

Count = Annotated[int, Field(gt=0)]


class _Entry(BaseModel):
    """What the tables have in common."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(min_length=1, max_length=200)
    title: str = Field(min_length=1, max_length=200)
    repo: str | None = Field(None, pattern=rf"^{REPO}$")
    path: str | None = None
    revision: str = "main"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.repo is None) == (self.path is None):
            raise ValueError("give either “repo” or “path”")
        return self

    def weights(self, patterns: tuple[str, ...]) -> Hub | Local:
        return Local(self.path) if self.path is not None else Hub(self.repo or "", self.revision, patterns)


class _ModelEntry(_Entry):
    licence: str
    card: str = ""


class _ChatEntry(_ModelEntry):
    """One [[chat]] table."""

    parameters: Count
    layers: Count
    kv_heads: Count
    head_dim: Count
    context: Count
    patches: Count | None = None
    patch_width: Count | None = None

    @model_validator(mode="after")
    def _sees_or_not(self) -> Self:
        if (self.patches is None) != (self.patch_width is None):
            raise ValueError("of a model that sees give both “patches” and “patch_width”")
        return self

    def spec(self, device: Device) -> ModelSpec[Any]:
        return self._of("chat", device)

    def _of(self, modality: Modality, device: Device, fim: Fim | None = None) -> ModelSpec[Any]:
        facts = self.model_dump(exclude={"repo", "path", "revision", "patches", "patch_width", "fim"})
        sight = Sight(self.patches, self.patch_width) if self.patches and self.patch_width else None
        weights = self.weights(Hub.patterns)
        return chat_model(device, weights=weights, modality=modality, fim=fim, sight=sight, **facts)


class _CodeEntry(_ChatEntry):
    """One [[code]] table."""

    fim: Literal["qwen", "starcoder", "deepseek", "codellama", "codestral"] | None = None

    def spec(self, device: Device) -> ModelSpec[Any]:
        return self._of("code", device, None if self.fim is None else FAMILIES[self.fim])


class _ImageEntry(_ModelEntry):
    """One [[image]] table."""

    parameters: Count | Annotated[list[Count], Field(min_length=1)]
    steps: int = Field(ge=1, le=150)
    guidance: float = Field(ge=0, le=30)
    side: int = Field(ge=64, le=4_096)
    pixels: int = Field(gt=0)
    upscale: Literal[1, 4] = 1

    @model_validator(mode="after")
    def _square_fits(self) -> Self:
        if self.pixels < self.side**2:
            raise ValueError(f"“pixels” is less than a square of {self.side} has: {self.side**2:_}")
        return self

    def spec(self, device: Device) -> ModelSpec[Any]:
        return image_model(
            device,
            weights=self.weights(PATTERNS),
            parts=self.parameters if isinstance(self.parameters, list) else [self.parameters],
            made_for=MadeFor(self.steps, self.guidance, self.side, self.pixels, self.upscale),
            **self.model_dump(include={"id", "title", "licence", "card"}),
        )


class _SpeechEntry(_ModelEntry):
    """One [[speech]] table. Which classes run it, the model itself says once it is there."""

    family: Literal["autoregressive", "diffusion", "vae"] = "autoregressive"
    parameters: Count
    codec: str | None = None
    reference: Literal["no", "may", "must"] = "no"
    speakers: Count = 1

    def spec(self, device: Device) -> ModelSpec[Any]:
        facts = self.model_dump(exclude={"repo", "path", "revision", "codec"})
        codec = None
        if self.codec is not None:
            codec = Hub(self.codec) if re.fullmatch(REPO, self.codec) else Local(self.codec)
        return speech_model(weights=self.weights(Hub.patterns), codec=codec, **facts)


class _MusicEntry(_ModelEntry):
    """One [[music]] table: whose soundfont it is."""

    def spec(self, device: Device) -> ModelSpec[Any]:
        facts = self.model_dump(include={"id", "title", "licence", "card"})
        return music_model(self.weights(("*.sf2",)), **facts)


class _LoraEntry(_Entry):
    """One [[lora]] table."""

    file: str | None = Field(None, pattern=r"\.safetensors$")

    def lora(self) -> Lora:
        return Lora(self.id, self.title, self.weights((self.file or "*.safetensors",)))


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    chat: list[_ChatEntry] = []
    code: list[_CodeEntry] = []
    image: list[_ImageEntry] = []
    speech: list[_SpeechEntry] = []
    music: list[_MusicEntry] = []
    lora: list[_LoraEntry] = []


@dataclass(frozen=True)
class Added:
    """What a catalog file brings."""

    models: tuple[ModelSpec[Any], ...] = ()
    loras: tuple[Lora, ...] = ()


def read(path: Path, device: Device) -> Added:
    """What is in a catalog file. Raises CatalogError that names the entry, the key and what is wrong with it."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(f"The catalog file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"The catalog file {path} is not valid TOML: {error}.") from None
    try:
        file = _File.model_validate(tables)
    except ValidationError as error:
        problems = "; ".join(_sentence(tables, dict(problem)) for problem in error.errors())
        raise CatalogError(f"In the catalog file {path}: {problems}.") from None
    entries: list[_ChatEntry | _ImageEntry | _SpeechEntry | _MusicEntry]
    entries = [*file.chat, *file.code, *file.image, *file.speech, *file.music]
    return Added(tuple(entry.spec(device) for entry in entries), tuple(entry.lora() for entry in file.lora))


def _sentence(tables: dict[str, Any], problem: dict[str, Any]) -> str:
    kind, *where = problem["loc"]
    place = f"[[{kind}]]"
    if where and isinstance(where[0], int):
        entry = tables[kind][where.pop(0)]
        place += f" “{entry.get('id', '?')}”" if isinstance(entry, dict) else ""
    key = f"“{where[0] if where else kind}”"
    match problem["type"]:
        case "extra_forbidden":
            return f"{place} has an unknown key {key}"
        case "missing":
            return f"{place} lacks {key}"
        case _:
            return f"{place}, {key}: {str(problem['msg']).removeprefix('Value error, ')}"
