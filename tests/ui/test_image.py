"""The image tab's events, as the page sends them: nothing is lost on bad input, and Stop has the last word."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from pipelines.events import Cancelled, Emit, Pictures, Preview
from pipelines.image_request import BUILT_IN, ImageRequest
from tests.conftest import WAIT_S, Server, a_step
from tests.fakes.drawer import draw, square
from tests.ui.visitor import Visitor

ORDER: dict[str, Any] = {
    "mode": "Picture",
    "across": "guidance",
    "across_values": "1, 2",
    "down": "none",
    "down_values": "",
    "model": BUILT_IN,
    "other_model": BUILT_IN,
    "other_steps": 0,
    "other_guidance": "",
    "other_scheduler": "default",
    "count": 1,
    "seed": 5,
    "random_seed": False,
    "strength": 0.6,
    "negative_prompt": "",
    "steps": 0,
    "guidance": "",
    "width": 0,
    "height": 0,
    "scheduler": "default",
    "upscale": 0,
    "lora": "",
    "lora_scale": 1,
}


class Painter(Visitor):
    """A visitor of the image tab."""

    def __init__(self, server: Server, http: httpx.Client, session: str) -> None:
        super().__init__(server, http, session, "ui.image")

    def order(self, prompt: str, **changed: Any) -> dict[str, Any]:
        """What pressing Draw sets off, up to the drawing."""
        return self.ended("on_draw", prompt, None, "", *(ORDER | changed).values())

    def drawn(self, prompt: str, **changed: Any) -> str:
        """Draw to the end; returns the canvas."""
        assert self.order(prompt, **changed)["success"]
        assert self.ended("drawing", None)["success"]
        return str(self.call("standing", None)[2])

    def chosen(self, id: str) -> list[str]:
        """The canvas and the gallery after a press on a picture."""
        shown: list[str] = self.ended("on_choose", None, data={"value": id})["output"]["data"]
        return shown


@pytest.fixture
def http(served: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as client:
        yield client


class Endless:
    """A script that draws until it is cancelled, and tells the test so."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def __call__(self, request: ImageRequest, emit: Emit) -> Pictures:
        step = 0
        try:
            while True:
                step += 1
                emit(Preview(square(step), 1 + step % 4, 5))
                a_step()
        except Cancelled:
            self.cancelled.set()
            raise


def png(colour: str = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_picture_is_drawn_into_the_canvas_and_the_gallery(served: Server, http: httpx.Client) -> None:
    visitor = Painter(served, http, "painter")
    canvas = visitor.drawn("a <fox>")
    for part in ("Before and after", "Step 5 of 5", "Use as input", "fox &lt;b&gt;", "91% match", "a &lt;fox&gt;"):
        assert part in canvas
    assert "<fox>" not in canvas
    gallery = visitor.call("standing", None)[4]
    assert [re.findall(r"<h(\d)", shown) for shown in (canvas, gallery)] == [["2"], ["2"]]  # below the page's h1
    for address in re.findall(r'(?:src="|href="|url\()(gradio_api[^")]+)', canvas):
        assert http.get(address).status_code == 200, address


def test_the_same_seed_is_drawn_again_and_a_new_one_is_shown(served: Server, http: httpx.Client) -> None:
    seeds: list[int] = []

    def draws(request: ImageRequest, emit: Emit) -> Pictures:
        seeds.append(request.seed)
        return draw()(request, emit)

    served.draws = draws
    visitor = Painter(served, http, "seeds")
    assert visitor.order("a fox", seed=5)["output"]["data"][0] == 5
    visitor.ended("drawing", None)
    shown = visitor.order("a fox", seed=5, random_seed=True)["output"]["data"][0]
    visitor.ended("drawing", None)
    assert seeds == [5, shown] and shown != 5


@pytest.mark.parametrize(
    ("prompt", "changed", "message"),
    [
        ("  ", {}, "Describe a picture first"),
        ("a fox", {"guidance": "much"}, "guidance"),
        ("a fox", {"seed": -1}, "seed"),
        ("a fox", {"width": 64}, "Give both"),
        ("a fox", {"model": "nobody/knows"}, "nobody/knows"),
        ("a fox", {"mode": "Sweep", "across_values": "1, x"}, "not a number"),
        ("a fox", {"mode": "Sweep", "across": "seed", "across_values": "1-99"}, "at most 36"),
        ("a fox", {"mode": "Compare"}, "would be the same"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    served: Server, http: httpx.Client, prompt: str, changed: dict[str, Any], message: str
) -> None:
    visitor = Painter(served, http, f"refused-{message}")
    before = visitor.call("standing", None)
    refused = visitor.order(prompt, **changed)
    assert not refused["success"] and message in refused["output"]["error"]
    assert visitor.call("standing", None) == before


def test_a_second_order_waits_for_the_first(served: Server, http: httpx.Client) -> None:
    visitor = Painter(served, http, "hasty")
    assert visitor.order("a fox")["success"]
    visitor.call("standing", None)  # by then the server knows that the stream of the first was left
    assert "Wait for it, or stop it" in visitor.order("a dog")["output"]["error"]
    visitor.call("on_stop_drawing", None)
    assert visitor.order("a dog")["success"]
    visitor.call("on_stop_drawing", None)


def test_stop_has_the_last_word_and_keeps_what_there_is(served: Server, http: httpx.Client) -> None:
    served.draws = endless = Endless()
    visitor = Painter(served, http, "stopper")
    visitor.order("a fox")
    messages = visitor.join("drawing", None)
    next(message for message in messages if "data:image/jpeg" in json.dumps(message))
    draw_button, stop_button, canvas, line, _ = visitor.call("on_stop_drawing", None)
    assert draw_button["visible"] and not stop_button["visible"]
    assert "what there is of the picture is kept" in line and "data:image/jpeg" in canvas
    assert any(message["msg"] == "process_completed" for message in messages)  # without any cancellation
    assert endless.cancelled.wait(WAIT_S)
    assert visitor.call("standing", None)[2:4] == [canvas, line]


def test_a_failure_before_anything_was_seen_brings_back_what_was_there(served: Server, http: httpx.Client) -> None:
    def fails(request: ImageRequest, emit: Emit) -> Pictures:
        raise RuntimeError("a secret path")

    visitor = Painter(served, http, "unlucky")
    before = visitor.drawn("a fox")
    served.draws = fails
    assert visitor.drawn("a dog") == before
    line = visitor.call("standing", None)[3]
    assert 'data-state="failed"' in line and "secret" not in line


def test_a_sweep_fills_its_grid_and_each_cell_can_be_looked_at(served: Server, http: httpx.Client) -> None:
    visitor = Painter(served, http, "sweeper")
    canvas = visitor.drawn("a fox", mode="Sweep", across_values="1, 2, 3", down="words", down_values="3d, flat")
    cells = re.findall(r'data-send="choose" data-value="([^"]+)"', canvas)
    assert len(cells) == 6 and "guidance 2" in canvas and "flat" in canvas
    assert "polymuse-grid.png" in canvas
    shown, gallery = visitor.chosen(cells[3])
    assert "a fox, flat" in shown and gallery.count("<li>") == 7
    assert f'data-value="{cells[3]}" aria-pressed="true"' in gallery


def test_a_sweep_that_is_stopped_is_a_grid_of_what_there_is(served: Server, http: httpx.Client) -> None:
    endless = Endless()
    served.draws = lambda request, emit: (draw() if request.guidance == 1 else endless)(request, emit)
    visitor = Painter(served, http, "half-way")
    visitor.order("a fox", mode="Sweep", across_values="1, 2, 3")
    messages = visitor.join("drawing", None)
    next(message for message in messages if "Picture 2 of 3" in json.dumps(message))
    *_, canvas, line, gallery = visitor.call("on_stop_drawing", None)
    assert "1 finished" in line
    assert gallery.count("<li>") == 2  # the picture, and the grid that it is in
    (link,) = re.findall(r'<a href="([^"]+)" download="polymuse-grid.png">', canvas)
    assert "guidance 3" in canvas and http.get(link).status_code == 200
    list(messages)
    assert visitor.call("standing", None)[2:] == [canvas, line, gallery]


def test_who_presses_in_the_gallery_while_something_is_drawn_is_told_why_nothing_comes_of_it(
    served: Server, http: httpx.Client
) -> None:
    visitor = Painter(served, http, "impatient")
    visitor.drawn("a fox")
    assert visitor.order("a dog")["success"]
    (work,) = set(re.findall(r'data-send="choose" data-value="([^"]+)"', visitor.call("standing", None)[4]))
    refused = visitor.ended("on_choose", None, data={"value": work})
    assert not refused["success"] and "A picture is being drawn" in refused["output"]["error"]
    visitor.call("on_stop_drawing", None)
    assert "a fox" in visitor.chosen(work)[0]
