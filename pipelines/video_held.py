"""What a motion leaves as it is stays so to the pixel: a thing that slides neither trembles nor turns.

The network predicts all numbers of all motions, and none without a little error. Which of them a motion changes at all
is part of what its word means (video_motions.CHANGES); the others are held, and a matrix is made what it has to be, a
turn and a size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pipelines.video_motions import ALIVE, CHANGES
from pipelines.video_warp import Fields

if TYPE_CHECKING:
    from torch import Tensor


def held(fields: Fields, motion: str, from_first: bool) -> Fields:
    """The same motion without what it never does. `from_first`: what is held stays as it is in the first frame;
    otherwise as it is in the middle of what was predicted."""
    changes = CHANGES[motion]
    x, y, a, b, c, d, opacity = fields.moves.unbind(-1)  # each (frames, things)
    size = torch.hypot(a + d, c - b) / 2  # of the turn that is nearest to the matrix
    angle = torch.atan2(c - b, a + d)

    def kept(values: Tensor, name: str) -> Tensor:
        if name in changes:
            return values
        return (values[:1] if from_first else values.median(0, keepdim=True).values).expand_as(values)

    x, y, size = kept(x, "x"), kept(y, "y"), kept(size, "size")
    if "turn" not in changes:
        angle = torch.zeros_like(angle)
    if "opacity" not in changes:
        opacity = torch.ones_like(opacity)
    cos, sin = size * angle.cos(), size * angle.sin()
    inner = fields.inner if motion == ALIVE else torch.zeros_like(fields.inner)
    return Fields(torch.stack([x, y, cos, -sin, sin, cos, opacity], -1), inner)
