"""Files of things: other programs read the same thing out of them, and they say how it was made."""

from __future__ import annotations

import io
import json
import struct

import av
import numpy as np
import pytest
import trimesh

from pipelines import shape_file
from pipelines.errors import BadRequest
from pipelines.events import Recipe, Solid
from pipelines.shape_mesh import mesh

RECIPE = Recipe("polymuse-shapes", "bundled 1", 7, {"prompt": "a red “egg”\nwith two lines", "detail": 1}, {"x": "1"})
AXIS = np.arange(24, dtype=np.float32) + 0.5 - 12
X, Y, Z = np.meshgrid(AXIS, AXIS, AXIS, indexing="ij")


@pytest.fixture(scope="module")
def egg():
    """Taller than wide; red above, blue below."""
    colour = np.zeros((24, 24, 24, 3), np.uint8)
    colour[:, 12:] = (220, 30, 30)
    colour[:, :12] = (30, 30, 220)
    return Solid(
        np.clip((np.sqrt((X * 1.5) ** 2 + Y**2 + (Z * 1.5) ** 2) - 10) / 1.5, -3, 3).astype(np.float16), colour
    )


@pytest.fixture(scope="module")
def made(egg):
    return mesh(egg, 1)


def opened(data, kind):
    seen = trimesh.load(io.BytesIO(data), file_type=kind)
    return next(iter(seen.geometry.values())) if isinstance(seen, trimesh.Scene) else seen


def coloured(seen):
    """Its corners' colours, wherever trimesh keeps them: with a material, among the attributes."""
    if seen.visual.kind == "texture":
        return seen.visual.vertex_attributes["color"]
    return seen.visual.vertex_colors


@pytest.mark.parametrize("kind", ["glb", "ply"])
def test_trimesh_reads_the_same_mesh_with_its_colours(egg, made, kind):
    seen = opened(shape_file.shape(egg, RECIPE, kind, 1), kind)
    assert seen.is_watertight
    assert len(seen.faces) == len(made.faces)
    assert seen.bounds == pytest.approx(np.array([made.vertices.min(0), made.vertices.max(0)]), abs=1e-6)
    upper = coloured(seen)[seen.vertices[:, 1] > 0.6]
    assert (upper[:, 0] > upper[:, 2]).all()


def test_colours_in_a_glb_are_amounts_of_light(egg, made):
    data = shape_file.glb(made, RECIPE)
    colours = coloured(opened(data, "glb"))
    assert colours[:, 0].max() / np.iinfo(colours.dtype).max == pytest.approx(0.7157, abs=0.01)  # of 220 in sRGB


def test_parts_of_a_glb_begin_where_four_bytes_do(made):
    data = shape_file.glb(made, RECIPE)
    assert struct.unpack_from("<4sII", data) == (b"glTF", 2, len(data))
    (size,) = struct.unpack_from("<I", data, 12)
    assert size % 4 == 0
    told = json.loads(data[20 : 20 + size])
    assert all(view["byteOffset"] % 4 == 0 for view in told["bufferViews"])
    assert struct.unpack_from("<I", data, 20 + size) == (told["buffers"][0]["byteLength"],)
    assert "AI" in told["asset"]["copyright"]


def test_an_stl_can_be_printed(egg):
    data = shape_file.shape(egg, RECIPE, "stl", 1)
    seen = opened(data, "stl")
    assert seen.is_watertight
    assert seen.volume > 0
    assert seen.extents.max() == pytest.approx(80, abs=1e-3)
    assert seen.extents.argmax() == 2  # it stands: z is up
    assert seen.bounds[0][2] == pytest.approx(0, abs=1e-4)
    assert b"AI" in data[:80]
    assert not data.startswith(b"solid")  # or it would be taken for text


def test_points_lie_on_the_surface_everywhere(egg, made):
    data = shape_file.points(made, RECIPE, 4_000)
    cloud = trimesh.load(io.BytesIO(data), file_type="ply")
    assert cloud.vertices.shape == (4_000, 3)
    solid = trimesh.Trimesh(made.vertices, made.faces)
    far = np.linalg.norm(cloud.vertices[:, None, :] - solid.triangles_center[None, :, :], axis=2).min(1)
    assert far.max() < 0.03
    assert cloud.vertices.mean(0) == pytest.approx(solid.center_mass, abs=0.03)
    low = cloud.colors[cloud.vertices[:, 1] < 0.4]
    assert (low[:, 2] > low[:, 0]).all()


def test_a_turning_thing_plays(egg):
    data = shape_file.turntable(egg, RECIPE, frames=6, size=64)
    with av.open(io.BytesIO(data)) as clip:
        frames = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    assert len(frames) == 6
    assert frames[0].shape == (64, 64, 3)
    assert abs(frames[0][2, 2].astype(int) - shape_file.PAGE).max() < 8
    assert frames[0][32, 32].astype(int).max() - frames[0][32, 32].astype(int).min() > 60


@pytest.mark.parametrize("kind", ["glb", "ply", "points"])
def test_the_recipe_is_found_again(egg, kind):
    assert shape_file.read(shape_file.shape(egg, RECIPE, kind, 1)) == RECIPE


def test_a_turning_things_recipe_is_found_again(egg):
    assert shape_file.read(shape_file.turntable(egg, RECIPE, frames=2, size=32)) == RECIPE


@pytest.mark.parametrize("data", [b"", b"glTF", b"ply\nend_header\n", b"PNG" * 9, b"glTF" + bytes(30)])
def test_other_files_are_refused_in_words(data):
    with pytest.raises(BadRequest, match="no settings of Polymuse"):
        shape_file.read(data)
