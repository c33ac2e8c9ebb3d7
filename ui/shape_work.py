"""A finished thing as the 3D tab keeps it: its grid in a file, and what is made of that without another run.

All of it computes and writes: keep it off the event loop.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipelines.events import Recipe, Solid

NAME = "polymuse-shape"
POINTS = "points.ply"


@dataclass(frozen=True)
class Meshed:
    """The thing's surface at one detail and smoothing, in files of a folder of their own."""

    folder: Path
    detail: int
    smoothing: float
    triangles: int
    printed: tuple[float, float, float]  # millimetres, as in the STL file: to the right, up, to the front

    def file(self, kind: str) -> Path:
        """One of its files, by its ending."""
        return self.folder / f"{NAME}.{kind}"

    @property
    def points(self) -> Path:
        """The surface as a cloud of points."""
        return self.folder / POINTS


class Thing:
    """What came of one run. The grid is read back when it is needed: memory is for models."""

    def __init__(self, folder: Path, made: Solid, recipe: Recipe) -> None:
        """Raises PolymuseError for a grid in which there is no surface."""
        self.recipe = recipe
        self.remarks = made.remarks
        self.side = len(made.distance)
        self.clip: Path | None = None
        self._folder = folder
        self._last: Meshed | None = None
        np.savez(folder / "grid.npz", distance=made.distance, colour=made.colour)
        self.meshed = self._mesh(made, int(recipe.options["detail"]), float(recipe.options["smoothing"]))

    def remesh(self, detail: int, smoothing: float) -> None:
        """Another surface of the same grid. The files of the last one stay as long: a page may be fetching them."""
        before, self.meshed = self.meshed, self._mesh(self._grid(), detail, smoothing)
        if self._last is not None:
            shutil.rmtree(self._last.folder, ignore_errors=True)
        self._last = before

    def film(self) -> None:
        """A clip of it turning. Raises MissingCodec."""
        from pipelines import shape_file

        path = self._folder / f"{NAME}.mp4"
        path.write_bytes(shape_file.turntable(self._grid(), self.recipe))
        self.clip = path

    def _grid(self) -> Solid:
        with np.load(self._folder / "grid.npz") as kept:
            return Solid(kept["distance"], kept["colour"])

    def _mesh(self, made: Solid, detail: int, smoothing: float) -> Meshed:
        from pipelines import (  # here, since they bring libraries that the page can start without
            shape_file,
            shape_mesh,
        )

        mesh = shape_mesh.mesh(made, detail, smoothing)
        self.recipe = replace(self.recipe, options={**self.recipe.options, "detail": detail, "smoothing": smoothing})
        folder = self._folder / secrets.token_urlsafe(9)
        folder.mkdir()
        width, height, depth = (float(side) * shape_file.PRINTED for side in np.ptp(mesh.vertices, axis=0))
        meshed = Meshed(folder, detail, smoothing, len(mesh.faces), (width, height, depth))
        meshed.file("glb").write_bytes(shape_file.glb(mesh, self.recipe))
        meshed.file("stl").write_bytes(shape_file.stl(mesh, self.recipe))
        meshed.file("ply").write_bytes(shape_file.ply(mesh, self.recipe))
        meshed.points.write_bytes(shape_file.points(mesh, self.recipe))
        return meshed
