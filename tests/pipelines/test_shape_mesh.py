"""A mesh is closed, in one piece, oriented, upright and of unit size, whatever the grid; and has its colours."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy import ndimage

from pipelines.errors import BadRequest
from pipelines.events import Solid
from pipelines.shape_mesh import mesh

SIDE = 48
AXIS = np.arange(SIDE, dtype=np.float32) + 0.5 - SIDE / 2
X, Y, Z = np.meshgrid(AXIS, AXIS, AXIS, indexing="ij")
BALL = np.sqrt(X**2 + Y**2 + Z**2) - 18
BOX = np.maximum(np.maximum(abs(X) - 10, abs(Y) - 20), abs(Z) - 6)
RING = np.hypot(np.hypot(X, Z) - 14, Y) - 5
CONE = (np.hypot(X, Z) - (20 - Y) / 2) * 0.9  # wide below
SOLIDS = {"ball": BALL, "box": BOX, "ring": RING, "cone": np.maximum(CONE, abs(Y) - 20)}


def solid(distance, colour=(200, 40, 40)):
    grid = np.empty((*distance.shape, 3), np.uint8)
    grid[:] = colour
    return Solid(np.clip(distance, -3, 3).astype(np.float16), grid)


def checked(made):
    """As trimesh sees it: closed, one piece, its outside outside."""
    seen = trimesh.Trimesh(made.vertices, made.faces, process=True)
    assert seen.is_watertight
    assert seen.is_winding_consistent
    assert seen.volume > 0
    assert seen.body_count == 1
    assert seen.extents.max() == pytest.approx(1, abs=1e-5)
    assert seen.bounds[0][1] == pytest.approx(0, abs=1e-6)
    assert seen.bounds[:, [0, 2]].mean(0) == pytest.approx([0, 0], abs=1e-6)
    return seen


@pytest.mark.parametrize("name", SOLIDS)
@pytest.mark.parametrize("detail", [1, 2, 3, 4])
def test_every_thing_is_closed_and_neither_coarse_nor_heavy(name, detail):
    made = mesh(solid(SOLIDS[name]), detail)
    checked(made)
    assert 5_000 <= len(made.faces) <= 50_000


def test_more_detail_is_more_triangles():
    counts = [len(mesh(solid(RING), detail).faces) for detail in (1, 2, 3, 4)]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize(("name", "euler"), [("ball", 2), ("box", 2), ("ring", 0)])
def test_a_hole_is_there_only_if_it_is_the_things_own(name, euler):
    assert checked(mesh(solid(SOLIDS[name]))).euler_number == euler


def test_it_stands_upright():
    made = mesh(solid(SOLIDS["cone"]))
    below, above = (made.vertices[(made.vertices[:, 1] > 0.5) == high] for high in (False, True))
    assert np.ptp(below[:, 0]) > 1.5 * np.ptp(above[:, 0])


def test_the_front_stays_in_front_and_the_right_at_the_right():
    made = mesh(solid(np.minimum(np.maximum(BALL, -X), np.maximum(BOX, -Z))))
    assert made.vertices[:, 0].max() > -made.vertices[:, 0].min() - 1e-5
    colour = np.zeros((SIDE, SIDE, SIDE, 3), np.uint8)
    colour[SIDE // 2 :, :, :, 0] = colour[:, SIDE // 2 :, :, 1] = colour[:, :, SIDE // 2 :, 2] = 250
    made = mesh(Solid(BALL.astype(np.float16), colour))
    for axis, middle in enumerate((0, 0.5, 0)):
        far = abs(made.vertices[:, axis] - middle) > 0.1
        assert ((made.colours[far, axis] > 125) == (made.vertices[far, axis] > middle)).all()


@pytest.mark.parametrize("seed", range(6))
def test_wild_grids_are_closed_too(seed):
    """Noise, with every ambiguity that marching cubes knows."""
    noise = np.random.default_rng(seed).normal(size=(24, 24, 24))
    wild = ndimage.gaussian_filter(noise, 0.6 + 0.3 * (seed % 3))
    checked(mesh(solid(wild * 8), detail=1 + seed % 4, smoothing=seed / 5))


def test_values_of_exactly_nothing_are_closed_too():
    checked(mesh(solid(np.round(BALL))))
    checked(mesh(solid(np.maximum(np.maximum(abs(X), abs(Y)), abs(Z)) - 12.5)))


def test_a_thing_that_fills_the_grid_to_its_border_is_closed():
    checked(mesh(solid(np.maximum(BALL - 3, 8 - SIDE / 2 - Y))))


def test_hollows_are_filled_and_crumbs_fall_away():
    full = checked(mesh(solid(BALL)))
    hollow = checked(mesh(solid(np.maximum(BALL, -(BALL + 8)))))
    crumbs = checked(mesh(solid(np.minimum(BALL, np.sqrt((X - 20) ** 2 + (Y - 20) ** 2 + Z**2) - 2))))
    assert hollow.volume == pytest.approx(full.volume, rel=0.01)
    assert crumbs.volume == pytest.approx(full.volume, rel=0.01)


def test_pieces_that_almost_touch_are_one():
    """A leg that ends half a voxel under its seat belongs to it."""
    leg = np.maximum(np.maximum(abs(X) - 2, abs(Z) - 2), np.maximum(Y - 3.4, -20 - Y))
    seat = np.maximum(np.maximum(abs(X) - 12, abs(Z) - 12), np.maximum(4.6 - Y, Y - 9))
    made = checked(mesh(solid(np.minimum(leg, seat))))
    assert made.extents[1] > 0.9 * made.extents[0]


def test_smoothing_takes_roughness_and_leaves_the_size():
    rough = np.random.default_rng(0).normal(size=BALL.shape) * 0.25 + BALL
    plain, smooth = (checked(mesh(solid(rough), 2, smoothing)) for smoothing in (0.0, 1.0))
    assert np.std(smooth.face_adjacency_angles) < 0.5 * np.std(plain.face_adjacency_angles)
    assert smooth.volume == pytest.approx(plain.volume, rel=0.05)


def test_normals_point_outwards():
    made = mesh(solid(BALL))
    outwards = made.vertices - made.vertices.mean(0)
    assert ((made.normals * outwards).sum(1) > 0.45).all()


@pytest.mark.parametrize(("level", "said"), [(3, "empty"), (-3, "full")])
def test_nothing_and_everything_are_refused_in_words(level, said):
    with pytest.raises(BadRequest, match=said):
        mesh(solid(np.full((16, 16, 16), level)))


def test_the_same_grid_gives_the_same_mesh():
    one, two = (mesh(solid(RING), 3, 0.5) for _ in range(2))
    assert (one.vertices == two.vertices).all()
    assert (one.faces == two.faces).all()
    assert (one.colours == two.colours).all()


def test_a_speck_smaller_than_a_step_has_a_surface_too():
    speck = np.full((48, 48, 48), 3.0)
    speck[24, 24, 24] = -0.01
    checked(mesh(solid(speck), 1))
