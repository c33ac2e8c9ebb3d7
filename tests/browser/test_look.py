"""How the page looks, for people to judge, and what of it a test can judge: nothing is off the screen.

Every picture is a real one. The one for the README is `readme.png`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Chat, Image, Open

pytestmark = pytest.mark.browser

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
    },
}


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_fits_the_screen_empty_and_with_a_conversation(visit: Open, screenshots: Path, look: str) -> None:
    chat = visit(**LOOKS[look])
    settle(chat)
    expect(chat.page.get_by_text("Ask for something")).to_be_visible()
    chat.page.screenshot(path=screenshots / f"{look}-empty.png")
    nothing_is_off_the_screen(chat.page, chat.prompt, chat.send)
    chat.set(longest=32, temperature=0)
    chat.page.evaluate("scrollTo(0, 0)")
    chat.ask("Give me three names for a small bakery.")
    chat.expect_text(longer_than=20)
    chat.page.screenshot(path=screenshots / f"{look}-writing.png")
    chat.expect_done()
    settle(chat)
    chat.page.screenshot(path=screenshots / f"{look}-done.png")
    chat.page.screenshot(path=screenshots / f"{look}-whole.png", full_page=True)
    nothing_is_off_the_screen(chat.page, chat.prompt, chat.send)


def test_the_dark_theme_is_one_click_away_and_stays(visit: Open) -> None:
    chat = visit(color_scheme="light")
    expect(chat.page.locator("body.dark")).to_have_count(0)
    chat.page.get_by_role("button", name="Dark theme").click()
    expect(chat.page.locator("body.dark")).to_have_count(1)
    chat.page.reload()
    expect(chat.page.locator("body.dark")).to_have_count(1)


def test_the_picture_for_the_readme(visit: Open, screenshots: Path) -> None:
    """An answer under way, with the settings as they come."""
    chat = visit(color_scheme="light")
    chat.page.mouse.move(0, 0)
    settle(chat)
    chat.ask("Write a very long story about a robot who learns to garden, with many details.")
    chat.expect_text(longer_than=150)
    # The head is read again when a page comes into view: by itself every few seconds, in which an answer may be over.
    chat.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(chat.page.locator(".pm-queue")).to_have_text("1 running")
    chat.page.screenshot(path=screenshots / "readme.png")


def settle(chat: Chat | Image) -> None:
    """Fonts are here and nothing moves any more."""
    chat.page.wait_for_function("document.fonts.status === 'loaded'")
    chat.page.wait_for_function(
        "document.getAnimations().every(one => one.effect.getTiming().iterations === Infinity)"
    )


BOXES = """parts => parts.filter(part => part.checkVisibility()).map(part => part.getBoundingClientRect().toJSON())"""


def nothing_is_off_the_screen(page: Page, prompt: Locator, button: Locator) -> None:
    """No scrolling sideways, and the prompt and the button beside it in view without scrolling at all.

    `button` may be two that take turns: what is seen of them is measured at one moment, as a run may end at any.
    """
    size = page.viewport_size
    assert size is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.evaluate("scrollTo(0, 0)")
    for part in (prompt, button):
        while not (boxes := part.evaluate_all(BOXES)):  # one has gone, and the other is about to come
            expect(part.first).to_be_visible()
        for box in boxes:
            assert box["left"] >= 0 and box["right"] <= size["width"]
            assert box["top"] >= 0 and box["bottom"] <= size["height"]
