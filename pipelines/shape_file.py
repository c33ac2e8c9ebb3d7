"""Things in the round as files that say what they are: made by AI, by which model, and with which settings.

GLB for pages and games, STL to print, PLY for what works on meshes or points, MP4 of the thing turning. The recipe is
JSON where each of them has room: extras, comments, tags; STL has 80 letters, which say that AI made it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipelines import picture_file, video_file
from pipelines.errors import BadRequest
from pipelines.events import Clip, Recipe, Solid
from pipelines.shape_mesh import Mesh, mesh
from pipelines.shape_render import render
from pipelines.sound_file import MADE_BY_AI, SOFTWARE

Format = Literal["glb", "stl", "ply", "points", "mp4"]
PRINTED = 80.0  # mm: the longest side of what is printed
POINTS = 20_000
TURNS, FPS, PIXELS = 48, 16, 320  # of the turning thing's clip
PAGE = (236, 237, 240)  # behind it
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
FLOAT, SHORT, INT = 5126, 5123, 5125  # by glTF's numbers
VERTICES, INDICES = 34962, 34963
POINT = np.dtype([("place", "<f4", 3), ("normal", "<f4", 3), ("colour", "u1", 3)])
FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("spare", "<u2")])


def shape(solid: Solid, recipe: Recipe, kind: Format, detail: int = 2, smoothing: float = 0.3) -> bytes:
    """The thing as a file of this kind. Raises BadRequest where it has no surface, MissingCodec for want of H.264."""
    if kind == "mp4":
        return turntable(solid, recipe)
    made = mesh(solid, detail, smoothing)
    return {"glb": glb, "stl": stl, "ply": ply, "points": points}[kind](made, recipe)


def read(data: bytes) -> Recipe:
    """The recipe in a file that we wrote. Raises BadRequest where there is none, as in an STL file."""
    try:
        if data.startswith(b"glTF"):
            (size,) = struct.unpack_from("<I", data, 12)
            told = json.loads(data[20 : 20 + size])["asset"]["extras"]["recipe"]
        elif data.startswith(b"ply"):
            lines = data[: data.index(b"end_header")].decode().splitlines()
            told = json.loads(next(line for line in lines if line.startswith("comment {")).partition(" ")[2])
        else:
            return video_file.read(data)
        return Recipe(**told)
    except (ValueError, TypeError, LookupError, StopIteration, struct.error):
        raise BadRequest("This file carries no settings of Polymuse. Choose a GLB, PLY or MP4 made here.") from None


def title(recipe: Recipe) -> str:
    return f"{MADE_BY_AI}: {recipe.options.get('prompt', '')}".removesuffix(": ")


def glb(made: Mesh, recipe: Recipe) -> bytes:
    """glTF 2.0 in one file: colours of the corners, a matt surface that takes the light of where it is shown."""
    colours = np.full((len(made.vertices), 4), 65535, "<u2")
    colours[:, :3] = np.rint(linear(made.colours) * 65535)
    arrays = [made.vertices.astype("<f4"), made.normals.astype("<f4"), colours, made.faces.astype("<u4").ravel()]
    views, start = [], 0
    for array, target in zip(arrays, (VERTICES, VERTICES, VERTICES, INDICES), strict=True):
        views.append({"buffer": 0, "byteOffset": start, "byteLength": array.nbytes, "target": target})
        start += array.nbytes
    count = len(made.vertices)
    low, high = (bound.tolist() for bound in (arrays[0].min(0), arrays[0].max(0)))
    about = {"made_by": MADE_BY_AI, "source": picture_file.MADE_BY_AI, "recipe": asdict(recipe)}
    scene = {
        "asset": {"version": "2.0", "generator": SOFTWARE, "copyright": title(recipe), "extras": about},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": str(recipe.options.get("prompt") or "thing")}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1, "COLOR_0": 2}, "indices": 3, "material": 0}]}
        ],
        "materials": [{"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 0.6}}],
        "buffers": [{"byteLength": start}],
        "bufferViews": views,
        "accessors": [
            {"bufferView": 0, "componentType": FLOAT, "count": count, "type": "VEC3", "min": low, "max": high},
            {"bufferView": 1, "componentType": FLOAT, "count": count, "type": "VEC3"},
            {"bufferView": 2, "componentType": SHORT, "normalized": True, "count": count, "type": "VEC4"},
            {"bufferView": 3, "componentType": INT, "count": made.faces.size, "type": "SCALAR"},
        ],
    }
    text = json.dumps(scene, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    binary = b"".join(array.tobytes() for array in arrays)  # each a multiple of four bytes
    chunks = struct.pack("<II", len(text), JSON_CHUNK) + text + struct.pack("<II", len(binary), BINARY_CHUNK) + binary
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def linear(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB as amounts of light, 0 to 1."""
    share = colours / 255.0
    light: NDArray[np.float64] = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return light


def stl(made: Mesh, recipe: Recipe) -> bytes:
    """Triangles in millimetres, z up, as printers want them: it stands on the bed."""
    places = made.vertices[:, [0, 2, 1]] * np.array([1, -1, 1], np.float32) * np.float32(PRINTED)
    triangles = np.zeros(len(made.faces), TRIANGLE)
    triangles["corners"] = corners = places[made.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    triangles["normal"] = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-20)
    head = f"{SOFTWARE}, {title(recipe)}".encode("ascii", "replace")[:80].ljust(80)
    return head + struct.pack("<I", len(triangles)) + triangles.tobytes()


def ply(made: Mesh, recipe: Recipe) -> bytes:
    """The mesh with the colours of its corners."""
    faces = np.empty(len(made.faces), FACE)
    faces["count"], faces["corners"] = 3, made.faces
    head = [*_told(recipe), *_columns(len(made.vertices)), f"element face {len(faces)}"]
    corners = _points(made.vertices, made.normals, made.colours)
    return _headed([*head, "property list uchar int vertex_indices"]) + corners.tobytes() + faces.tobytes()


def points(made: Mesh, recipe: Recipe, count: int = POINTS) -> bytes:
    """As many points as that, spread evenly over the surface, with normals and colours, as PLY."""
    rng = np.random.default_rng(recipe.seed)
    corners = made.vertices[made.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    chosen = made.faces[rng.choice(len(area), count, p=area / area.sum())]
    a, b = rng.random((2, count, 1))
    a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)

    def between(values: NDArray[Any]) -> NDArray[np.float64]:
        first, second, third = values[chosen.T].astype(np.float64)
        mixed: NDArray[np.float64] = first * (1 - a - b) + second * a + third * b
        return mixed

    spread = _points(between(made.vertices), between(made.normals), np.rint(between(made.colours)))
    return _headed([*_told(recipe), *_columns(count)]) + spread.tobytes()


def _points(places: NDArray[Any], normals: NDArray[Any], colours: NDArray[Any]) -> NDArray[Any]:
    rows = np.empty(len(places), POINT)
    rows["place"], rows["normal"], rows["colour"] = places, normals, colours
    return rows


def _told(recipe: Recipe) -> list[str]:
    """Comments, each one line; a prompt of several lines is escaped in the JSON."""
    return [f"comment {SOFTWARE}, {MADE_BY_AI}", f"comment {json.dumps(asdict(recipe))}"]


def _columns(count: int) -> list[str]:
    floats = [f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")]
    return [f"element vertex {count}", *floats, *(f"property uchar {name}" for name in ("red", "green", "blue"))]


def _headed(lines: list[str]) -> bytes:
    return "\n".join(["ply", "format binary_little_endian 1.0", *lines, "end_header", ""]).encode()


def turntable(solid: Solid, recipe: Recipe, frames: int = TURNS, size: int = PIXELS) -> bytes:
    """A clip of the thing turning once around, that can be played in a loop."""
    return video_file.video(Clip(np.stack(list(turning(solid, frames, size))), FPS, loop=True), recipe, "mp4")


def turning(solid: Solid, frames: int, size: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures of it (size, size, 3) from all around, the first from the front right."""
    distance = solid.distance.astype(np.float32)
    for number in range(frames):
        picture = render(distance, solid.colour, turn=35 + 360 * number / frames, size=size).astype(np.float32)
        share = picture[..., 3:] / 255
        yield np.rint(picture[..., :3] * share + np.array(PAGE) * (1 - share)).astype(np.uint8)
