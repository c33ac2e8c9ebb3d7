"""The 3D tab's sheet as HTML: the thing from all sides while it is made, then how it came about and its files.

Pure functions from what there is to str; everything foreign is escaped. Previews turn by themselves, which is CSS
alone (assets/shape.css): each picture has a place on the turntable, and fades in when its turn comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ui import files

if TYPE_CHECKING:
    from ui.shape_work import Thing

KINDS = {
    "Furniture": "chair, stool, table, bed, sofa, bookshelf, lamp, cabinet, bench",
    "Vehicles": "car, truck, bus, locomotive, airplane, sailboat, helicopter, rocket, tractor, submarine",
    "Tools": "hammer, axe, screwdriver, wrench, saw, shovel, paintbrush, magnifying glass, broom, ladder",
    "Buildings": "house, castle, skyscraper, church, lighthouse, windmill, tent, igloo, pagoda, well",
    "Plants": "tree, pine tree, palm tree, cactus, flower, tulip, mushroom, potted plant, pumpkin",
    "Toys": "teddy bear, snowman, robot, spinning top, ring tower, rubber duck, die, toy brick, bowling pin, "
    "rocking horse",
    "Vessels": "mug, teapot, vase, bottle, goblet, bowl, jug, bucket, barrel, cooking pot, watering can",
    "Creatures": "cat, dog, elephant, giraffe, rabbit, penguin, fish, snail, turtle, pig, bird",
}
"""What the built-in model knows."""

PAINTS = (
    "red, orange, yellow, green, teal, blue, purple, pink, brown, black, white, grey, wooden, metal, golden, stone"
)
DOWNLOADS = {
    "glb": ("GLB", "With colours, for pages, games and viewers"),
    "stl": ("STL", "In millimetres, for 3D printing"),
    "ply": ("PLY", "With colours, for what works on meshes"),
}


@dataclass(frozen=True)
class Seen:
    """The thing from all sides after a step: pictures as data URIs."""

    pictures: tuple[str, ...]
    step: int
    total: int


@dataclass(frozen=True)
class Still:
    """One picture of the film of how it came about."""

    picture: str
    step: int


def empty() -> str:
    """Nothing made yet: what to write, and what there can be."""
    kinds = "".join(f"<dt>{group}</dt><dd>{names}</dd>" for group, names in KINDS.items())
    return _sheet(
        "empty",
        '<div class="pm-frame"><div class="pm-invitation"><p><strong>Describe a thing</strong></p>'
        "<p>A diffusion model makes it out of noise, in the round: turn it, print it, take it into a game.</p>"
        f'<details class="pm-kinds"><summary>What the built-in model knows: 80 kinds, 16 colours</summary>'
        f"<dl>{kinds}<dt>In</dt><dd>{PAINTS}</dd></dl></details></div></div>",
    )


def unfinished(prompt: str, seen: Seen | None, film: Sequence[Still]) -> str:
    """A thing in the making, or as far as it had come."""
    if seen is None:
        return _sheet("single", '<div class="pm-frame"><div class="pm-shot" data-waiting></div></div>')
    sides = len(seen.pictures)
    label = f"Preview of “{prompt}” from {sides} side{'s' if sides > 1 else ''}, step {seen.step} of {seen.total}"
    pictures = "".join(
        f'<img style="--place:{number}" src="{picture}" alt="">' for number, picture in enumerate(seen.pictures)
    )
    return _sheet(
        "single",
        f'<div class="pm-frame"><figure class="pm-turntable" style="--sides:{sides}" data-step="{seen.step}" '
        f'role="img" aria-label="{escape(label)}">{pictures}<figcaption>{seen.step} / {seen.total}</figcaption>'
        f"</figure></div>{_film(film)}",
    )


def finished(thing: Thing, film: Sequence[Still]) -> str:
    """What stands under the finished thing."""
    return _sheet("over", f"{_downloads(thing)}{_facts(thing)}{_clip(thing.clip)}{_film(film)}")


def _sheet(kind: str, inside: str) -> str:
    return f'<div class="pm-canvas pm-shape" data-kind="{kind}">{inside}</div>'


def _downloads(thing: Thing) -> str:
    links = [_link(thing.meshed.file(kind), *words) for kind, words in DOWNLOADS.items()]
    if thing.clip is not None:
        links.append(_link(thing.clip, "MP4", "The turntable, to play in a loop"))
    return f'<p class="pm-work-actions pm-downloads">{"".join(links)}</p>'


def _link(path: Path, title: str, what_for: str) -> str:
    address = escape(files.address(path))
    return f'<a href="{address}" download="{escape(path.name)}" title="{what_for}">{title}</a>'


def _facts(thing: Thing) -> str:
    """What is there, what it was made with, and what has to be said about it."""
    meshed, options = thing.meshed, thing.recipe.options
    size = " x ".join(f"{side:.0f}" for side in meshed.printed)
    facts = [
        f"{meshed.triangles:,} triangles from {thing.side} x {thing.side} x {thing.side} distances",
        f"{size} mm when printed from the STL file; closed, in one piece",
        f"Seed {thing.recipe.seed}, {options.get('steps')} steps, guidance {options.get('guidance')}",
    ]
    remarks = "".join(f"<li data-remark>{escape(remark)}</li>" for remark in thing.remarks)
    return f'<ul class="pm-shape-facts">{remarks}{"".join(f"<li>{escape(fact)}</li>" for fact in facts)}</ul>'


def _clip(clip: Path | None) -> str:
    if clip is None:
        return ""
    address = escape(files.address(clip))
    return (
        f'<video class="pm-shape-clip" src="{address}" controls loop muted playsinline aria-label="Turntable"></video>'
    )


def _film(film: Sequence[Still]) -> str:
    """How it came out of the noise; one picture is no film."""
    if len(film) < 2:
        return ""
    stills = "".join(f'<li><img src="{still.picture}" alt=""><span>Step {still.step}</span></li>' for still in film)
    return f'<ol class="pm-shape-film" aria-label="How it came out of the noise">{stills}</ol>'
