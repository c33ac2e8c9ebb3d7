"""Code in a real browser: an error shown while the rest is being written, a comparison, files, keys, a reload."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, Open, running
from tests.browser.scripted import ENDLESS
from tests.browser.test_look import LOOKS

pytestmark = pytest.mark.browser

LONG = "\n\n".join(f"Paragraph {n} tells of thing number {n}. " * 12 for n in range(15))
HALTING = f"{LONG}\n\n{ENDLESS}"  # its last part is never done: however fast the machine is, it can be stopped


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The page with a scripted model, which makes a mistake in its first line when it is told to write."""
    with running("-m", "tests.browser.scripted") as address:
        yield address


@dataclass
class Tab:
    """The code or the write tab, in the words of somebody who uses it."""

    page: Page
    name: str

    def part(self, name: str) -> Locator:
        return self.page.locator(f"#pm-{self.name}-{name}")

    @property
    def result(self) -> Locator:
        return self.part("result").locator(".cm-content") if self.name == "code" else self.part("result")

    @property
    def syntax(self) -> Locator:
        return self.page.locator(".pm-syntax")

    @property
    def parts(self) -> Locator:
        return self.page.locator(".pm-part")

    def expect_state(self, state: str) -> None:
        expect(self.part("status").locator(".pm-state")).to_have_attribute("data-state", state)

    def example(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def fetched(self, link: str) -> str:
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name=link).click()
        return Path(download.value.path()).read_text("utf-8")


def opened(visit: Open, name: str, **options: Any) -> Tab:
    page = visit(**options).page
    page.get_by_role("tab", name=name, exact=True).click()
    tab = Tab(page, name.lower())
    expect(tab.part("go")).to_be_visible()
    return tab


def test_what_is_to_be_translated_keeps_the_colours_of_its_own_language(visit: Open) -> None:
    code = opened(visit, "Code")
    code.example("Python to JavaScript")
    written = code.part("input").locator(".cm-content")
    expect(written).to_contain_text("def double")
    expect(code.page.get_by_label("Translate into")).to_have_value("JavaScript")
    expect(written).to_have_attribute("data-language", "python")
    code.example("Fix a mistake")
    expect(written).to_have_attribute("data-language", "python")


def test_an_error_is_shown_while_the_code_is_still_being_written(visit: Open, screenshots: Path) -> None:
    code = opened(visit, "Code")
    code.example("Write a function")
    instruction = code.part("instruction").locator("textarea")
    expect(instruction).not_to_have_value("")
    instruction.press("Control+Enter")
    expect(code.syntax).to_have_attribute("data-state", "wrong")
    expect(code.part("stop")).to_be_visible()  # it is still being written
    expect(code.syntax).to_contain_text("Line 1: Invalid syntax.")
    expect(code.syntax.locator("code")).to_have_text("def first(:")
    expect(code.result).to_contain_text("def first(:")
    code.part("stop").click()
    code.expect_state("stopped")
    expect(code.part("go")).to_be_visible()
    expect(code.result).to_contain_text("def first(:")  # what was written is kept
    code.page.screenshot(path=screenshots / "code-error.png")
    expect(code.syntax).to_have_attribute("data-state", "wrong")


def test_a_reload_in_the_middle_keeps_what_was_written_and_says_that_it_stopped(visit: Open) -> None:
    code = opened(visit, "Code")
    code.example("Write a function")
    instruction = code.part("instruction").locator("textarea")
    expect(instruction).not_to_have_value("")
    instruction.press("Control+Enter")
    expect(code.result).to_contain_text("def first(:")
    code.page.reload()
    code.page.get_by_role("tab", name="Code", exact=True).click()
    code.expect_state("stopped")
    expect(code.result).to_contain_text("def first(:")
    expect(code.part("go")).to_be_visible()
    expect(instruction).not_to_have_value("")


@pytest.mark.parametrize("look", LOOKS)
def test_a_fix_is_compared_offered_as_a_file_and_there_after_a_reload(
    visit: Open, screenshots: Path, look: str
) -> None:
    code = opened(visit, "Code", **LOOKS[look])
    code.example("Fix a mistake")
    editor = code.part("input").locator(".cm-content")
    expect(editor).to_contain_text("def mean(values):")
    editor.press("Control+Enter")  # begins no new line, but the task
    code.expect_state("done")
    expect(code.result).to_contain_text("return sum(values) / len(values)")
    expect(code.syntax).to_have_attribute("data-state", "fine")
    expect(code.page.locator(".pm-diff-head")).to_have_text("What changed: 1 line added, 4 lines removed")
    expect(code.part("words").locator("strong")).to_have_text("too long")
    code.page.screenshot(path=screenshots / f"code-{look}.png", full_page=True)
    assert code.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert code.fetched("Download polymuse-code.py").startswith("# Made by AI (trainedAlgorithmicMedia)")
    recipe = json.loads(code.fetched("Recipe"))["recipe"]
    assert recipe["options"]["task"] == "fix" and "\n\n" not in recipe["options"]["code"]
    code.page.reload()
    code.page.get_by_role("tab", name="Code", exact=True).click()
    expect(code.result).to_contain_text("return sum(values) / len(values)")
    expect(editor).to_contain_text("total += value")
    expect(code.page.locator(".pm-diff")).to_be_visible()


def test_a_long_text_is_summarised_in_parts_and_stop_keeps_those_that_are_done(visit: Open, screenshots: Path) -> None:
    write = opened(visit, "Write")
    text = write.part("text").locator("textarea")
    text.fill(HALTING)
    text.press("Control+Enter")
    expect(write.parts.nth(1)).to_contain_text("Part 2 of")
    expect(write.part("status")).to_contain_text(re.compile(r"Part \d of \d"))
    write.part("stop").click()
    write.expect_state("stopped")
    expect(write.part("status")).to_contain_text("kept")
    write.parts.first.locator("summary").click()
    expect(write.parts.first).to_contain_text("It tells of things that have numbers.")
    write.page.screenshot(path=screenshots / "write-parts.png", full_page=True)
    text.fill(LONG)
    text.press("Control+Enter")
    write.expect_state("done")
    expect(write.parts.last).to_contain_text("Joining")
    expect(write.result).to_contain_text("It tells of things that have numbers.")
    words, copy = write.result.locator("p").first.bounding_box(), write.result.get_by_role("button").bounding_box()
    assert words and copy and words["x"] + words["width"] <= copy["x"]  # the button is over no word
    assert "Made by AI" in write.fetched("Download as text")
    write.page.reload()
    write.page.get_by_role("tab", name="Write", exact=True).click()
    expect(text).to_have_value(LONG)
    expect(write.parts.last).to_contain_text("Joining")


@pytest.mark.parametrize("look", LOOKS)
def test_the_write_tab_fits_the_screen_and_its_prompt_follows_what_is_chosen(
    visit: Open, screenshots: Path, look: str
) -> None:
    write = opened(visit, "Write", **LOOKS[look])
    write.page.screenshot(path=screenshots / f"write-{look}.png", full_page=True)
    write.part("prompt").get_by_role("button").first.click()
    prompt = write.part("prompt").locator("textarea")
    expect(prompt).to_have_value(re.compile("^Summarise this text in three to five sentences"))
    write.part("task").get_by_text("Translate", exact=True).click()
    expect(prompt).to_have_value(re.compile("^Translate this text into French"))
    expect(write.page.get_by_text("knows hardly any language but English")).to_be_visible()
    prompt.fill("Say it as a pirate would: {text}")
    write.part("task").get_by_text("Rewrite", exact=True).click()
    expect(write.page.get_by_label("Tone")).to_be_visible()
    expect(prompt).to_have_value("Say it as a pirate would: {text}")
    assert write.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    write.page.wait_for_function("document.fonts.status === 'loaded'", timeout=PATIENCE_MS)


def test_nothing_to_do_is_refused_kindly_and_a_gap_is_shown_where_it_is(visit: Open) -> None:
    code = opened(visit, "Code")
    code.part("go").click()
    expect(code.page.get_by_text("Say what the program should do first.")).to_be_visible()
    code.example("Fill a gap")
    expect(code.part("input").locator(".cm-content")).to_contain_text("<cursor>")
