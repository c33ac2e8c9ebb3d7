"""A plan is carried out as it says: to the end or until it is given up; it tells what failed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.engine import LocalEngine
from pipelines.errors import BadRequest
from pipelines.events import Cancelled, Emit, Pictures, Preview, Progress
from pipelines.image_request import BUILT_IN, ImageRequest
from tests.conftest import a_step
from tests.fakes.drawer import STEPS, Draws, draw, drawer, square
from tests.pipelines.fakes import engine
from ui import image_plan, image_view
from ui.image_plan import Plan
from ui.image_run import Run
from ui.image_work import Work

WAIT_S = 30


@pytest.fixture
def engines() -> Iterator[Any]:
    made: list[LocalEngine] = []

    def make(draws: Draws) -> LocalEngine:
        made.append(engine(drawer(BUILT_IN, draws), drawer("other", draws)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def played(run: Run, eng: LocalEngine, shelf: Path) -> tuple[list[str], list[Work], list[str]]:
    """The status lines, the works, and the canvas after each line."""

    async def play() -> list[str]:
        lines = []
        async for line in run.play(eng, "me", shelf, works.append):
            lines.append(line)
            canvases.append(image_view.live(run))
        return lines

    works: list[Work] = []
    canvases: list[str] = []
    return asyncio.run(play()), works, canvases


def plan(**facts: Any) -> Plan:
    return image_plan.one({"prompt": "a fox", **facts})


def test_one_picture_goes_from_its_first_preview_to_a_file(engines: Any, tmp_path: Path) -> None:
    run = Run(plan(seed=3))
    lines, works, _ = played(run, engines(draw()), tmp_path)
    assert 'data-state="done"' in lines[-1] and "1 picture, " in lines[-1]
    (work,) = works
    assert work.recipe.seed == 3 and work.file.exists()
    assert work.strip is not None and work.strip.steps == tuple(range(1, STEPS + 1)) and work.strip.two_rows
    assert [one.name for one in work.drawn_upon] == ["fox <b>", "dog"]


def test_each_of_several_pictures_has_its_own_previews_and_film(engines: Any, tmp_path: Path) -> None:
    run = Run(plan(count=3, steps=4, seed=5))
    _, works, _ = played(run, engines(draw()), tmp_path)
    assert [(work.recipe.seed, work.recipe.options["count"]) for work in works] == [(5, 1), (6, 1), (7, 1)]
    assert [work.strip.steps for work in works if work.strip] == [(1, 2, 3, 4)] * 3
    assert [(shot.step, shot.total) for shot in run.cells[0].shots] == [(4, 4)] * 3


def test_a_sweep_draws_its_cells_one_after_the_other_and_ends_with_a_grid(engines: Any, tmp_path: Path) -> None:
    seen: list[int] = []

    def draws(request: ImageRequest, emit: Emit) -> Pictures:
        seen.append(request.steps)
        return draw()(request, emit)

    run = Run(image_plan.sweep({"prompt": "a fox"}, image_plan.axis("steps", "2, 3, 4"), None))
    lines, works, canvases = played(run, engines(draws), tmp_path)
    assert seen == [2, 3, 4]
    assert [work.grid for work in works] == [False, False, False, True]
    assert "3 pictures" in lines[-1] and 'data-state="done"' in lines[-1]
    assert any("Picture 2 of 3" in line for line in lines)
    assert "Use as input" not in canvases[-1] and "polymuse-grid.png" in canvases[-1]


def test_one_cell_that_fails_is_told_and_the_others_are_drawn(engines: Any, tmp_path: Path) -> None:
    def draws(request: ImageRequest, emit: Emit) -> Pictures:
        if request.steps == 3:
            raise BadRequest("Three is <not> allowed.")
        return draw()(request, emit)

    run = Run(image_plan.sweep({"prompt": "a fox"}, image_plan.axis("steps", "2, 3, 4"), None))
    lines, works, canvases = played(run, engines(draws), tmp_path)
    assert len(works) == 3
    assert "2 pictures" in lines[-1] and "1 failed: Three is &lt;not&gt; allowed." in lines[-1]
    assert "Three is &lt;not&gt; allowed." in canvases[-1]


def test_a_run_that_fails_says_why(engines: Any, tmp_path: Path) -> None:
    def draws(request: ImageRequest, emit: Emit) -> Pictures:
        raise BadRequest("No such <size>.")

    lines, works, _ = played(Run(plan()), engines(draws), tmp_path)
    assert 'data-state="failed"' in lines[-1] and "No such &lt;size&gt;." in lines[-1]
    assert works == []


def test_a_comparison_has_both_side_by_side_from_the_beginning(engines: Any, tmp_path: Path) -> None:
    run = Run(image_plan.compare({"prompt": "a fox", "model": BUILT_IN}, {"model": "other"}, ("One", "Two")))
    lines, works, canvases = played(run, engines(draw()), tmp_path)
    assert [work.recipe.model for work in works] == [BUILT_IN, "other", BUILT_IN] and works[-1].grid
    assert "2 pictures" in lines[-1]
    assert "One" in canvases[0] and "Two" in canvases[0] and canvases[0].count("pm-shot") == 2


def test_giving_a_run_up_ends_its_job_and_starts_no_other(engines: Any, tmp_path: Path) -> None:
    cancelled = threading.Event()
    begun: list[int] = []

    def endless(request: ImageRequest, emit: Emit) -> Pictures:
        begun.append(request.steps)
        try:
            while True:
                emit(Preview(square(1), 1, 5))
                a_step()
        except Cancelled:
            cancelled.set()
            raise

    async def begin() -> None:
        run = Run(image_plan.sweep({"prompt": "a fox"}, image_plan.axis("steps", "2, 3"), None))
        lines = run.play(eng, "me", tmp_path, lambda work: None)
        while not run.seen:
            await anext(lines)
        await lines.aclose()

    eng = engines(endless)
    asyncio.run(begin())
    assert cancelled.wait(WAIT_S) and begun == [2]


def test_a_model_without_previews_has_no_strip(engines: Any, tmp_path: Path) -> None:
    def blind(request: ImageRequest, emit: Emit) -> Pictures:
        emit(Progress(1, 2, "Drawing"))
        return draw()(request, lambda update: None)

    _, (work,), _ = played(Run(plan()), engines(blind), tmp_path)
    assert work.strip is None and "pm-stills" not in image_view.work(work)


def test_previews_are_shown_as_they_come_with_the_noise_they_were_predicted_from(tmp_path: Path) -> None:
    run = Run(plan(prompt="a <fox>"))
    (cell,) = run.cells
    canvases = [image_view.live(run)]
    for step in range(1, 5):
        cell.see(Preview(square(step), step, 4, square(step + 10)))
        cell.shots[0].refresh()
        canvases.append(image_view.live(run))
    assert len(set(canvases)) == 5 and "data-waiting" in canvases[0]
    assert "step 4 of 4" in canvases[-1] and "pm-noisy" in canvases[-1]
    assert "a &lt;fox&gt;" in canvases[-1] and "<fox>" not in "".join(canvases)
