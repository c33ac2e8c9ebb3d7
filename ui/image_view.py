"""The image tab's canvas and gallery as HTML: pure functions from what there is to str. Everything foreign is escaped.

A canvas keeps its shape in every state, and a picture stays the same element from its first preview to the end, so
that nothing flickers or jumps. What moves in the page alone (the sliders) is in assets/canvas.js.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ui import files
from ui.image_film import Strip
from ui.image_work import Before, Work

if TYPE_CHECKING:
    from ui.image_run import Cell, Run, Shot

EXAMPLES = (
    "a fox, 3d",
    "a rocket above a pizza, flat",
    "a red apple on a blue background, glossy",
    "an owl next to a cactus, painted",
    "three strawberries, cartoon",
)
FACTS = {
    "model": "Model",
    "seed": "Seed",
    "steps": "Steps",
    "guidance": "Guidance",
    "scheduler": "Scheduler",
    "strength": "Strength",
    "negative_prompt": "Negative prompt",
    "upscale": "Enlarged",
    "lora": "LoRA",
}
VIEWS = {"picture": "Picture", "before": "Before and after", "film": "Film strip"}


def empty() -> str:
    """Nothing drawn yet: what to do, and examples to do it with."""
    examples = "".join(
        f'<button type="button" data-send="example" data-value="{escape(text)}">{escape(text)}</button>'
        for text in EXAMPLES
    )
    return (
        '<div class="pm-canvas" data-kind="empty"><div class="pm-frame"><div class="pm-invitation">'
        "<p><strong>Describe a picture</strong></p><p>A diffusion model draws it out of noise, step by step. "
        "Drop a picture here to start from it.</p>"
        f'<div class="pm-examples">{examples}</div></div></div></div>'
    )


def live(run: Run, over: bool = False) -> str:
    """A run on its way or, when it is `over`, as it was stopped or ended: all its pictures as far as they are."""
    plan = run.plan
    shots = [(cell, shot, plan.label(index)) for index, cell in enumerate(run.cells) for shot in cell.shots]
    columns = plan.columns if not plan.single else (1 if len(shots) == 1 else 2)
    large = len(shots) <= 4
    tiles = [_tile(cell, shot, label, large, over, alone=len(shots) == 1) for cell, shot, label in shots]
    corner = "<span></span>" if plan.across and plan.down else ""
    if plan.down:
        for row, label in reversed(list(enumerate(plan.down))):
            tiles.insert(row * columns, f'<span class="pm-side-label">{escape(label)}</span>')
    heads = "".join(f'<span class="pm-head-label">{escape(label)}</span>' for label in plan.across)
    kind = "single" if len(shots) == 1 else "board"
    most = "min(30vh - 26px, 250px)" if plan.single else "1fr"
    style = f"--columns:{columns};--labels:{'max-content ' if plan.down else ''};--most:{most}"
    return (
        f'<div class="pm-canvas" data-kind="{kind}"><div class="pm-frame" style="{style}">'
        f"{corner}{heads}{''.join(tiles)}</div>{_actions_of_all(run)}</div>"
    )


def _tile(cell: Cell, shot: Shot, label: str, large: bool, over: bool, alone: bool) -> str:
    what = f"“{cell.request.prompt}”" + (f", {label}" if label else "")
    if shot.work is not None:
        address = files.address(shot.work.file if large else shot.work.thumbnail)
        image = f'<img src="{escape(address)}" alt="{escape(what)}">'
        return (
            f'<button type="button" class="pm-shot" data-send="choose" data-value="{escape(shot.work.id)}" '
            f'aria-label="Look at {escape(what)}">{image}</button>'
        )
    if cell.failure and not alone:
        return f'<div class="pm-shot" data-failed><p>{escape(cell.failure)}</p></div>'
    if not shot.clean:
        return f'<div class="pm-shot"{"" if over else " data-waiting"}></div>'
    seen = escape(f"Preview of {what}, step {shot.step} of {shot.total}")
    noisy = f'<img class="pm-noisy" src="{shot.noisy}" alt="What this step was given">' if shot.noisy and alone else ""
    return (
        f'<figure class="pm-shot"><img src="{shot.clean}" alt="{seen}"><figcaption>{shot.step} / {shot.total}'
        f"</figcaption>{noisy}</figure>"
    )


def work(work: Work) -> str:
    """A finished picture: itself, what it was before, its film strip, what it drew upon, and its settings."""
    address = escape(files.address(work.file))
    alt = escape(f"Grid of pictures: “{work.prompt}”" if work.grid else f"“{work.prompt}”")
    views = "" if work.grid else _views(work)
    return (
        f'<div class="pm-canvas" data-kind="{"grid" if work.grid else "single"}">'
        f'<div class="pm-frame"><figure class="pm-shot"><img src="{address}" alt="{alt}"></figure>'
        f"{_before(work.before, address)}{_film(work.strip)}</div>{views}{_actions(work, address)}{_drawn_upon(work)}"
        f"{_facts(work)}</div>"
    )


def _views(work: Work) -> str:
    there = {"picture": True, "before": work.before is not None, "film": work.strip is not None}
    choices = "".join(
        f'<label><input type="radio" name="pm-view" value="{name}"{" checked" if name == "picture" else ""}'
        f"{'' if there[name] else ' disabled'}><span>{title}</span></label>"
        for name, title in VIEWS.items()
    )
    return f'<div class="pm-views" role="radiogroup" aria-label="What to look at">{choices}</div>'


def _before(before: Before | None, after: str) -> str:
    if before is None:
        return '<div class="pm-before"></div>'
    address, label = escape(files.address(before.path)), escape(before.label)
    return (
        f'<div class="pm-before" data-scene><img src="{after}" alt="After"><img src="{address}" alt="{label}">'
        f'<i></i><span>{label}</span><span>Result</span><input type="range" min="0" max="100" value="50" '
        f'aria-label="Where {label} ends and the result begins"></div>'
    )


def _film(strip: Strip | None) -> str:
    """Noisy and clean side by side: two windows onto the one strip, moved by a slider."""
    if strip is None:
        return '<div class="pm-film"></div>'
    last = len(strip.steps) - 1
    look = (
        f"background-image:url({escape(files.address(strip.path))});aspect-ratio:{strip.size[0]}/{strip.size[1]};"
        f"background-size:{len(strip.steps) * 100}% {200 if strip.two_rows else 100}%"
    )
    noisy = (
        f'<figure><div class="pm-still" data-row="noisy" style="{look}"></div><figcaption>Given to the step'
        "</figcaption></figure>"
        if strip.two_rows
        else ""
    )
    return (
        f'<div class="pm-film" data-scene><div class="pm-stills">{noisy}<figure>'
        f'<div class="pm-still" data-row="clean" style="{look}"></div>'
        "<figcaption>Predicted from it</figcaption></figure></div>"
        f'<label><output>Step {strip.steps[-1]} of {strip.total}</output><input type="range" min="0" max="{last}" '
        f'value="{last}" aria-label="Step of the film strip" data-total="{strip.total}" '
        f'data-steps="{",".join(map(str, strip.steps))}"></label></div>'
    )


def _actions_of_all(run: Run) -> str:
    """What can be done with a whole run: the grid's file, or the archive of several pictures."""
    grid = next((work for work in run.works if work.grid), None)
    if grid is not None:
        return _actions(grid, escape(files.address(grid.file)))
    if run.works and run.works[0].archive is not None:
        archive = run.works[0].archive
        link = f'<a href="{escape(files.address(archive))}" download="{escape(archive.name)}">Download all</a>'
        return f'<div class="pm-work-actions">{link}</div>'
    return ""


def _actions(work: Work, address: str) -> str:
    name = escape(work.file.name)
    links = [f'<a href="{address}" download="{name}">Download</a>']
    if work.archive is not None and work.archive.exists():
        archive = escape(files.address(work.archive))
        links.append(f'<a href="{archive}" download="{escape(work.archive.name)}">Download all</a>')
    if not work.grid:
        for event, title in (("take", "Use as input"), ("repeat", "Use its settings"), ("move", "Make it move")):
            links.append(f'<button type="button" data-send="{event}" data-value="{escape(work.id)}">{title}</button>')
    return f'<div class="pm-work-actions">{"".join(links)}</div>'


def _drawn_upon(work: Work) -> str:
    if not work.drawn_upon:
        return ""
    items = "".join(
        f'<li><img src="{one.image}" alt=""><span>{escape(one.name)}</span>'
        f"<small>{escape(one.style)}, {one.score:.0%} match</small></li>"
        for one in work.drawn_upon
    )
    return f'<section class="pm-drawn-upon"><h2>Drawn with these before its eyes</h2><ul>{items}</ul></section>'


def _facts(work: Work) -> str:
    options = {**work.recipe.options, "model": work.recipe.model, "seed": work.recipe.seed}
    if options.get("image") is None:
        options.pop("strength", None)
    if options.get("upscale") != 4:
        options.pop("upscale", None)
    rows = [("Prompt", work.prompt), ("Size", f"{work.size[0]} x {work.size[1]} pixels")]
    rows += [(title, str(options[name])) for name, title in FACTS.items() if options.get(name) not in (None, "")]
    items = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    title = "Settings of this picture; its file carries them, and says that AI made it"
    return f"<details><summary>{title}</summary><dl>{items}</dl></details>"


def reference(path: Path | None) -> str:
    """The picture to draw upon, or what one is for."""
    if path is None:
        hint = "A reference is drawn upon, not started from: its thing, or its style."
        return f'<div class="pm-reference"><p>{hint}</p></div>'
    return f'<div class="pm-reference"><img src="{escape(files.address(path))}" alt="Your reference picture"></div>'


def gallery(works: Sequence[Work], chosen: str) -> str:
    """All pictures of this session, newest first; nothing while there are none."""
    if not works:
        return '<div class="pm-gallery"></div>'
    items = "".join(
        f'<li><button type="button" data-send="choose" data-value="{escape(work.id)}" '
        f'aria-pressed="{"true" if work.id == chosen else "false"}" title="{escape(work.prompt)}">'
        f'<img src="{escape(files.address(work.thumbnail))}" alt="{escape(work.prompt)}" loading="lazy"></button></li>'
        for work in reversed(works)
    )
    return f'<div class="pm-gallery"><h2>Your pictures</h2><ul>{items}</ul></div>'
