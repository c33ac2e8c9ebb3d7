"""Visitors who come back find what they made, and nobody else does; what nobody can come back to is removed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import gradio as gr
import httpx
import pytest

from tests.conftest import MODEL, WAIT_S, Server, wait_for
from tests.ui.test_image import ORDER
from tests.ui.visitor import Visitor
from ui import visits
from ui.files import Keeper
from ui.visits import Visits

CHAT = (False, MODEL, "", 0.3, 0.9, 64, 0, False)


class Brief(Keeper):
    """Its run is over when it is told so."""

    over = False

    @property
    def at_work(self) -> bool:
        return not self.over


def with_a_file(keeper: Keeper) -> Path:
    file = keeper.shelf / "made.txt"
    file.write_text("made")
    return file


def test_who_comes_back_finds_the_same_and_with_a_key_of_its_own() -> None:
    kept: Visits[Keeper] = Visits()
    mine = Keeper()
    key, keeper = kept.enter("", mine)
    assert keeper is mine
    assert kept.enter(key, Keeper()) == (key, mine) and kept.enter(key, Keeper())[1] is mine
    other, another = kept.enter("", Keeper())
    assert other != key and another is not mine and len(key) > 40


@pytest.mark.parametrize("key", [None, 1, [], {}, "", "guessed", "x" * 10_000])
def test_a_key_that_nobody_was_given_opens_nothing(key: Any) -> None:
    kept: Visits[Keeper] = Visits()
    first, keeper = kept.enter("", Keeper())
    given, new = kept.enter(key, Keeper())
    assert given not in (first, key) and new is not keeper


def test_who_began_before_the_page_knew_them_loses_nothing() -> None:
    kept: Visits[Keeper] = Visits()
    key, before = kept.enter("", Keeper())
    hasty = Keeper()
    file = with_a_file(hasty)
    given, keeper = kept.enter(key, hasty)
    assert keeper is hasty and given != key and file.exists()
    assert kept.enter(key, Keeper())[1] is before
    hasty.forget()


def test_files_stay_for_a_while_after_the_last_session_has_ended() -> None:
    now = 0.0
    kept: Visits[Keeper] = Visits(lambda: now)
    key, keeper = kept.enter("", Keeper())
    file = with_a_file(keeper)
    kept.enter(key, Keeper())  # after a reload, while the page that was left still counts
    kept.leave(keeper)
    assert file.exists() and kept.enter(key, Keeper())[1] is keeper
    kept.leave(keeper)
    kept.leave(keeper)
    now = visits.KEPT_S - 1.0
    assert kept.enter(key, Keeper())[1] is keeper
    kept.leave(keeper)
    now += visits.KEPT_S + 1
    assert kept.enter(key, Keeper())[1] is not keeper and not file.exists()


def test_a_session_that_enters_again_counts_once() -> None:
    now = 0.0
    kept: Visits[Keeper] = Visits(lambda: now)
    key, keeper = kept.enter("", Keeper())
    assert kept.enter(key, keeper) == (key, keeper)
    kept.leave(keeper)
    now = visits.KEPT_S + 1.0
    assert kept.enter(key, Keeper())[1] is not keeper


def test_a_session_that_never_entered_leaves_nothing_behind() -> None:
    keeper = Keeper()
    file = with_a_file(keeper)
    kept: Visits[Keeper] = Visits()
    kept.leave(keeper)
    assert not file.exists()


def test_of_too_many_visitors_the_first_to_come_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "MOST", 2)
    kept: Visits[Keeper] = Visits()
    keys, keepers = zip(*(kept.enter("", Keeper()) for _ in range(2)), strict=True)
    files = [with_a_file(keeper) for keeper in keepers]
    kept.enter("", Keeper())
    assert [file.exists() for file in files] == [False, True]
    assert kept.enter(keys[1], Keeper())[1] is keepers[1]
    kept.leave(keepers[0])  # its session ends later, and has nothing left to remove
    keepers[1].forget()


def test_a_page_that_gradio_took_for_left_goes_on_where_it_was(served: Server) -> None:
    """A connection that was lost once, as by a laptop's sleep, counts for good: an hour later gradio forgets a
    session's states, every second again, though its page is open. The page finds its things by the browser's key."""
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        chat, image = (Visitor(served, http, "sleeper", f"ui.{tab}") for tab in ("chat", "image"))
        key, desk_key = chat.call("on_load", [], "", None, None)[1], image.call("on_return", "", None)[0]
        assert chat.ended("on_send", {"text": "hi", "files": []}, None, None, *CHAT)["success"]
        assert chat.ended("answer", None, None)["success"]
        saved = chat.call("settled", None, None)[0]
        assert image.ended("on_draw", "a fox", None, "", *ORDER.values())["success"]
        assert image.ended("drawing", None)["success"]
        gallery = image.call("standing", None)[4]
        with http.stream("GET", "gradio_api/heartbeat/sleeper") as beats:
            next(beats.iter_lines())
        session = served.page.state_holder.session_data["sleeper"]
        hour, session.STATE_TTL_WHEN_CLOSED = session.STATE_TTL_WHEN_CLOSED, 0
        wait_for(lambda: chat.call("settled", None, None)[0] == [] and image.call("standing", None)[4] != gallery)
        session.STATE_TTL_WHEN_CLOSED = hour
        assert chat.call("on_alive", saved, key, None, None)[0] == key
        assert chat.call("settled", None, None)[0] == saved != []
        assert image.call("on_alive", desk_key, None)[0] == desk_key
        assert image.call("standing", None)[4] == gallery


def test_who_follows_a_run_is_told_its_end_even_if_it_comes_just_after_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "FOLLOW_S", 0)
    keeper = Brief()

    def shown(keeper: Brief) -> tuple[str]:
        told = "at work" if keeper.at_work else "over"
        keeper.over = True  # right after this look
        return (told,)

    with gr.Blocks() as page:
        state, line = gr.State(), gr.HTML()
        Visits[Brief]().wire("brief", state, shown, [line])
    (follow,) = [event.fn for event in page.fns.values() if getattr(event.fn, "__name__", "") == "following"]

    async def followed() -> list[Any]:
        return [told async for told in cast(Any, follow)(keeper)]

    assert asyncio.run(followed()) == [("at work",), ("over",), (gr.skip(),)]
