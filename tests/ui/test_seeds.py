"""The seed of a run: what the visitor typed, or a new one each time, which the page then shows."""

from __future__ import annotations

from collections import Counter

import gradio as gr
import httpx

from pipelines.chat import ChatRequest
from tests.conftest import WAIT_S, Server
from tests.ui import test_music
from tests.ui.test_place import waiting
from tests.ui.visitor import Visitor
from ui import seeds

KEEPING = [f"pm-{tab}-seed" for tab in ("write", "code", "video", "shape", "music")]  # tabs that keep the last result


def test_a_typed_seed_stays_and_another_is_drawn_each_time() -> None:
    given = {"seed": 5, "random_seed": False}
    seeds.draw(given)
    assert given == {"seed": 5}
    drawn = set()
    for _ in range(20):
        given = {"seed": 5, "random_seed": True}
        seeds.draw(given)
        drawn.add(given.pop("seed"))
        assert given == {}
    assert len(drawn) > 15 and all(0 <= seed < seeds.MOST for seed in drawn)


def test_whoever_types_a_seed_has_it_kept() -> None:
    with gr.Blocks() as page:
        found = seeds.laid_out(ChatRequest, "pm-some-seed")
    assert list(found) == ["seed", "random_seed"]
    (event,) = page.fns.values()
    assert event.targets == [(found["seed"]._id, "input")]
    assert event.outputs == [found["random_seed"]] and event.js == "() => false"


def test_where_nothing_comes_of_a_run_the_seed_of_the_one_before_is_back_with_it(served: Server) -> None:
    given = ("a tune", None, *(test_music.ASKED | {"random_seed": True}).values())
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        visitor = Visitor(served, http, "seeds", "ui.music")
        key, *_ = visitor.call("on_return", "", None)
        first = visitor.ended("on_compose", *given)["output"]["data"][0]
        assert visitor.ended("composing", None)["success"]
        served.composes = waiting
        second = visitor.ended("on_compose", *given)["output"]["data"][0]
        assert visitor.call("back", None, True) == [second] != [first]
        visitor.call("on_stop_composing", None)
        assert visitor.call("back", None, True) == [first]
        assert visitor.call("back", None, False)[0] not in (first, second)  # it was typed, and stays
        assert Visitor(served, http, "seeds again", "ui.music").call("on_return", key, None)[-1] == first


def test_every_tab_that_keeps_the_last_result_keeps_its_seed(served: Server) -> None:
    events = served.page.fns.values()
    follows = Counter(event.outputs[0].elem_id for event in events if event.fn is seeds.back)
    assert follows == dict.fromkeys(KEEPING, 2)  # after a run's end, and after Stop
    returns = {event.outputs[-1].elem_id for event in events if getattr(event.fn, "__name__", "") == "on_return"}
    assert returns.issuperset(KEEPING)
