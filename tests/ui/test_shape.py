"""The 3D tab's events, as the page sends them: seen on the way, kept, refused where they make no sense, stopped."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from secrets import token_hex
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import httpx
import numpy as np
import pytest
import trimesh

from pipelines import shape_file
from pipelines.events import Cancelled, Emit, Solid
from pipelines.shape_request import BUILT_IN, ShapeRequest
from tests.conftest import WAIT_S, Server, a_step
from tests.fakes.shaper import REMARK, SIDES, STEPS, ball, shape, views
from tests.ui.visitor import Visitor
from ui.shape_run import LONG_S, Making, Paces, Workshop
from ui.shape_view import KINDS, PAINTS

ASKED: dict[str, Any] = {
    "model": BUILT_IN,
    "image": None,
    "detail": 1,
    "smoothing": 0.3,
    "seed": 7,
    "random_seed": False,
    "steps": 0,
    "guidance": "",
}
STANDS = ("make", "stop", "film", "viewer", "sheet", "line")


class Guest(Visitor):
    """A visitor who wants a thing."""

    def asked(self, prompt: str = "a ball", **changed: Any) -> dict[str, Any]:
        return self.ended("on_make", prompt, None, *(ASKED | changed).values())

    def made(self, prompt: str = "a ball", **changed: Any) -> dict[str, Any]:
        """Make it to the end; returns how things stand."""
        assert self.asked(prompt, **changed)["success"]
        assert self.ended("shaping", None)["success"]
        return self.stands()

    def stands(self) -> dict[str, Any]:
        (solid,) = self.call("shown_model", None)
        return dict(zip(STANDS, self.call("shaping_stands", None), strict=True)) | {"solid": solid}

    def remeshed(self, detail: int, smoothing: float) -> dict[str, Any]:
        assert self.ended("remeshing", None, detail, smoothing)["success"]
        return self.stands()


@pytest.fixture
def guest(served: Server) -> Iterator[Guest]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        yield Guest(served, http, f"shape-{token_hex(4)}", "ui.shape")


@pytest.fixture
def seen(served: Server) -> list[ShapeRequest]:
    requests: list[ShapeRequest] = []
    script = shape()

    def shapes(request: ShapeRequest, emit: Emit) -> Solid:
        requests.append(request)
        return script(request, emit)

    served.shapes = shapes
    return requests


def links(sheet: str) -> dict[str, Path]:
    """The files of the sheet's links, by their words."""
    found = re.findall(r'<a href="gradio_api/file=([^"]+)"[^>]*>(\w+)</a>', sheet)
    return {title: Path(unquote(unescape(address))) for address, title in found}


def test_the_finished_thing_is_a_mesh_in_the_viewer_and_files_that_carry_the_recipe(
    guest: Guest, seen: list[ShapeRequest]
) -> None:
    told = guest.made("a <b>ball</b>")
    assert told["viewer"]["visible"] and told["make"]["visible"] and not told["stop"]["visible"]
    assert "Done" in told["line"] and "triangles" in told["line"]
    files = links(told["sheet"])
    assert [*files] == ["GLB", "STL", "PLY"] and Path(told["solid"]["path"]).read_bytes() == files["GLB"].read_bytes()
    for kind, path in files.items():
        assert trimesh.load(path, force="mesh").is_watertight, kind
    assert trimesh.load(files["STL"], force="mesh").extents == pytest.approx([shape_file.PRINTED] * 3, rel=0.05)
    recipe = shape_file.read(files["GLB"].read_bytes())
    assert (recipe.model, recipe.seed, recipe.options["prompt"]) == (BUILT_IN, 7, "a <b>ball</b>")
    assert recipe.options["detail"] == 1 and recipe.options["steps"] == STEPS
    assert seen[0].guidance is None


def test_remarks_are_told_as_text(guest: Guest, seen: list[ShapeRequest]) -> None:
    sheet = guest.made()["sheet"]
    assert REMARK in unescape(sheet) and "<b>" not in sheet


def test_it_is_seen_from_all_sides_on_the_way_and_changes(served: Server, guest: Guest) -> None:
    seen_until = threading.Semaphore(0)
    served.shapes = shape(lambda step: assert_(step < 3 or seen_until.acquire(timeout=WAIT_S)))
    assert guest.asked("a ball & more")["success"]
    sheets: list[str] = []
    for message in guest.join("shaping", None):
        if message["msg"] != "process_generating" or 'data-step="' not in (sheet := guest.stands()["sheet"]):
            continue
        sheets.append(sheet)
        seen_until.release()
    steps = [int(re.search(r'data-step="(\d+)"', sheet)[1]) for sheet in sheets]  # type: ignore[index]
    assert steps == sorted(steps) and steps[0] < STEPS
    assert sheets[0].count('style="--place:') == SIDES and "image/webp" in sheets[0]
    assert "Preview of “a ball &amp; more” from 3 sides, step" in sheets[0]
    told = guest.stands()
    assert "--place" not in told["sheet"] and "How it came out of the noise" in told["sheet"]


def assert_(truth: Any) -> None:
    assert truth


def test_nothing_asked_for_is_said_kindly_and_nothing_is_lost(guest: Guest, seen: list[ShapeRequest]) -> None:
    told = guest.made()
    last = guest.asked("  ")
    assert not last["success"] and "Write what it should be" in last["output"]["error"]
    assert guest.stands() == told and len(seen) == 1


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"guidance": "very"}, "guidance"), ({"model": "no-such"}, "no-such"), ({"seed": -1}, "seed")],
    ids=["guidance", "model", "seed"],
)
def test_what_makes_no_sense_is_refused_by_name(
    guest: Guest, seen: list[ShapeRequest], changed: dict[str, Any], says: str
) -> None:
    told = guest.made()
    last = guest.asked(**changed)
    assert not last["success"] and says in last["output"]["error"]
    assert guest.stands() == told and len(seen) == 1


def test_a_picture_is_for_models_that_take_one_and_must_be_one(guest: Guest, seen: list[ShapeRequest]) -> None:
    shown = [guest.ended("on_model", name)["output"]["data"][1]["visible"] for name in (BUILT_IN, "picture-shaper")]
    assert shown == [False, True]
    last = guest.asked("", model="picture-shaper", image=guest.upload(b"no picture", "a.png"))
    assert not last["success"] and "image" in last["output"]["error"]
    picture = guest.upload(Path("assets/screenshot.png").read_bytes(), "a.png")
    assert "Done" in guest.made("", model="picture-shaper", image=picture)["line"]
    assert seen[0].image == Path("assets/screenshot.png").read_bytes()
    guest.made("a ball", image=picture)  # chosen for the other model, and of no use to this one
    assert seen[1].image is None


def test_a_grid_without_a_surface_is_a_message(served: Server, guest: Guest) -> None:
    def shapes(request: ShapeRequest, emit: Emit) -> Solid:
        emit(views(1, 1, 0))
        return Solid(np.full((16, 16, 16), 3, np.float16), np.zeros((16, 16, 16, 3), np.uint8))

    served.shapes = shapes
    told = guest.made()
    assert "Nothing came of this" in told["line"] and 'data-state="failed"' in told["line"]
    assert not told["viewer"]["visible"] and told["solid"] is None and "--place" in told["sheet"]


def test_what_failed_before_anything_was_seen_leaves_the_invitation(served: Server, guest: Guest) -> None:
    def shapes(request: ShapeRequest, emit: Emit) -> Solid:
        raise RuntimeError

    served.shapes = shapes
    told = guest.made()
    assert 'data-state="failed"' in told["line"] and "Describe a thing" in told["sheet"]


def test_stop_ends_the_run_and_keeps_what_was_seen(served: Server, guest: Guest) -> None:
    cancelled = threading.Event()

    def shapes(request: ShapeRequest, emit: Emit) -> Solid:
        try:
            for step in range(1, 10_000):
                emit(views(step, 10_000, 0))
                a_step()
        except Cancelled:
            cancelled.set()
            raise
        return ball(0)

    before = guest.made()
    served.shapes = shapes
    assert guest.asked()["success"]
    second = guest.asked()
    assert not second["success"] and "is being made" in second["output"]["error"]
    run = guest.join("shaping", None)  # held: Stop comes to a run whose page is still there
    for _ in run:
        if "--place" in guest.stands()["sheet"]:
            break
    told = dict(zip(STANDS, guest.call("on_stop_shaping", None), strict=True))
    assert "Stopped" in told["line"] and "stays here" in told["line"] and "--place" in told["sheet"]
    assert told["make"]["visible"] and not told["stop"]["visible"] and not told["viewer"]["visible"]
    assert cancelled.wait(WAIT_S)
    assert guest.remeshed(4, 0.1)["solid"] is None  # there is nothing to mesh
    assert not any(path.exists() for path in links(before["sheet"]).values())


def test_who_comes_back_finds_it_and_what_was_asked_and_nobody_else_does(
    served: Server, guest: Guest, seen: list[ShapeRequest]
) -> None:
    key, *_ = guest.call("on_return", "", None)
    guest.made("a blue ball")
    guest.remeshed(2, 0.5)
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        again = Guest(served, http, "shape-again", "ui.shape").call("on_return", key, None)
        other = Guest(served, http, "shape-other", "ui.shape").call("on_return", "", None)
    assert again[0] == key and again[-5:] == ["a blue ball", 2, 0.5, "surface", 7]
    assert dict(zip(STANDS, again[2:], strict=False))["sheet"] == guest.stands()["sheet"]
    assert other[0] != key and "Describe a thing" in str(other) and "blue ball" not in str(other)


def test_a_long_job_says_how_long_before_it_begins() -> None:
    paces, request = Paces(), ShapeRequest(prompt="a ball", steps=60)
    assert "about" not in Making(request, paces).first_line(60)
    paces.learn(request.model, LONG_S / 2)
    assert "60 steps should take about 10 min" in Making(request, paces).first_line(60)
    assert "about" not in Making(request, paces).first_line(1)


def test_the_rest_is_told_once_two_steps_are_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paces = Paces()
    making = Making(ShapeRequest(prompt="a ball"), paces)
    clock = iter(range(0, 1_000, 10))
    monkeypatch.setattr("ui.shape_run.time", SimpleNamespace(monotonic=lambda: next(clock)))
    lines = [making._take(views(step, 5, 0), tmp_path) or "" for step in (1, 2, 3)]
    assert "left" not in lines[0] and "2 of 5 steps, about 30 s left" in lines[1] and "about 20 s left" in lines[2]
    assert paces.expect(BUILT_IN, 4) == 40


def test_the_empty_state_names_every_kind_and_paint_that_was_learned() -> None:
    from training.shape_data import GROUPS
    from training.shape_paints import COLOURS, MATERIALS

    named = {group.lower(): set(names.split(", ")) for group, names in KINDS.items()}
    assert named == {group: {kind.name for kind in kinds} for group, kinds in GROUPS.items()}
    assert PAINTS.split(", ") == [*COLOURS, *MATERIALS]


def test_whoever_leaves_takes_the_files_along(tmp_path: Path) -> None:
    workshop = Workshop(folder=tmp_path / "shelf")
    workshop.shelf.mkdir()
    workshop.forget()
    assert not (tmp_path / "shelf").exists()
