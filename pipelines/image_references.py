"""The pictures the built-in image model draws from: which of them fit a prompt.

Things are found by the sentence encoder: a prompt is cut into the phrases that name things, each phrase is compared
with every thing's name, and the nearest things' pictures, the asked style and those like it first, become the model's
references. What was found is told with its score, so that a page can show what a picture was drawn from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor

from pipelines.image_model import Shown

T = TypeVar("T")
TEXT_WIDTH = 384
SMALL = 0.48  # the size of a thing that is drawn small, or with others

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


STYLES = tuple(STYLE_WORDS)
NEAREST = {  # in which other style a thing looks most like itself in this one; measured on the pictures' latents
    "3d": ("3d", "glossy", "flat", "cartoon", "painted"),
    "glossy": ("glossy", "3d", "flat", "cartoon", "painted"),
    "flat": ("flat", "3d", "glossy", "cartoon", "painted"),
    "cartoon": ("cartoon", "flat", "3d", "glossy", "painted"),
    "painted": ("painted", "flat", "glossy", "3d", "cartoon"),
}


@dataclass(frozen=True)
class Found:
    row: int  # of the references
    name: str
    style: str
    score: float  # cosine of prompt and name
    thing: int = 0  # which of the things that the prompt names this is a picture of


def style_of(prompt: str) -> str | None:
    return next((style for style, words in STYLE_WORDS.items() if re.search(words, prompt, re.IGNORECASE)), None)


def style_number(style: str | None) -> int:
    """As the denoiser counts them; a number past the last for a style nobody named."""
    return len(STYLES) if style is None else STYLES.index(style)


def in_turn(queues: Sequence[Sequence[T]], count: int) -> list[T]:
    """The first `count` when each queue gives one in turn: all the firsts, then all the seconds."""
    rounds = (queue[turn : turn + 1] for turn in range(count) for queue in queues)
    return [one for some in rounds for one in some][:count]


def phrases(prompt: str, whole: Sequence[str] = ()) -> list[str]:
    """The parts of a prompt that name things: without style and background, cut where two things are related.

    `whole` are names that are not cut, such as "camera with flash".
    """
    rest = re.sub(BACKGROUND, "", prompt, flags=re.IGNORECASE)
    for words in STYLE_WORDS.values():
        rest = re.sub(words, "", rest, flags=re.IGNORECASE)
    names = [found.span() for name in whole for found in re.finditer(rf"\b{re.escape(name)}\b", rest, re.IGNORECASE)]
    cuts = [cut.span() for cut in re.finditer(RELATIONS, rest)]
    cuts = [cut for cut in cuts if not any(start <= cut[0] < end for start, end in names)]
    ends = [0, *(end for cut in cuts for end in cut), len(rest)]
    some = [rest[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True)]
    parts = [re.sub(r"^(?:an?|the)\s+", "", part.strip(" ,.")) for part in some]
    return [part for part in parts if part] or [prompt]


class References(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Pictures as latents, with their names. A component of a diffusers pipeline that is looked up, never trained.

    names, styles: one per picture. vectors (pictures, 384): the sentence embedding of each one's name. latents
    (pictures, c, s, s), normalised; small (pictures, c, s / 2, s / 2): of the thing SMALL.
    """

    vectors: Tensor
    latents: Tensor
    small: Tensor

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, names: Sequence[str], styles: Sequence[str], channels: int = 8, size: int = 16) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names, self.styles = list(names), list(styles)
        self._whole = [name for name in dict.fromkeys(names) if re.search(RELATIONS, name)]
        self.register_buffer("vectors", torch.zeros(len(names), TEXT_WIDTH))
        self.register_buffer("latents", torch.zeros(len(names), channels, size, size))
        self.register_buffer("small", torch.zeros(len(names), channels, size // 2, size // 2))

    @classmethod
    def of(
        cls, names: Sequence[str], styles: Sequence[str], vectors: Tensor, latents: Tensor, small: Tensor
    ) -> References:
        made: References = cls(names, styles, latents.shape[1], latents.shape[2])
        made.vectors, made.latents, made.small = vectors, latents, small
        return made

    def find(self, prompt: str, embed: Callable[[list[str]], Tensor], count: int) -> list[Found]:
        """The `count` best pictures, shared fairly between the things the prompt names."""
        texts, order = phrases(prompt, self._whole), NEAREST[style_of(prompt) or STYLES[0]]
        scores = (embed(texts).to(self.vectors) @ self.vectors.T).tolist()
        queues = []
        for thing, line in enumerate(scores):
            best = max(range(len(line)), key=line.__getitem__)
            same = [row for row, name in enumerate(self.names) if name == self.names[best]]
            same.sort(key=lambda row: order.index(self.styles[row]))
            queues.append([Found(row, self.names[row], self.styles[row], line[row], min(thing, 1)) for row in same])
        return in_turn(queues, count)

    def stack(self, found: list[list[Found]], slots: int) -> Shown:
        """Per prompt the references as the denoiser takes them."""
        latents, small = (torch.zeros(len(found), slots, *kept.shape[1:]) for kept in (self.latents, self.small))
        there = torch.zeros(len(found), slots, dtype=torch.bool)
        styles, things = torch.zeros(2, len(found), slots, dtype=torch.long)
        for i, some in enumerate(found):
            for j, one in enumerate(some[:slots]):
                latents[i, j], small[i, j] = self.latents[one.row].float(), self.small[one.row].float()
                there[i, j] = True
                styles[i, j], things[i, j] = style_number(one.style), one.thing
        return Shown(latents, small, there, styles, things)
