"""Finished pictures are files that tell how they were made; film strips hold every step; a sheet holds every cell."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines import picture_file
from pipelines.events import Event, Pictures, Preview, Recipe, Result
from pipelines.image_request import ImageRequest
from tests.fakes.drawer import SIDE, draw, noise, square
from ui import image_film, image_plan
from ui.image_film import MOST_FRAMES, Frame, develop, wanted
from ui.image_sheet import draw_sheet
from ui.image_work import Work, keep, keep_grid


def frames(count: int, noisy: bool = True) -> list[Frame]:
    return [Frame(n, count, square(n), noise(n) if noisy else None) for n in range(1, count + 1)]


def drawn(count: int = 1, **facts: Any) -> tuple[ImageRequest, Result]:
    events: list[Event] = []
    request = ImageRequest(prompt="a fox", seed=4, count=count, **facts)
    pictures = draw()(request, events.append)
    assert isinstance(pictures, Pictures) and any(isinstance(event, Preview) for event in events)
    return request, Result(pictures, Recipe("m", "r", 4, request.model_dump() | dict(pictures.settings)))


def kept(shelf: Path, count: int = 1, **facts: Any) -> list[Work]:
    request, result = drawn(count, **facts)
    return keep(shelf, request, result, [frames(3)] * count)


def test_a_strip_has_each_step_once_noisy_above_clean(tmp_path: Path) -> None:
    strip = develop(frames(5), tmp_path / "strip.jpg")
    assert strip is not None
    assert (strip.steps, strip.total, strip.two_rows, strip.size) == ((1, 2, 3, 4, 5), 5, True, (SIDE, SIDE))
    with Image.open(strip.path) as sheet:
        assert sheet.size == (5 * SIDE, 2 * SIDE)
        for step in range(1, 6):
            middle = sheet.getpixel((step * SIDE - SIDE // 2, SIDE + SIDE // 2))
            expected = square(step).getpixel((0, 0))
            assert isinstance(middle, tuple) and isinstance(expected, tuple)
            assert all(abs(a - b) < 12 for a, b in zip(middle, expected, strict=True))


def test_a_model_that_shows_no_noise_has_one_row_and_one_without_previews_no_strip(tmp_path: Path) -> None:
    strip = develop(frames(2, noisy=False), tmp_path / "strip.jpg")
    assert strip is not None and not strip.two_rows
    with Image.open(strip.path) as sheet:
        assert sheet.size == (2 * SIDE, SIDE)
    assert develop([], tmp_path / "none.jpg") is None


@pytest.mark.parametrize("total", [1, 4, 20, MOST_FRAMES, MOST_FRAMES + 1, 100, 150])
def test_a_film_has_all_of_few_steps_an_even_choice_of_many_and_the_last(total: int) -> None:
    chosen = [step for step in range(1, total + 1) if wanted(step, total)]
    assert len(chosen) == min(total, MOST_FRAMES) and chosen[-1] == total
    gaps = {later - earlier for earlier, later in pairwise(chosen)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_large_previews_are_kept_small(tmp_path: Path) -> None:
    strip = develop([Frame(1, 1, Image.new("RGB", (1000, 500)), None)], tmp_path / "strip.jpg")
    assert strip is not None and strip.size == (image_film.SIDE, image_film.SIDE // 2)


def test_a_kept_picture_carries_its_recipe_and_its_own_seed(tmp_path: Path) -> None:
    works = kept(tmp_path, count=3)
    assert [picture_file.read(work.file.read_bytes()).seed for work in works] == [4, 5, 6]
    assert picture_file.read(works[1].file.read_bytes()).options["prompt"] == "a fox" == works[1].prompt
    assert len({work.folder for work in works}) == 3


def test_several_pictures_share_an_archive_and_one_has_none(tmp_path: Path) -> None:
    several, (single,) = kept(tmp_path, count=2), kept(tmp_path)
    assert several[0].archive is not None and several[0].archive == several[1].archive
    assert several[0].archive.read_bytes().startswith(b"PK")
    assert single.archive is None


def test_an_enlarged_picture_is_compared_with_what_was_drawn_and_a_redrawn_one_with_what_it_began_from(
    tmp_path: Path,
) -> None:
    (enlarged,) = kept(tmp_path)
    assert enlarged.before is not None and enlarged.before.label == f"As drawn, {SIDE} px"
    given = tmp_path / "given.png"
    Image.new("RGB", (300, 200), "red").save(given)
    (redrawn,) = kept(tmp_path, image=given.read_bytes())
    assert redrawn.before is not None and redrawn.before.label == "Your picture"
    for work in (enlarged, redrawn):
        assert work.before is not None
        with Image.open(work.before.path) as before:
            assert before.size == work.size


def test_a_forgotten_work_leaves_nothing_behind(tmp_path: Path) -> None:
    for work in kept(tmp_path, count=2):
        work.forget()
    assert list(tmp_path.iterdir()) == []


def test_a_sheet_has_every_cell_in_its_place_and_keeps_one_that_is_missing_empty(tmp_path: Path) -> None:
    axes = image_plan.axis("steps", "1, 2, 3"), image_plan.axis("words", "3d, flat")
    plan = image_plan.sweep({"prompt": "a fox " * 60}, *axes)
    paths: list[Path | None] = []
    for cell in range(5):
        path = tmp_path / f"{cell}.png"
        square(cell + 1).save(path)
        paths.append(path)
    sheet = draw_sheet(plan, [*paths, None])
    found = [colour for _, colour in sheet.getcolors(sheet.width * sheet.height) or []]
    for cell in range(5):
        assert square(cell + 1).getpixel((0, 0)) in found
    work = keep_grid(tmp_path, sheet, Recipe("m", "r", 0, {"prompt": "a fox"}))
    assert work.grid and work.size == sheet.size
    assert picture_file.read(work.file.read_bytes()).model == "m"
