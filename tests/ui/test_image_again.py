"""What the image tab takes up again: a picture to start from with its mask, and the settings a picture carries."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL.PngImagePlugin import PngInfo

from pipelines import picture_file
from pipelines.events import Emit, Pictures, Recipe
from pipelines.image_request import BUILT_IN, ImageRequest
from tests.conftest import WAIT_S, Server
from tests.fakes.drawer import draw, square
from tests.ui.test_image import ORDER, Painter, png
from ui import painter


@pytest.fixture
def http(served: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as client:
        yield client


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
