"""What is done while an answer is being written, by a scripted model that writes until it is stopped: a real one on a
fast machine ends before a hand is at the button."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Chat, Open, running
from tests.browser.scripted import ENDLESS, SUMMARY

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with running("-m", "tests.browser.scripted") as address:
        yield address


def test_a_second_visitor_is_answered_while_the_first_is_still_being_written_to(visit: Open) -> None:
    first, second = visit(), visit()
    first.ask(ENDLESS)
    first.expect_text(longer_than=10)
    expect(second.questions).to_have_count(0)
    second.ask("Name a colour.")
    second.expect_done()
    expect(second.answers).to_have_text([SUMMARY.strip()])
    first.expect_state("running")
    before = first.expect_text()
    assert first.expect_text(longer_than=len(before)).startswith(before)
    first.stop.click()
    first.expect_state("stopped")
    first.expect_idle_server()


def test_stop_keeps_what_was_written_and_gives_the_prompt_back(chat: Chat) -> None:
    chat.ask(ENDLESS)
    early = chat.expect_text(longer_than=20)
    expect(chat.send).to_be_hidden()
    chat.stop.click()
    expect(chat.send).to_be_visible()
    expect(chat.stop).to_be_hidden()
    chat.expect_state("stopped")
    expect(chat.state).to_contain_text("what was written is kept")
    chat.expect_idle_server()
    kept = chat.answers.inner_text()
    assert kept.startswith(early)
    chat.ask("Thank you.")
    chat.expect_done()
    assert chat.answers.first.inner_text() == kept
    expect(chat.answers).to_have_count(2)


def test_everything_can_be_done_with_the_keyboard(visit: Open) -> None:
    chat = visit()
    tab_to(chat, "#pm-chat-prompt textarea")
    chat.page.keyboard.type(ENDLESS)
    chat.page.keyboard.press("Enter")
    expect(chat.questions).to_have_text([ENDLESS])
    chat.expect_text(longer_than=3)
    tab_to(chat, "#pm-chat-stop")
    chat.page.keyboard.press("Enter")
    chat.expect_state("stopped")
    expect(chat.send).to_be_visible()


def tab_to(chat: Chat, selector: str) -> None:
    """Press Tab until the focus is there; the first thing in the page comes after the last."""
    chat.page.locator("body").press("Tab")
    for _ in range(80):
        if chat.page.evaluate("selector => document.activeElement.closest(selector) !== null", selector):
            return
        chat.page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with the Tab key")
