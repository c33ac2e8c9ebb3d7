"""The image tab's events, as the page sends them: nothing is lost on bad input, and Stop has the last word."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pipelines import picture_file
from pipelines.events import Cancelled, Emit, Pictures, Preview, Recipe
from pipelines.image_request import BUILT_IN, ImageRequest
from tests.conftest import WAIT_S, Server, a_step
from tests.fakes.drawer import draw, square
from tests.ui.visitor import Visitor
from ui import image_view, painter

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
        ("  ", {}, "must say something"),
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


def test_after_a_reload_everything_is_where_it_was(served: Server, http: httpx.Client) -> None:
    visitor = Painter(served, http, "before the reload")
    key, *_ = visitor.call("on_return", "", None)
    canvas = visitor.drawn("a fox")
    (found,) = set(re.findall(r'data-send="take" data-value="([^"]+)"', canvas))
    visitor.ended("on_take", None, data={"value": found})
    again = Painter(served, http, "after it")
    same, _, _, _, shown, _, gallery, start, address, *_, prompt = again.call("on_return", key, None)
    assert (same, shown, prompt) == (key, canvas, "a fox") and gallery.count("<li>") == 1
    assert start["visible"] and http.get(address).status_code == 200
    assert again.ended("on_take", None, data={"value": found})["success"]
    stranger = Painter(served, http, "with a guess").call("on_return", key[:-1], None)
    assert stranger[0] not in ("", key) and stranger[4] == image_view.empty()


def test_where_nothing_is_at_work_a_new_page_stays_as_it_is(served: Server, http: httpx.Client) -> None:
    """A generator that yields nothing would empty its outputs, the labels of buttons among them."""
    visitor = Painter(served, http, "idle")
    visitor.call("on_return", "", None)
    outputs = visitor.ended("following", None)["output"]["data"]
    assert outputs and not any(output is None or "value" in output for output in outputs)


def test_a_run_that_was_given_up_with_its_page_says_that_it_stopped(served: Server, http: httpx.Client) -> None:
    served.draws = endless = Endless()
    visitor = Painter(served, http, "left early")
    visitor.order("a fox")
    for message in visitor.join("drawing", None):
        if "data:image/jpeg" in json.dumps(message):
            break  # the stream is closed, as when the page is left
    assert endless.cancelled.wait(WAIT_S)
    while (stands := visitor.call("standing", None))[1]["visible"]:
        a_step()
    assert 'data-state="stopped"' in stands[3] and "data:image/jpeg" in stands[2]


def test_a_second_window_follows_what_the_first_one_draws(served: Server, http: httpx.Client) -> None:
    served.draws = endless = Endless()
    visitor = Painter(served, http, "first window")
    key, *_ = visitor.call("on_return", "", None)
    visitor.order("a fox")
    messages = visitor.join("drawing", None)
    next(message for message in messages if "data:image/jpeg" in json.dumps(message))
    second = Painter(served, http, "second window")
    second.call("on_return", key, None)
    followed = second.join("following", None)
    seen = next(message for message in followed if "data:image/jpeg" in json.dumps(message))
    assert len(seen["output"]["data"]) == len(second.call("standing", None)), "a mask that is painted there stays"
    second.call("on_stop_drawing", None)
    assert endless.cancelled.wait(WAIT_S)
    assert [message["msg"] for message in followed][-1] == "process_completed"
    assert "Stopped" in second.call("standing", None)[3]
    list(messages)


def test_one_visitors_pictures_are_nobody_elses(served: Server, http: httpx.Client) -> None:
    canvas = Painter(served, http, "owner").drawn("a fox")
    (found,) = set(re.findall(r'data-send="take" data-value="([^"]+)"', canvas))
    stranger = Painter(served, http, "stranger")
    assert stranger.chosen(found)[0] == image_view.empty()
    assert "no longer in the gallery" in stranger.ended("on_take", None, data={"value": found})["output"]["error"]


def test_a_picture_becomes_the_input_with_its_mask_and_can_be_removed(served: Server, http: httpx.Client) -> None:
    given: list[ImageRequest] = []

    def draws(request: ImageRequest, emit: Emit) -> Pictures:
        given.append(request)
        return draw()(request, emit)

    served.draws = draws
    visitor = Painter(served, http, "redrawer")
    (found,) = set(re.findall(r'data-send="take" data-value="([^"]+)"', visitor.drawn("a fox")))
    column, address, strength = visitor.ended("on_take", None, data={"value": found})["output"]["data"]
    assert column["visible"] and strength["visible"] and http.get(address).headers["content-type"] == "image/png"
    mask = painter.PNG + base64.b64encode(png("white", (64, 64))).decode()
    visitor.ended("on_draw", "a dog", None, mask, *ORDER.values())
    visitor.ended("drawing", None)
    assert given[-1].image is not None and given[-1].mask == png("white", (64, 64))
    assert "Your picture" in visitor.call("standing", None)[2]
    column, address, _ = visitor.call("on_remove", None)
    assert not column["visible"] and address == ""
    visitor.drawn("a dog")
    assert given[-1].image is None and given[-1].mask is None


def test_the_settings_of_a_picture_can_be_used_again(served: Server, http: httpx.Client) -> None:
    visitor = Painter(served, http, "repeater")
    canvas = visitor.drawn("a fox", seed=99, steps=7, guidance="2.5")
    (found,) = set(re.findall(r'data-send="repeat" data-value="([^"]+)"', canvas))
    prompt, *values = visitor.ended("on_repeat", None, data={"value": found})["output"]["data"]
    told = dict(zip(ORDER, values, strict=True))
    assert (prompt, told["seed"], told["steps"], float(told["guidance"])) == ("a fox", 99, 7, 2.5)
    assert told["random_seed"] is False


def test_the_settings_in_a_file_are_taken_and_what_it_lacks_is_told(served: Server, http: httpx.Client) -> None:
    visitor = Painter(served, http, "restorer")
    options = {"prompt": "a fox", "steps": 7, "guidance": 2.5, "image": "sha256:00", "of a later version": 1}
    told = restored(visitor, http, Recipe(BUILT_IN, "1", 99, options))
    prompt, *values = told[-1]["output"]["data"]
    settings = dict(zip(ORDER, values, strict=True))
    assert (prompt, settings["seed"], settings["steps"], float(settings["guidance"])) == ("a fox", 99, 7, 2.5)
    assert any("not the picture that it started from" in json.dumps(message) for message in told)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (None, "carries no settings"),
        (Recipe(BUILT_IN, "1", 1, {"prompt": " "}), "must say something"),
        (Recipe(BUILT_IN, "1", 1, {"prompt": ["a"], "steps": 10**9}), "steps"),
        (Recipe(BUILT_IN, "1", 1, [1]), "carries no settings"),  # type: ignore[arg-type]
        (Recipe("nobody/knows", "1", 1, {"prompt": "a fox"}), "There is no model"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(
    served: Server, http: httpx.Client, recipe: Recipe | None, message: str
) -> None:
    told = restored(Painter(served, http, f"forged-{message}"), http, recipe)[-1]
    assert not told["success"] and message in told["output"]["error"]


def restored(visitor: Painter, http: httpx.Client, recipe: Recipe | None) -> list[dict[str, Any]]:
    """What sending a PNG file with this recipe for its settings sets off."""
    text = PngInfo()
    if recipe is not None:
        text.add_itxt("polymuse", picture_file.as_json(recipe))
    buffer = BytesIO()
    square(0).save(buffer, "PNG", pnginfo=text)
    (path,) = http.post("gradio_api/upload", files={"files": ("made.png", buffer.getvalue())}).json()
    sent = {"path": path, "meta": {"_type": "gradio.FileData"}}
    return list(visitor.join("on_restore", sent))


@pytest.mark.parametrize("data", [None, [], {}, {"value": None}, {"value": {"a": 1}}, {"value": "x" * 999}])
def test_a_forged_choice_changes_nothing(served: Server, http: httpx.Client, data: Any) -> None:
    forged = Painter(served, http, "forger").ended("on_choose", None, data=data)
    assert forged["output"]["data"][0] == image_view.empty()
