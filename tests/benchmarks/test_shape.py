"""What the 3D benchmarks count by: closed meshes, ways between surfaces, prompts that nobody learned."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmarks.shape_quality import Quality, apart, asked, closed, sheet
from pipelines import shape
from pipelines.events import Solid
from pipelines.shape_mesh import Mesh
from tests.pipelines import tiny_shape
from training.shape_paints import withheld

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)


def solid(faces):
    return Mesh(CORNERS, np.array(faces, np.int32), np.zeros((4, 3), np.uint8))


def ball(radius, side=48):
    axis = np.arange(side) + 0.5 - side / 2
    return np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None] ** 2) - radius


def test_a_mesh_is_closed_only_if_nothing_is_missing_or_turned_inside_out():
    assert closed(solid(FACES))
    assert not closed(solid(FACES[:3]))
    assert not closed(solid([*FACES[:3], FACES[3][::-1]]))
    assert not closed(solid([*FACES, FACES[0]]))


def test_surfaces_are_as_far_apart_as_they_are():
    assert apart(ball(12), ball(12)) < 0.5
    assert apart(ball(12), ball(14)) == pytest.approx(2, abs=0.2)
    assert apart(ball(12), ball(14)) == apart(ball(14), ball(12))
    assert apart(ball(12), np.full((48, 48, 48), 3)) == pytest.approx(3)


@pytest.mark.parametrize("held", [False, True])
def test_prompts_are_of_pairs_that_were_learned_or_of_withheld_ones(held):
    some = asked(30, held)
    assert all(withheld(one.kind, one.colour) == held for one in some)
    assert len({one.prompt for one in some}) > 25
    assert (some[0].real().distance < 0).any()


def test_a_whole_round_with_a_tiny_model(tmp_path):
    tiny_shape.built_in(tmp_path)
    quality = Quality(shape.load(tmp_path), None, None, 1)
    some = asked(2, False)
    made = [quality.make(one) for one in some]
    figures = {figure.key: figure for figure in quality.figures(some, made, 1)}
    assert figures["closed"].value == 1
    assert figures["diversity"].real > 0
    assert sheet(some, made).size[0] == 8 * 144


def test_a_sheet_shows_every_thing():
    paint = np.full((48, 48, 48, 3), (220, 30, 30), np.uint8)
    red = Solid(np.clip(ball(15), -3, 3).astype(np.float16), paint)
    page: Image.Image = sheet(asked(9, False), [red] * 9)
    colours = np.asarray(page)
    assert all((colours[y : y + 144, x : x + 144, 0] > 2 * colours[y : y + 144, x : x + 144, 1] + 1).any()
               for x, y in [(0, 0), (7 * 144, 0), (0, 178)])  # fmt: skip
