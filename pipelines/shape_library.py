"""The shapes that the built-in 3D model makes others after: which kind a prompt asks for, and which of its shapes fit.

A kind is found by its name, or else by the nearest meaning; its shapes by what their captions say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Generator, Tensor

TEXT_WIDTH = 384
STEPS = 41.0  # near zero, to a standard deviation; wider further out, so that eleven to each side have room
SAID = 0.3  # what a paint that the prompt names is worth, in cosines
CHANCE = 0.04  # how far chance can push shapes that fit nearly as well
RENAMED = {
    "golden": "golden gold",
    "wooden": "wooden wood",
    "metal": "metal metallic silver steel",
    "grey": "grey gray",
}

Embed = Callable[[list[str]], Tensor]


@dataclass(frozen=True)
class Kind:
    """What a prompt was taken for. `named`: whether it says so itself, in one of the words for it."""

    name: str
    named: bool
    nearest: tuple[str, ...]  # kinds by meaning, the nearest first


def quantised(latents: Tensor) -> Tensor:
    """One byte for each number."""
    return (latents.float().asinh() * STEPS + 128).round().clamp(0, 255).byte()


def restored(latents: Tensor) -> Tensor:
    return ((latents.float() - 128) / STEPS).sinh()


def core(prompt: str) -> str:
    """What a prompt says before it goes into details."""
    return re.split(r"\b(?:with|in|on|under)\b|,", prompt, maxsplit=1)[0].strip() or prompt


class ShapeLibrary(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Shapes as latents (n, channels, size, size, size), one byte for each number; looked up, never trained.

    `names` are the words for each kind, its own name first; `kinds` and `paints` are of each shape; `tints` says what
    colour each paint is, red, green and blue of 255. vectors (n, 384): the sentence embeddings of their captions;
    meanings: those of all names, one kind after another.
    """

    vectors: Tensor
    meanings: Tensor
    latents: Tensor

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        names: Sequence[Sequence[str]],
        kinds: Sequence[str],
        paints: Sequence[str],
        channels: int = 32,
        size: int = 8,
        tints: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tints = {paint: (int(r), int(g), int(b)) for paint, (r, g, b) in (tints or {}).items()}
        self.names = {words[0]: tuple(words) for words in names}
        self.kinds, self.paints = list(kinds), list(paints)
        self.register_buffer("vectors", torch.zeros(len(self.kinds), TEXT_WIDTH))
        self.register_buffer("meanings", torch.zeros(sum(map(len, self.names.values())), TEXT_WIDTH))
        self.register_buffer("latents", torch.zeros(len(self.kinds), channels, size, size, size, dtype=torch.uint8))

    @classmethod
    def of(
        cls,
        names: Sequence[Sequence[str]],
        kinds: Sequence[str],
        paints: Sequence[str],
        vectors: Tensor,
        latents: Tensor,
        embed: Embed,
        tints: Mapping[str, Sequence[int]] | None = None,
    ) -> ShapeLibrary:
        made: ShapeLibrary = cls(names, kinds, paints, latents.shape[1], latents.shape[2], tints)
        made.vectors, made.latents = vectors, latents
        made.meanings = embed([word for words in made.names.values() for word in words])
        return made

    def kind(self, prompt: str, embed: Embed) -> Kind:
        """The kind that the prompt names first, or else the one nearest in meaning."""
        text = prompt.lower()
        scores = (embed([core(text)]).to(self.meanings) @ self.meanings.T)[0].tolist()
        best: dict[str, float] = {}
        found: list[tuple[int, int, str]] = []
        for kind, words in self.names.items():
            for word in words:
                best[kind] = max(best.get(kind, -1.0), scores.pop(0))
                if match := re.search(rf"\b{re.escape(word)}(?:s|es)?\b", text):
                    found.append((match.start(), -len(word), kind))
        nearest = tuple(sorted(best, key=lambda kind: -best[kind]))
        return Kind(min(found)[2], True, nearest) if found else Kind(nearest[0], False, nearest)

    def find(self, prompt: str, kind: str, embed: Embed, count: int, generator: Generator) -> list[int]:
        """The rows of this kind's shapes that fit best; chance decides among those that fit alike."""
        rows = [row for row, each in enumerate(self.kinds) if each == kind]
        return ranked(self, rows, embed([prompt])[0], paint_in(prompt, self.paints), generator)[:count]

    def stack(self, rows: Sequence[int], slots: int) -> Tensor:
        """These shapes' latents (1, slots, c, s, s, s) as the denoiser takes them, zero where there are no more."""
        latents = torch.zeros(1, slots, *self.latents.shape[1:])
        for slot, row in enumerate(rows[:slots]):
            latents[0, slot] = restored(self.latents[row])
        return latents


def ranked(library: ShapeLibrary, rows: Sequence[int], told: Tensor, paint: str, generator: Generator) -> list[int]:
    fits = library.vectors[list(rows)].float() @ told.to(library.vectors.device).float()
    fits = fits + SAID * torch.tensor([library.paints[row] == paint for row in rows])
    fits = fits + CHANCE * torch.randn(len(rows), generator=generator)
    return [rows[i] for i in fits.argsort(descending=True).tolist()]


def paint_in(prompt: str, paints: Sequence[str]) -> str:
    """The first of these paints that the prompt names, "" if it names none."""
    words = re.findall(r"\w+", core(prompt).lower()) or [""]
    words += re.findall(r"\w+", prompt.lower())
    known = {word: paint for paint in set(paints) for word in RENAMED.get(paint, paint).split()}
    return next((known[word] for word in words if word in known), "")
