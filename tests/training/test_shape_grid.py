"""Every shape, of every kind: one solid piece on the ground, inside its margin, the same for the same seed."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from scipy import ndimage

from training.shape_data import GROUPS, KINDS, sample
from training.shape_draft import Draft, Shape
from training.shape_grid import BAND, MARGIN, Stored, grid, packed, save, unpacked
from training.shape_parts import box, cylinder, ellipsoid, extruded, frustum, pyramid, revolved, sphere, torus, tube

SIDE = 32
SEEDS = range(3)  # of each kind
SOLIDS = {
    "box": box(0.4, 0.6, 0.8, 0.05), "cylinder": cylinder(0.3, 0.7), "frustum": frustum(0.4, 0.1, 0.6),
    "ellipsoid": ellipsoid(0.4, 0.2, 0.3), "sphere": sphere(0.3), "torus": torus(0.3, 0.1),
    "tube": tube([(0, 0, 0), (0.2, 0.3, 0), (0.3, 0.3, 0.2)], 0.1, 0.05), "pyramid": pyramid(0.6, 0.4, 0.5, 0.3),
    "extruded": extruded([(-0.3, -0.2), (0.3, -0.2), (0.1, 0.0), (0.2, 0.3)], 0.2),
    "revolved": revolved([(0, -0.3), (0.3, -0.3), (0.1, 0.0), (0.25, 0.3), (0, 0.3)]),
}  # fmt: skip


@pytest.fixture(scope="module")
def grids():
    return {(kind, seed): grid(sample(seed, kind=kind)[0], SIDE) for kind in KINDS for seed in SEEDS}


@pytest.mark.parametrize("name", SOLIDS)
def test_a_solid_lies_in_its_hull_and_no_distance_is_too_long(name):
    solid = SOLIDS[name]
    axis = np.linspace(-0.9, 0.9, 31, dtype=np.float32)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    distance = solid.distance(x, y, z)
    points = np.stack([x, y, z], -1)[distance < 0]
    assert len(points) > 50
    assert (points >= solid.hull.min(0) - solid.radius - 1e-5).all()
    assert (points <= solid.hull.max(0) + solid.radius + 1e-5).all()
    near = abs(distance) < 0.15
    steep = np.linalg.norm(np.gradient(distance, float(axis[1] - axis[0])), axis=0)
    assert np.quantile(steep[near], 0.98) < 1.3


@pytest.mark.parametrize("name", SOLIDS)
def test_broadcast_axes_give_what_points_give(name):
    axis = np.linspace(-0.5, 0.5, 7, dtype=np.float32)
    apart = np.broadcast_to(SOLIDS[name].distance(*np.ix_(axis, axis, axis)), (7, 7, 7))
    together = SOLIDS[name].distance(*np.meshgrid(axis, axis, axis, indexing="ij"))
    np.testing.assert_allclose(apart, together, atol=1e-6)


def test_every_group_has_eight_kinds_or_more():
    assert len(GROUPS) == 8 and all(len(kinds) >= 8 for kinds in GROUPS.values())
    names = [name for kinds in GROUPS.values() for kind in kinds for name in (kind.name, *kind.also)]
    assert len(names) == len(set(names))


def test_each_is_one_piece_without_hollows(grids):
    for key, one in grids.items():
        assert ndimage.label(one.distance < 0)[1] == 1, key
        assert ndimage.label(one.distance >= 0)[1] == 1, key


def test_each_stands_on_the_ground_inside_its_margin_and_fills_the_grid(grids):
    for key, one in grids.items():
        spans = [np.flatnonzero((one.distance < 0).any(axes)) for axes in ((1, 2), (0, 2), (0, 1))]
        assert abs(spans[1][0] - SIDE * MARGIN) <= 1, key
        assert min(span[0] for span in spans) >= SIDE * MARGIN - 1, key
        assert max(span[-1] for span in spans) <= SIDE * (1 - MARGIN), key
        assert max(len(span) for span in spans) >= SIDE * 0.72, key


def test_no_part_is_thinner_than_the_grid_can_hold():
    draft = Draft(Random(0), "red")
    draft.add(box(1, 0.001, 1), at=(0, 0.5, 0))
    draft.add(box(0.2, 1, 0.2), at=(0, 0.5, 0))
    one = grid(Shape(tuple(draft.parts), tuple(draft.palette)), SIDE)
    assert (one.distance < 0).any(1).sum() > 0.8 * (SIDE * (1 - 2 * MARGIN)) ** 2


def test_distances_are_true_near_the_surface(grids):
    """One voxel further is at most one voxel nearer, and paints are in the palette."""
    for one in grids.values():
        assert max(float(abs(np.diff(one.distance, axis=axis)).max()) for axis in range(3)) < 4.5
        assert abs(one.distance).max() <= BAND
        assert one.paint.max() < len(one.palette)


def test_the_same_seed_gives_the_same_and_others_differ():
    for seed in range(20):
        (shape, facts), (again, facts_again) = sample(seed), sample(seed)
        assert facts == facts_again and shape.palette == again.palette
        np.testing.assert_array_equal(grid(shape, 16).distance, grid(again, 16).distance)
    for kind in ("chair", "car", "cat"):
        volumes = {int((grid(sample(seed, kind=kind)[0], 24).distance < 0).sum()) for seed in range(12)}
        assert len(volumes) > 9


def test_a_file_gives_back_what_was_saved(tmp_path, grids):
    some = list(grids.values())[::40]
    save(tmp_path / "grids.npz", range(len(some)), some)
    stored = Stored.load(tmp_path / "grids.npz")
    assert len(stored) == len(some)
    for number, one in enumerate(some):
        back = stored[number]
        assert abs(back.distance - one.distance).max() <= BAND / 127 / 2 + 1e-6
        near = abs(one.distance) < BAND * 0.98
        np.testing.assert_array_equal(back.colour[near], one.colour[near])
    assert len(packed(some[0])) < 16_000
    assert unpacked(packed(some[0])).distance.shape == (SIDE,) * 3
