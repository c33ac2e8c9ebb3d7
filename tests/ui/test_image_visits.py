"""The image tab's visitors: who comes back finds all of it, a second window follows, and nobody else sees anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import WAIT_S, Server, a_step
from tests.ui.test_image import Endless, Painter
from ui import image_view


@pytest.fixture
def http(served: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as client:
        yield client


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


@pytest.mark.parametrize("data", [None, [], {}, {"value": None}, {"value": {"a": 1}}, {"value": "x" * 999}])
def test_a_forged_choice_changes_nothing(served: Server, http: httpx.Client, data: Any) -> None:
    forged = Painter(served, http, "forger").ended("on_choose", None, data=data)
    assert forged["output"]["data"][0] == image_view.empty()
