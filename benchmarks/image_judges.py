"""What can be read off a drawn picture without a network: its colours, and how near it is to those that were learned.

Pictures are RGB in -1..1, (3, h, w) or (n, 3, h, w).
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.image_grounds import COLOURS
from training.captions import HUES, hsv
from training.pictures import PictureSet, on

BORDER = 3  # pixels of the picture's rim that no thing of the set reaches
APART = 0.1  # of 1, in some channel: further from the rim's colour than this is no background
COLOURFUL = 0.35  # the least saturation that has a hue
LOOK = 32  # pixels a side at which pictures are compared
UNCOMMON = 0.05


def nearest_hue(hue: float) -> str:
    """The colour word for a fraction of the colour circle."""
    return min(HUES, key=lambda word: abs((hue - HUES[word] + 0.5) % 1 - 0.5))


def background_colour(picture: Tensor) -> Tensor:
    """The rim's median, (3,) in 0..1."""
    inside = torch.zeros(picture.shape[1:], dtype=torch.bool)
    inside[BORDER:-BORDER, BORDER:-BORDER] = True
    return picture[:, ~inside].median(1).values / 2 + 0.5


def background_word(picture: Tensor) -> str:
    """The word for the colour that the picture's rim has."""
    colour = background_colour(picture) * 255
    return min(COLOURS, key=lambda word: float((colour - torch.tensor(COLOURS[word])).square().sum()))


def hue_word(picture: Tensor) -> str | None:
    """The word for the hue of the thing in the picture; None if hardly any of it is colourful."""
    rgb = picture / 2 + 0.5
    thing = (rgb - background_colour(picture)[:, None, None]).abs().amax(0, keepdim=True) > APART
    hue, saturation, visible = hsv(torch.cat([rgb * thing, thing.float()]))
    strong = visible * (saturation > COLOURFUL)
    if strong.sum() < 0.1 * max(1.0, visible.sum()):
        return None
    mean = complex((np.exp(2j * np.pi * hue) * strong).sum())
    return nearest_hue(cmath.phase(mean) / (2 * math.pi))


def spread(vectors: Tensor) -> tuple[float, float]:
    """Of (prompts, seeds, ...): the mean distance between pictures of one prompt, and of different prompts."""
    prompts, seeds = vectors.shape[:2]
    apart = torch.cdist(
        vectors.reshape(1, prompts * seeds, -1).double(), vectors.reshape(1, prompts * seeds, -1).double()
    )[0]
    prompt = torch.arange(prompts).repeat_interleave(seeds)
    same = prompt[:, None] == prompt
    itself = torch.eye(len(prompt), dtype=torch.bool)
    return float(apart[same & ~itself].mean()), float(apart[~same].mean())


@dataclass(frozen=True)
class Memory:
    """How near pictures are to the nearest that was learned, beside how near new real pictures are to theirs."""

    distance: float  # median
    real: float
    near: float  # the share of pictures nearer than all but the nearest 5 % of the real ones


class Known:
    """The pictures that were learned from, small and on white; a distance of 1 is that from black to white."""

    def __init__(self, pictures: PictureSet) -> None:
        rows = pictures.rows(withheld=False)
        shrunk = [F.adaptive_avg_pool2d(pictures.layers(part), LOOK) for part in rows.split(256)]
        self._looks = torch.cat([looks(on(part, torch.ones(len(part), 3))) for part in shrunk])

    def distances(self, pictures: Tensor) -> Tensor:
        """From each picture to the learned one that is nearest, (n,)."""
        mine = looks(pictures)
        return torch.cdist(mine, self._looks).amin(1) / mine.shape[1] ** 0.5

    def memory(self, drawn: Tensor, real: Tensor) -> Memory:
        """Of drawn pictures; `real` are real ones that were not learned from."""
        mine, theirs = self.distances(drawn), self.distances(real)
        near = mine < theirs.quantile(UNCOMMON)
        return Memory(float(mine.median()), float(theirs.median()), float(near.float().mean()))


def looks(pictures: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(pictures / 2 + 0.5, LOOK).flatten(1)
