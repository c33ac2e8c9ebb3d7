"""The video tab's events, as the page sends them: nothing lost on bad input, files that go, and Stop is last."""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import av
import httpx
import numpy as np
import pytest
from PIL import Image

from pipelines import video_file
from pipelines.events import Cancelled, Clip, Emit, Frames
from pipelines.video_request import BUILT_IN, VideoRequest
from tests.conftest import WAIT_S, Server, a_step
from tests.fakes.animator import FRAMES, REMARK, SIDE, STEPS, animate, moving, shown
from tests.ui.visitor import Visitor
from ui.video_desk import Desk
from ui.video_pace import Clock, Pace

ASKED: dict[str, Any] = {
    "motion": "",
    "speed": "",
    "frames": 0,
    "loop": False,
    "model": BUILT_IN,
    "seed": 5,
    "random_seed": False,
    "negative_prompt": "",
    "steps": 0,
    "guidance": "",
    "fps": 0,
    "upscale": 0,
}


class Guest(Visitor):
    """A visitor of the video tab."""

    def upload(self, data: bytes, name: str = "picture.png") -> dict[str, Any]:
        path = self._http.post("gradio_api/upload", files={"files": (name, data)}).raise_for_status().json()[0]
        return {"path": path, "meta": {"_type": "gradio.FileData"}}

    def asked(self, prompt: str, **changed: Any) -> dict[str, Any]:
        return self.ended("on_make", prompt, None, *(ASKED | changed).values())

    def made(self, prompt: str, **changed: Any) -> dict[str, Any]:
        """Make a clip to the end; returns what the page was told."""
        assert self.asked(prompt, **changed)["success"]
        assert self.ended("making", None)["success"]
        return self.told()

    def told(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.call("making_stands", None)[2]
        return shown

    def line(self) -> str:
        return str(self.call("making_stands", None)[3])

    def starts_from(self, data: bytes) -> dict[str, Any]:
        return self.ended("on_first_frame", self.upload(data), None)


@pytest.fixture
def http(served: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as client:
        yield client


@pytest.fixture
def guest(served: Server, http: httpx.Client, request: pytest.FixtureRequest) -> Guest:
    return Guest(served, http, f"video, {request.node.name}", "ui.video")


@pytest.fixture
def seen(served: Server) -> list[VideoRequest]:
    requests: list[VideoRequest] = []
    script = animate()

    def animates(request: VideoRequest, emit: Emit) -> Clip:
        requests.append(request)
        return script(request, emit)

    served.animates = animates
    return requests


def file(address: str) -> Path:
    return Path(unquote(address.removeprefix("gradio_api/file=")))


def png(colour: str = "red", size: tuple[int, int] = (40, 30), **more: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG", **more)
    return buffer.getvalue()


def test_a_clip_can_be_played_and_kept_in_three_formats(guest: Guest, seen: list[VideoRequest]) -> None:
    told = guest.made("a fox bounces", fps=12, loop=True)
    assert told["state"] == "over" and told["clip"]["kind"] == "mp4" and told["clip"]["loop"]
    with av.open(str(file(told["clip"]["src"])), "r") as container:
        assert len([*container.decode(video=0)]) == FRAMES
    assert [link["title"] for link in told["downloads"]] == ["MP4", "WebP", "GIF"]
    for link in told["downloads"]:
        recipe = video_file.read(file(link["href"]).read_bytes())
        assert (recipe.model, recipe.seed, recipe.options["prompt"]) == (BUILT_IN, 5, "a fox bounces")
    assert told["facts"] == ["6 frames, 12 a second, 32 x 32 pixels, seed 5"]
    assert "0.5 s of video" in guest.line()


def test_the_frames_in_the_making_come_together_and_the_finished_ones_take_their_place(
    served: Server, guest: Guest
) -> None:
    seen, go_on = threading.Event(), threading.Event()

    def animates(request: VideoRequest, emit: Emit) -> Clip:
        emit(Frames(shown(moving(FRAMES, 1), 0.5), 2, STEPS))
        seen.set()
        assert go_on.wait(WAIT_S)
        return Clip(moving(FRAMES, 1), 8.0)

    served.animates = animates
    assert guest.asked("a fox")["success"]
    live: dict[str, Any] = {}
    for _ in guest.join("making", None):
        if seen.is_set() and not live and guest.told()["strip"]:
            live = guest.told()
            go_on.set()
    assert live["state"] == "live" and live["clip"] is None and (live["step"], live["total"]) == (2, STEPS)
    sheet = Image.open(io.BytesIO(base64.b64decode(live["strip"]["src"].partition(",")[2])))
    assert live["strip"]["count"] == FRAMES and sheet.size == (FRAMES * SIDE, SIDE)
    told = guest.told()
    strip = Image.open(io.BytesIO(file(told["strip"]["src"]).read_bytes()))
    pixels = np.asarray(strip).reshape(SIDE, FRAMES, SIDE, 3).swapaxes(0, 1)
    assert np.abs(pixels.astype(int) - moving(FRAMES, 1)).mean() < 8


def test_what_the_model_remarks_is_told_as_text(guest: Guest, seen: list[VideoRequest]) -> None:
    assert guest.made("a fox", motion="explodes")["facts"][-1] == REMARK
    assert seen[0].motion == "explodes"


@pytest.mark.parametrize(
    ("prompt", "changed", "says"),
    [
        ("  ", {}, "There is nothing to go by"),
        ("a fox", {"frames": 1000}, "greater than maximum value 257"),
        ("a fox", {"guidance": "much"}, "“guidance”: must be a valid number"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_lost(
    guest: Guest, seen: list[VideoRequest], prompt: str, changed: dict[str, Any], says: str
) -> None:
    told = guest.made("a fox")
    last = guest.asked(prompt, **changed)
    assert not last["success"] and says in last["output"]["error"]
    assert guest.told() == told and len(seen) == 1 and file(told["clip"]["src"]).exists()


def test_a_picture_alone_is_enough_and_can_be_removed(guest: Guest, seen: list[VideoRequest]) -> None:
    assert guest.starts_from(png())["success"]
    guest.made("")
    assert seen[0].image is not None
    assert Image.open(io.BytesIO(seen[0].image)).size == (40, 30)
    view, button = guest.call("on_no_first_frame", None)
    assert "first frame" in view and not button["visible"]
    assert not guest.asked("")["success"]


def test_of_an_animation_the_first_frame_is_taken_and_that_is_said(guest: Guest, seen: list[VideoRequest]) -> None:
    more = [Image.new("RGB", (40, 30), colour) for colour in ("lime", "blue")]
    last = guest.starts_from(png("red", save_all=True, append_images=more))
    assert last["success"] and "Of its 3 frames the first is taken" in last["output"]["data"][0]
    guest.made("it bounces")
    assert seen[0].image is not None
    assert Image.open(io.BytesIO(seen[0].image)).getpixel((5, 5)) == (255, 0, 0)


def test_a_photo_of_8k_is_made_smaller_and_what_is_no_picture_is_refused(
    guest: Guest, seen: list[VideoRequest]
) -> None:
    photo = io.BytesIO()
    Image.new("RGB", (7680, 4320), "teal").save(photo, "JPEG")
    assert guest.starts_from(photo.getvalue())["success"]
    refused = guest.starts_from(b"hello")
    assert not refused["success"] and "not a picture that can be read" in refused["output"]["error"]
    guest.made("it bounces")
    assert seen[0].image is not None
    assert Image.open(io.BytesIO(seen[0].image)).size == (1536, 864)


def test_one_can_go_on_from_the_last_frame(guest: Guest, seen: list[VideoRequest]) -> None:
    assert "There is no clip" in guest.ended("on_go_on", None)["output"]["error"]
    guest.made("a fox")
    assert guest.ended("on_go_on", None)["success"]
    guest.made("it shrinks")
    assert seen[1].image is not None
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(seen[1].image))), moving(FRAMES, 5)[-1])


def test_a_picture_of_the_image_tab_is_brought_over_by_one_press(
    served: Server, http: httpx.Client, seen: list[VideoRequest]
) -> None:
    from tests.ui.test_image import Painter

    painter = Painter(served, http, "mover")
    canvas = painter.drawn("a red fox")
    (found,) = set(re.findall(r'data-send="move" data-value="([^"]+)"', canvas))
    guest = Guest(served, http, "mover", "ui.video_from_image")
    last = guest.ended("on_move", None, None, data={"value": found})
    view, button, prompt, tabs = last["output"]["data"]
    assert "<img" in view and button["visible"] and prompt == "a red fox" and tabs["selected"] == "video"
    forged = guest.ended("on_move", None, None, data={"value": "no such"})
    assert "no longer in the gallery" in forged["output"]["error"]
    Guest(served, http, "mover", "ui.video").made("")
    assert seen[0].image is not None


class Endless:
    """A script that makes frames until it is cancelled, and tells the test so."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def __call__(self, request: VideoRequest, emit: Emit) -> Clip:
        step = 0
        try:
            while True:
                step += 1
                emit(Frames(shown(moving(FRAMES, step), 0.9), 1 + step % 4, 5))
                a_step()
        except Cancelled:
            self.cancelled.set()
            raise


def test_stop_keeps_the_frames_so_far(served: Server, guest: Guest) -> None:
    before = guest.made("a fox")
    served.animates = endless = Endless()
    assert guest.asked("a dog")["success"]
    second = guest.asked("a cow")
    assert not second["success"] and "A clip is being made" in second["output"]["error"]
    run = guest.join("making", None)  # held: Stop comes to a run whose page is still there
    for _ in run:
        if guest.told()["strip"]:
            break
    make, stop, told, line = guest.call("on_stop_making", None)
    assert told["state"] == "stopped" and told["strip"]["src"].startswith("data:image/jpeg")
    assert "the frames so far are kept" in line and make["visible"] and not stop["visible"]
    assert endless.cancelled.wait(WAIT_S)
    assert not file(before["clip"]["src"]).exists()


def test_without_the_codec_the_clip_is_a_moving_picture_and_that_is_said(
    guest: Guest, seen: list[VideoRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("av.codec.codecs_available", set())
    told = guest.made("a fox")
    assert told["clip"]["kind"] == "webp" and file(told["clip"]["src"]).read_bytes()[8:12] == b"WEBP"
    assert [link["title"] for link in told["downloads"]] == ["WebP", "GIF"]
    assert "no encoder for H.264" in told["facts"][-1]


def test_a_reload_brings_everything_back_and_a_stranger_sees_nothing(
    served: Server, http: httpx.Client, seen: list[VideoRequest]
) -> None:
    guest = Guest(served, http, "video before", "ui.video")
    key, *_ = guest.call("on_return", "", None)
    guest.starts_from(png())
    told = guest.made("a fox")
    again = Guest(served, http, "video after", "ui.video")
    same, _, _, _, shown, _, start, _, prompt, seed = again.call("on_return", key, None)
    assert (same, shown, prompt, seed) == (key, told, "a fox", 5) and "<img" in start
    assert http.get(told["clip"]["src"]).status_code == 200
    stranger = Guest(served, http, "video stranger", "ui.video").call("on_return", key[:-1], None)
    assert stranger[0] not in ("", key) and stranger[4]["state"] == "empty" and "<img" not in stranger[6]


def test_a_long_job_says_first_how_long_it_takes(
    served: Server, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.video_run.LONG_S", 0)
    guest.made("a fox")
    assert guest.asked("a dog", frames=100, steps=50)["success"]
    assert "At these settings a clip takes about" in json.dumps([*guest.join("making", None)])
    assert guest.told()["note"] == ""


def test_the_time_that_is_left_is_known_after_two_steps() -> None:
    times = iter([0.0, 10.0, 20.0, 22.0, 23.0, 24.0])
    clock = Clock(lambda: next(times))
    clock.begin()
    assert clock.left(1, 5) is None  # the first step may have been a slow one
    assert clock.left(2, 5) == 6.0


def test_a_clip_takes_what_it_takes_from_the_first_news_of_its_making() -> None:
    times = iter([0.0, 10.0, 20.0])
    clock = Clock(lambda: next(times))
    clock.begin()
    clock.begin()  # as a heartbeat does, which says the same again
    assert clock.took == 10.0


def test_what_a_clip_took_is_expected_of_the_next_in_proportion() -> None:
    pace, request = Pace(), VideoRequest(frames=10, steps=5)
    assert pace.expected(request, {}) is None
    pace.learn(request, 10, 5, 100.0)
    assert pace.expected(VideoRequest(frames=20, steps=5), {}) == 200.0
    assert pace.expected(VideoRequest(), {"frames": 5, "steps": 5}) == 50.0
    assert pace.expected(VideoRequest(frames=20, steps=5, upscale=4), {}) is None


def test_whoever_leaves_takes_the_files_along(tmp_path: Path) -> None:
    desk = Desk(folder=tmp_path / "shelf")
    desk.shelf.mkdir()
    desk.put_start(png())
    desk.forget()
    assert not (tmp_path / "shelf").exists()
