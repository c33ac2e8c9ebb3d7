"""The seed of a run: what the visitor typed, or a new one each time, which the page then shows."""

from __future__ import annotations

import gradio as gr

from pipelines.chat import ChatRequest
from ui import seeds


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
