"""Things of all kinds, each decided by a seed alone: its shape, the facts about it, and captions.

    python -m training.shape_data --sheet FILE [--kind KIND] [--group GROUP] [--first SEED]
    python -m training.shape_data --count N --out FILE

The first draws a sheet of shapes with captions, to look at; the second writes a file of packed grids, for training.

One (kind, colour) pair in ten is withheld: no training may see it, because making it is the test of whether kinds and
colours combine.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw

from pipelines.shape_render import render
from training.shape_captions import caption
from training.shape_draft import Draft, Facts, Kind, Shape
from training.shape_grid import SIDE, grid, save
from training.shape_paints import COLOURS, MATERIALS, colour_of, withheld
from training.shapes_buildings import BUILDINGS
from training.shapes_creatures import CREATURES
from training.shapes_furniture import FURNITURE
from training.shapes_plants import PLANTS
from training.shapes_tools import TOOLS
from training.shapes_toys import TOYS
from training.shapes_vehicles import VEHICLES
from training.shapes_vessels import VESSELS

GROUPS: dict[str, tuple[Kind, ...]] = {
    "furniture": FURNITURE, "vehicles": VEHICLES, "tools": TOOLS, "buildings": BUILDINGS,
    "plants": PLANTS, "toys": TOYS, "vessels": VESSELS, "creatures": CREATURES,
}  # fmt: skip
KINDS = {kind.name: kind for kinds in GROUPS.values() for kind in kinds}
GROUP_OF = {kind.name: group for group, kinds in GROUPS.items() for kind in kinds}
PAINTS = (*COLOURS, *MATERIALS)
USUAL = 0.5  # how often a thing has a paint that its kind usually has
CAPTION_SEED = 1 << 40  # captions have a stream of their own


def paints(kind: str, held: bool) -> list[str]:
    """What a kind may be painted with: in training, or for the test."""
    return [word for word in PAINTS if withheld(kind, colour_of(word)) == held]


def sample(seed: int, *, held: bool = False, kind: str | None = None) -> tuple[Shape, Facts]:
    """The shape of this seed and what is true of it: for training, or with a withheld pair if `held`."""
    rng = Random(seed)
    chosen = KINDS[kind or rng.choice([name for name in KINDS if paints(name, held)])]
    words = paints(chosen.name, held)
    usual = [word for word in chosen.usual if word in words]
    main = rng.choice(usual if usual and rng.random() < USUAL else words)
    draft = Draft(rng, main)
    chosen.draw(draft)
    facts = Facts(
        chosen.name, GROUP_OF[chosen.name], colour_of(main), main if main in MATERIALS else None,
        tuple(draft.traits), tuple(draft.features),
    )  # fmt: skip
    return Shape(tuple(draft.parts), tuple(draft.palette)), facts


def captions(seed: int, facts: Facts, count: int) -> list[str]:
    """That many captions of it, none twice; fewer if there are not so many."""
    rng = Random(CAPTION_SEED + seed)
    names = (facts.kind, *KINDS[facts.kind].also)
    return list(dict.fromkeys(caption(facts, names, rng) for _ in range(4 * count)))[:count]


def sheet(seeds: list[int], kinds: list[str], columns: int = 8, size: int = 128) -> Image.Image:
    """Pictures of the seeds' shapes, one caption under each; the kinds come in turn."""
    rows = -(-len(seeds) // columns)
    page = Image.new("RGB", (columns * (size + 12), rows * (size + 40)), (236, 237, 240))
    pen = ImageDraw.Draw(page)
    for place, seed in enumerate(seeds):
        shape, facts = sample(seed, kind=kinds[place % len(kinds)] if kinds else None)
        one = grid(shape)
        picture = Image.fromarray(render(one.distance, one.colour, size=size))
        x, y = place % columns * (size + 12) + 6, place // columns * (size + 40)
        page.paste(picture, (x, y), picture)
        words, lines = captions(seed, facts, 1)[0].split(), [""]
        for word in words:
            lines = [*lines[:-1], f"{lines[-1]} {word}".strip()] if len(lines[-1] + word) < 23 else [*lines, word]
        pen.multiline_text((x, y + size), "\n".join(lines[:3]), (30, 30, 34), font_size=9, spacing=1)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sheet", type=Path, help="a PNG to draw")
    parser.add_argument("--kind", choices=KINDS, help="only this kind on the sheet")
    parser.add_argument("--group", choices=GROUPS, help="this group's kinds in turn on the sheet")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: %(default)s)")
    parser.add_argument("--count", type=int, default=64, help="how many shapes (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="an NPZ file of packed grids to write")
    options = parser.parse_args()
    if not (options.sheet or options.out):
        parser.error("say --sheet or --out")
    seeds = list(range(options.first, options.first + options.count))
    if options.sheet:
        kinds = [kind.name for kind in GROUPS[options.group]] if options.group else []
        columns = len(kinds) or 8
        sheet(seeds, [options.kind] if options.kind else kinds, columns).save(options.sheet)
    if options.out:
        start = time.perf_counter()
        size = save(options.out, seeds, (grid(sample(seed)[0]) for seed in seeds))
        per = (time.perf_counter() - start) / len(seeds)
        print(f"{len(seeds)} grids of {SIDE} voxels a side: {size / len(seeds):.0f} bytes and {per * 1e3:.1f} ms each")


if __name__ == "__main__":
    main()
