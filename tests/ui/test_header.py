"""The header and the notes around a tab: escaped, labelled, cheap, and usable without a mouse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.ui.conftest import FakeEngine, Server, status
from ui import explain, header


def test_names_from_outside_are_escaped() -> None:
    markup = header.markup("2 <b>cores</b> & more", 100)
    assert "2 &lt;b&gt;cores&lt;/b&gt; &amp; more" in markup
    assert "<b>" not in markup


def test_the_meter_names_its_range() -> None:
    markup = header.markup("cpu", 4096)
    meter = re.search(r'<span class="pm-meter"[^>]*>', markup)
    assert meter is not None
    for attribute in ('role="meter"', 'tabindex="0"', 'aria-valuemin="0"', 'aria-valuemax="4096"', "aria-label="):
        assert attribute in meter[0]
    assert 'aria-describedby="pm-models"' in meter[0]
    assert 'id="pm-models"' in markup


def test_the_first_thing_to_reach_leads_to_the_content() -> None:
    markup = header.markup("cpu", 1)
    focusable = re.findall(r"<(?:a|button)\b[^>]*|<[^>]*tabindex[^>]*", markup)
    assert 'href="#main"' in focusable[0]


def test_building_asks_the_engine_once() -> None:
    class Counting(FakeEngine):
        asked = 0

        def status(self):  # type: ignore[no-untyped-def]
            self.asked += 1
            return self.state

    engine = Counting(status())
    header.build(engine)  # type: ignore[arg-type]
    assert engine.asked == 1


def test_the_script_writes_what_it_reads_as_text_only() -> None:
    script = header.SCRIPT.read_text("utf-8")
    assert "innerHTML" not in script
    assert "insertAdjacentHTML" not in script
    assert not re.search(r"https?://", script)


def test_the_page_holds_the_header_and_no_event_of_its_own(client: httpx.Client) -> None:
    config = client.get("/config").json()
    parts = [part for part in config["components"] if part["props"].get("elem_id") == "pm-header"]
    assert len(parts) == 1
    assert "2 &lt;slow&gt; cores" in json.dumps(parts[0]["props"]["value"])
    assert not [event for event in config["dependencies"] if [parts[0]["id"], "load"] in event["targets"]]


def test_an_idea_is_explained_in_three_sentences() -> None:
    block = explain.what_you_are_seeing("A <title>", ["One.", "Two & a half.", "Three."])
    assert "A &lt;title&gt;" in block.value
    assert "<li>Two &amp; a half.</li>" in block.value
    with pytest.raises(ValueError, match="three sentences, not 2"):
        explain.what_you_are_seeing("Too short", ["One.", "Two."])


def test_the_footer_says_that_the_content_is_made() -> None:
    assert "made by AI models" in explain.footer().value


# --- In a browser ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """The page in a phone's width, with everything that went wrong or elsewhere collected and found empty."""
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="light")
    opened = context.new_page()
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda request: None if request.url.startswith(server.url) else wrong.append(request.url))
    opened.goto(server.url)
    expect(opened.locator(".pm-queue")).to_have_text("1 running, 3 waiting")
    yield opened
    context.close()
    assert not [what for what in wrong if not what.startswith(("data:", "blob:"))]


@pytest.mark.browser
def test_the_header_shows_what_health_says_as_text(page: Page, server: Server) -> None:
    assert page.locator(".pm-meter-text").inner_text() == "515.0 MiB of 6.0 GiB"
    expect(page.locator(".pm-models")).to_be_hidden()
    page.locator(".pm-meter").focus()
    expect(page.locator(".pm-models")).to_be_visible()
    assert page.locator(".pm-models").inner_text() == "Smol <b>model</b>, 515.0 MiB, in use"
    page.keyboard.press("Escape")
    expect(page.locator(".pm-models")).to_be_hidden()
    before = server.engine.state
    try:
        server.engine.state = status(used=0, running=0, queued=0)
        expect(page.locator(".pm-queue")).to_have_text("Idle")
    finally:
        server.engine.state = before


@pytest.mark.browser
def test_the_page_works_by_keyboard_and_fits_a_phone(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".pm-skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("tab", name="One").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Two")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tab", name="Two")).to_be_focused()


@pytest.mark.browser
def test_the_choice_of_light_or_dark_is_kept(page: Page) -> None:
    expect(page.locator("body.dark")).to_have_count(0)
    page.locator(".pm-theme").focus()
    page.keyboard.press("Space")
    expect(page.locator("body.dark")).to_have_count(1)
    page.reload()
    expect(page.locator(".pm-theme")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("body.dark")).to_have_count(1)
