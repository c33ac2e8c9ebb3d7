"""X-ray and what-if as a visitor meets them: with pointer, keys and finger, and with the real model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Chat, Open
from tests.browser.test_look import LOOKS, settle

pytestmark = pytest.mark.browser

BAKERY = "Give me three names for a small bakery."


def tokens(chat: Chat, pane: int = 0) -> Locator:
    return chat.page.locator(".pm-pane").nth(pane).locator(".pm-token")


def words(text: str) -> str:
    """Text without what Markdown and white space make of it."""
    return re.sub(r"(?<![^\s⏎])\d+\.(?!\d)|[\s*#⏎]|■ end", "", text)  # the number of a list's item is not its text


def ask_under_xray(chat: Chat, **settings: float) -> None:
    chat.set(**{"longest": 12, "temperature": 0, **settings})
    chat.page.get_by_label("X-ray", exact=True).check()
    expect(chat.page.locator(".pm-xray-hint")).to_contain_text("Ask for something")
    chat.ask(BAKERY)
    chat.expect_done()


def test_every_token_has_its_chances_and_the_answer_is_the_same_unwatched(chat: Chat, screenshots: Path) -> None:
    ask_under_xray(chat, temperature=0.8)
    expect(tokens(chat)).to_have_count(12)
    answer = chat.answers.inner_text()
    assert words("".join(tokens(chat).all_inner_texts())) == words(answer)
    expect(chat.page.locator(".pm-figures")).to_contain_text("12")
    tokens(chat).nth(5).hover()
    card = chat.page.locator(".pm-card")
    expect(card).to_contain_text("What if?")
    expect(card.locator(".pm-other")).to_have_count(8)
    expect(card.locator(".pm-others-head")).to_contain_text("drawn")  # 0.8 and top-p make something else of it
    settle(chat)
    chat.page.screenshot(path=screenshots / "xray-card.png")
    chat.page.mouse.move(0, 0)
    expect(card).to_be_hidden()
    chat.page.get_by_label("X-ray", exact=True).uncheck()
    expect(chat.page.locator(".pm-xray")).to_be_hidden()
    chat.regenerate()
    expect(chat.answers).to_have_text([answer])
    chat.page.get_by_label("X-ray", exact=True).check()
    expect(chat.page.locator(".pm-xray-hint")).to_contain_text("written unwatched")


def test_what_if_by_keyboard_a_branch_to_compare_and_to_return_from(chat: Chat, screenshots: Path) -> None:
    ask_under_xray(chat)
    answer = chat.answers.inner_text()
    keys = chat.page.keyboard
    tokens(chat).first.focus()
    for _ in range(4):
        keys.press("ArrowRight")
    expect(tokens(chat).nth(4)).to_be_focused()
    expect(chat.page.locator(".pm-card")).to_be_visible()
    keys.press("Enter")
    other = chat.page.locator(".pm-other:focus")
    expect(other).to_be_visible()
    chosen = words(other.locator("code").inner_text().replace("·", " "))
    keys.press("Enter")
    expect(chat.page.locator(".pm-way")).to_have_count(2)
    chat.expect_done()
    branch = chat.answers.inner_text()
    before = words("".join(tokens(chat).all_inner_texts()[:4]))
    assert branch != answer and words(branch).startswith(before + chosen) and words(answer).startswith(before)
    chat.page.get_by_role("button", name="Compare").click()
    expect(chat.page.locator(".pm-pane")).to_have_count(2)
    for pane, text in enumerate((branch, answer)):
        assert words("".join(tokens(chat, pane).all_inner_texts())) == words(text)
        expect(tokens(chat, pane).nth(4)).to_have_class(re.compile("pm-apart"))
        expect(tokens(chat, pane).nth(3)).to_have_class(re.compile("pm-same"))
    settle(chat)
    chat.page.screenshot(path=screenshots / "xray-compare.png", full_page=True)
    chat.page.locator("[data-take='0']").click()
    expect(chat.answers).to_have_text([answer])
    chat.page.reload()
    expect(chat.page.locator(".pm-way")).to_have_count(2)
    expect(chat.answers).to_have_text([answer])
    chat.page.locator("[data-take='1']").click()
    expect(chat.answers).to_have_text([branch])


def test_on_a_phone_a_tap_opens_the_card_and_nothing_is_off_the_screen(visit: Open, screenshots: Path) -> None:
    chat = visit(**LOOKS["phone"])
    ask_under_xray(chat)
    tokens(chat).nth(3).tap()
    card = chat.page.locator(".pm-card")
    expect(card.locator(".pm-other").first).to_be_visible()
    box = card.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= 390
    settle(chat)
    chat.page.screenshot(path=screenshots / "xray-phone.png")
    chat.page.locator(".pm-other:enabled").first.tap()
    expect(chat.page.locator(".pm-way")).to_have_count(2)
    chat.expect_done()
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= 390
