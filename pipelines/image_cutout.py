"""A thing cut out of the page that it was drawn on, so that it can be laid on a page of any colour.

The page is white, and so may be much of the thing: a ghost, a panda. What is drawn white is a little darker than the
page, by less than matte() of video_things sees; how even the page is tells how little counts here. How much of a
pixel at the edge is the thing's, the colour next to it inside the thing tells: so no white is left around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import ndimage

from pipelines.video_things import ALIKE, PLAIN, RIM, SIDE, layer, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

WHITE = torch.ones(3)
WHITISH = 0.15  # what differs less from white is taken for the page's white
UNEVEN = 4  # times what half of the rim differs from the page at least: what differs less is page
LEAST, MOST = 0.026, 0.12  # of 1: the limits of that
ROUGH = 0.04  # the least in a picture that was not enlarged, in which the page is specked around things
LARGE = 2 * SIDE
SMOOTH = 0.8  # pixels of a side of 128, as all that follow
CRUMB = 6.0  # half the width of what is no thing, if it is so pale
SPECK = 40.0  # pixels, which are no thing, if they are pale
EDGE = 2.5
HARD = 1.5  # how wide an edge is that has no contrast
FAINT, STRONG = 0.06, 0.2  # contrast of a thing to its page: an edge's own colours say nothing, or all


def page_of(picture: Tensor, *, white: bool = True) -> Tensor:
    """The colour (3,) that an RGB picture (3, side, side) is drawn on. `white`: it was asked to be white, so that it
    is unless the rim is plainly of another colour."""
    common = plain(picture, 0.0)
    assert common is not None
    if white and float((common - WHITE).abs().max()) >= WHITISH and plain(picture, PLAIN) is None:
        return WHITE
    return common


def cut_out(picture: Tensor, page: Tensor) -> Tensor:
    """What is on the page, premultiplied RGBA in 0..1 (4, side, side), of an RGB picture (3, side, side)."""
    unit = picture.shape[-1] / SIDE
    drawn = picture - page[:, None, None]
    off = drawn.abs().amax(0).numpy()
    inside = _inside(off, unit)
    alpha = torch.from_numpy(inside).float()
    if inside.all():
        return layer(picture, page, alpha)
    depth = ndimage.distance_transform_edt(inside) / unit
    thin = (off > STRONG) & (depth >= ndimage.maximum_filter(depth, 3))
    core = inside & ((depth >= EDGE) | thin)
    if core.any():
        y, x = ndimage.distance_transform_edt(~core, return_distances=False, return_indices=True)
        inner = drawn[:, y, x]
        share = ((drawn * inner).sum(0) / inner.square().sum(0).clamp(min=1e-6)).clamp(0, 1)
        told = ((inner.abs().amax(0) - FAINT) / (STRONG - FAINT)).clamp(0, 1)
        hard = torch.from_numpy(depth / HARD).float().clamp(0, 1)
        edge = torch.from_numpy(inside & (depth < EDGE))
        alpha = torch.where(edge, share * told + hard * (1 - told), alpha)
    return layer(picture, page, alpha)


def glimpse(picture: Tensor) -> Tensor:
    """The same of a preview on white, at next to no cost: what is white in it is not there yet."""
    off = (1 - picture).amax(0)
    return layer(picture, WHITE, ((off - FAINT) / (STRONG - FAINT)).clamp(0, 1))


def _inside(off: NDArray[np.float32], unit: float) -> NDArray[np.bool_]:
    """All that is not page, or is enclosed. `off`: how far each pixel is from the page's colour."""
    rim = np.concatenate([off[:RIM].ravel(), off[-RIM:].ravel(), off[:, :RIM].ravel(), off[:, -RIM:].ravel()])
    limit = min(MOST, max(LEAST if off.shape[0] >= LARGE else ROUGH, UNEVEN * float(np.median(rim))))
    thing = ~_reached(off < max(limit, ALIKE))
    pale = ~_reached(ndimage.gaussian_filter(off, SMOOTH * unit) < limit)
    inside = thing | ~_shrunk(~_shrunk(pale, CRUMB * unit, around=False), CRUMB * unit)
    labels, count = ndimage.label(inside)
    numbers = np.arange(count + 1)
    small = ndimage.sum_labels(inside, labels, numbers) < SPECK * unit**2
    specks = small & (ndimage.maximum(off, labels, numbers) < STRONG)
    found: NDArray[np.bool_] = inside & ~specks[labels]
    return found


def _reached(alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What the page reaches from the rim."""
    labels, _ = ndimage.label(alike)
    ends = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    found: NDArray[np.bool_] = np.isin(labels, np.unique(ends[ends > 0]))
    return found


def _shrunk(mask: NDArray[np.bool_], by: float, around: bool = True) -> NDArray[np.bool_]:
    """`around`: what it is outside the picture."""
    shrunk: NDArray[np.bool_] = ndimage.minimum_filter(mask, 2 * round(by) + 1, mode="constant", cval=around)
    return shrunk
