"""A finished thing in the 3D tab: meshed anew without the model, as points, filmed, and back where a run fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing
from secrets import token_hex
from types import SimpleNamespace

import httpx
import pytest
import trimesh

from pipelines import shape_file
from pipelines.events import Emit, Solid
from pipelines.shape_request import ShapeRequest
from tests.conftest import WAIT_S, Server
from tests.ui.test_shape import Guest, links
from ui.shape_run import Workshop


@pytest.fixture
def guest(served: Server) -> Iterator[Guest]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        yield Guest(served, http, f"shape-{token_hex(4)}", "ui.shape")


def failing(request: ShapeRequest, emit: Emit) -> Solid:
    raise RuntimeError


def test_detail_and_smoothing_make_another_mesh_without_the_model(served: Server, guest: Guest) -> None:
    before = guest.made()
    served.shapes = failing
    coarse = links(before["sheet"])["GLB"]
    told = guest.remeshed(3, 0.0)
    fine = links(told["sheet"])["GLB"]
    assert told["solid"]["path"] != before["solid"]["path"] and "triangles" in told["line"]
    assert len(trimesh.load(fine, force="mesh").faces) > 2 * len(trimesh.load(coarse, force="mesh").faces)
    assert shape_file.read(fine.read_bytes()).options["detail"] == 3
    assert guest.remeshed(3, 0.0) == told  # nothing to do, nothing done
    guest.remeshed(2, 0.0)
    assert fine.exists() and not coarse.exists()  # a page may still be fetching the last one


def test_points_are_another_view_of_the_same(guest: Guest) -> None:
    surface = guest.made()["solid"]["path"]
    (points,) = guest.call("on_view", "points", None)
    cloud = trimesh.load(points["path"])
    assert isinstance(cloud, trimesh.PointCloud) and len(cloud.vertices) == shape_file.POINTS
    assert guest.call("on_view", "surface", None)[0]["path"] == surface


def test_a_clip_is_made_when_it_is_asked_for(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    import av

    monkeypatch.setattr(shape_file.turntable, "__defaults__", (6, 64))  # frames and pixels: a short one will do
    assert guest.made()["film"]["visible"]
    assert guest.ended("filming", None)["success"]
    told = guest.stands()
    assert not told["film"]["visible"] and "<video" in told["sheet"]
    with av.open(str(links(told["sheet"])["MP4"])) as clip:
        assert len([*clip.decode(video=0)]) == 6
    assert shape_file.read(links(told["sheet"])["MP4"].read_bytes()).seed == 7


def test_a_finished_thing_that_is_back_can_be_worked_on_as_before(served: Server, guest: Guest) -> None:
    key, *_ = guest.call("on_return", "", None)
    before = guest.made("a blue ball")
    served.shapes = failing
    asked = guest.asked("a cone")
    assert asked["success"] and asked["output"]["data"][1] is None  # else it would be no news to the viewer after
    assert guest.ended("shaping", None)["success"]
    assert guest.stands()["viewer"]["visible"] and guest.stands()["solid"] == before["solid"]
    assert guest.remeshed(2, 0.5)["solid"] != before["solid"]
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        again = Guest(served, http, f"shape-{token_hex(4)}", "ui.shape").call("on_return", key, None)
    assert again[-5] == "a cone"  # what was written last is not lost


@pytest.mark.parametrize("after", [0, 1], ids=["before the work", "during it"])
def test_rework_that_is_given_up_with_its_page_leaves_the_last_line(after: int) -> None:
    """Or a page that comes back says for ever that something is being made."""
    workshop, done = Workshop(line="Done"), threading.Event()
    workshop.run = SimpleNamespace(thing=object())  # type: ignore[assignment]

    async def leave() -> None:
        async with aclosing(workshop.rework("Filming", lambda thing: str(done.wait(WAIT_S)))) as news:
            await anext(news)
            assert "Filming" in workshop.line
            if after:
                working = asyncio.ensure_future(anext(news))
                await asyncio.sleep(0.01)
                working.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await working
        assert workshop.line == "Done"
        done.set()

    asyncio.run(leave())
