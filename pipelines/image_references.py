"""The pictures the built-in image model draws from: which of them fit a prompt.

Things are found by the sentence encoder: a prompt is cut into the phrases that name things, each phrase is compared
with every thing's name, and the nearest things' pictures, the asked style first, become the model's references. What
was found is told with its score, so that a page can show what a picture was drawn from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor

TEXT_WIDTH = 384

RELATIONS = r"\b(?:next to|beside|and|to the (?:left|right) of|above|below|on top of|under|over|with)\b"
BACKGROUND = (
    r"\b(?:on|in front of|against) (?:an? )?(?:\w+ )?background\b|\b\w+ background\b|\bwith empty space around it\b"
)
STYLE_WORDS = {
    "3d": r"\b(?:an? )?3d(?: render(?: of)?| style)?\b",
    "glossy": r"\b(?:an? )?glossy(?: style| gradient| icon of)?\b",
    "flat": r"\b(?:an? )?flat(?: design| style| icon of)?\b",
    "cartoon": r"\b(?:an? )?cartoon(?: sticker| style| of)?\b",
    "painted": r"\b(?:an? )?(?:painted(?: style| picture of)?|classic emoji)\b",
}


@dataclass(frozen=True)
class Found:
    row: int  # of the references
    name: str
    style: str
    score: float  # cosine of prompt and name


def style_of(prompt: str) -> str | None:
    return next((style for style, words in STYLE_WORDS.items() if re.search(words, prompt, re.IGNORECASE)), None)


def phrases(prompt: str) -> list[str]:
    """The parts of a prompt that name things: without style and background, cut where two things are related."""
    rest = re.sub(BACKGROUND, "", prompt, flags=re.IGNORECASE)
    for words in STYLE_WORDS.values():
        rest = re.sub(words, "", rest, flags=re.IGNORECASE)
    parts = [re.sub(r"^(?:an?|the)\s+", "", part.strip(" ,.")) for part in re.split(RELATIONS, rest)]
    return [part for part in parts if part] or [prompt]


class References(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Pictures as latents, with their names. A component of a diffusers pipeline that is looked up, never trained.

    names, styles: one per picture. vectors (pictures, 384): the sentence embedding of each one's name. latents
    (pictures, c, s, s), normalised.
    """

    vectors: Tensor
    latents: Tensor

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, names: Sequence[str], styles: Sequence[str], channels: int = 8, size: int = 16) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names, self.styles = list(names), list(styles)
        self.register_buffer("vectors", torch.zeros(len(names), TEXT_WIDTH))
        self.register_buffer("latents", torch.zeros(len(names), channels, size, size))

    @classmethod
    def of(cls, names: Sequence[str], styles: Sequence[str], vectors: Tensor, latents: Tensor) -> References:
        made: References = cls(names, styles, latents.shape[1], latents.shape[2])
        made.vectors, made.latents = vectors, latents
        return made

    def find(self, prompt: str, embed: Callable[[list[str]], Tensor], count: int) -> list[Found]:
        """The `count` best pictures, shared fairly between the things the prompt names."""
        texts, style = phrases(prompt), style_of(prompt)
        scores = (embed(texts).to(self.vectors) @ self.vectors.T).tolist()
        queues = []
        for line in scores:
            best = max(range(len(line)), key=line.__getitem__)
            same = [row for row, name in enumerate(self.names) if name == self.names[best]]
            same.sort(key=lambda row: self.styles[row] != style)
            queues.append([Found(row, self.names[row], self.styles[row], line[row]) for row in same])
        found: list[Found] = []
        while len(found) < count and any(queues):
            found += [queue.pop(0) for queue in queues if queue]
        return found[:count]

    def stack(self, found: list[list[Found]], slots: int) -> tuple[Tensor, Tensor]:
        """Per prompt the references as the model takes them: latents (n, slots, c, s, s) and where there is one."""
        latents = torch.zeros(len(found), slots, *self.latents.shape[1:])
        there = torch.zeros(len(found), slots, dtype=torch.bool)
        for i, some in enumerate(found):
            for j, one in enumerate(some[:slots]):
                latents[i, j] = self.latents[one.row].float()
                there[i, j] = True
        return latents, there
