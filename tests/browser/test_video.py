"""A clip comes out of the noise and plays: in a real browser, with a scripted model that takes its time."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import av
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, Open
from tests.browser.test_code import site  # noqa: F401
from tests.browser.test_look import LOOKS
from tests.fakes.animator import FRAMES

pytestmark = pytest.mark.browser

WATCH = """() => { // notes each step that the strip shows: if there was a clip by then, and how many frames played
const root = document.querySelector(".pm-video"), strip = root.querySelector(".pm-video-strip"); window.seen = [];
new MutationObserver(() => window.seen.push([strip.dataset.step, root.dataset.state, Number(root.dataset.drawn)]))
	.observe(strip, { attributes: true, attributeFilter: ["data-step"] }) }"""


@dataclass
class Video:
    """The video tab, in the words of somebody who uses it."""

    page: Page

    def part(self, name: str) -> Locator:
        return self.page.locator(f"#pm-video-{name}")

    @property
    def screen(self) -> Locator:
        return self.page.locator(".pm-video")

    @property
    def clip(self) -> Locator:
        return self.screen.locator("video")

    @property
    def strip(self) -> Locator:
        return self.screen.locator(".pm-video-strip")

    def ask(self, text: str) -> None:
        self.part("prompt").locator("textarea").fill(text)
        self.part("go").click()

    def expect_state(self, state: str) -> None:
        expect(self.part("status").locator(".pm-state")).to_have_attribute("data-state", state)

    def expect_drawn(self, frames: int) -> None:
        """Wait until the screen has shown so many frames."""
        self.page.wait_for_function(
            "frames => Number(document.querySelector('.pm-video').dataset.drawn) >= frames",
            arg=frames,
            timeout=PATIENCE_MS,
        )

    def expect_playing(self) -> None:
        """Wait until time goes by in the finished clip."""
        self.page.wait_for_function(
            "() => document.querySelector('.pm-video video').currentTime > 0.1", timeout=PATIENCE_MS
        )

    def fetched(self, link: str) -> bytes:
        with self.page.expect_download() as download:
            self.screen.get_by_role("link", name=link, exact=True).click()
        return Path(download.value.path()).read_bytes()


def to_video(page: Page) -> Video:
    page.get_by_role("tab", name="Video").click()
    video = Video(page)
    expect(video.part("go")).to_be_enabled()
    return video


@pytest.fixture
def video(visit: Open) -> Video:
    """A new visitor, in the video tab."""
    return to_video(visit().page)


def test_the_strip_is_seen_moving_then_the_clip_plays_and_its_files_open(video: Video, screenshots: Path) -> None:
    video.page.get_by_role("button", name="a fox bounces").click()
    video.page.evaluate(WATCH)
    video.part("go").click()
    video.expect_state("done")
    live = [(step, played) for step, state, played in video.page.evaluate("window.seen") if state == "live"]
    assert len({step for step, _ in live}) > 2 and live[-1][1] > live[0][1] + 2
    expect(video.strip.locator("button")).to_have_count(FRAMES)
    video.expect_playing()
    video.page.screenshot(path=screenshots / "video.png", full_page=True)
    with av.open(io.BytesIO(video.fetched("MP4")), "r") as container:
        assert len([*container.decode(video=0)]) == FRAMES
    for kind in ("WebP", "GIF"):
        assert Image.open(io.BytesIO(video.fetched(kind))).format == kind.upper()
    # Keys alone stop at a frame.
    third = video.strip.get_by_role("button", name=f"Frame 3 of {FRAMES}")
    third.focus()
    video.page.screenshot(path=screenshots / "video-keys.png")
    for key, frame in (("Enter", third), ("Space", third.locator("xpath=following-sibling::*[1]"))):
        frame.focus()
        frame.press(key)
        expect(frame).to_have_attribute("aria-current", "true")
        assert video.clip.evaluate("video => video.paused")
    expect(third).to_have_attribute("aria-current", "false")
    # After a reload the clip is still there; its last frame becomes a first one.
    video.page.reload()
    video = to_video(video.page)
    video.expect_playing()
    video.screen.get_by_role("button", name="Go on from here").click()
    expect(video.part("start").locator("img")).to_be_visible()


def test_a_picture_of_the_image_tab_moves_by_one_press_and_stop_keeps_what_there_is(visit: Open) -> None:
    page = visit().page
    page.get_by_role("tab", name="Image").click()
    page.get_by_placeholder("Describe a picture").fill("a red square")
    page.locator("#pm-image-draw").click()
    page.get_by_role("button", name="Make it move").click()
    video = Video(page)
    expect(video.part("start").locator("img")).to_be_visible()
    expect(video.part("prompt").locator("textarea")).to_have_value("a red square")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("number input for Steps").fill("150")
    video.part("prompt").locator("textarea").press("Enter")
    video.expect_drawn(1)
    video.part("stop").click()
    video.expect_state("stopped")
    expect(video.strip.locator("button")).to_have_count(FRAMES)
    expect(video.screen).to_have_attribute("data-state", "stopped")


def test_it_fits_a_phone_and_nothing_moves_for_who_wants_none(visit: Open, screenshots: Path) -> None:
    video = to_video(visit(**LOOKS["phone"], reduced_motion="reduce").page)
    video.ask("a fox")
    video.expect_state("done")
    assert int(video.screen.get_attribute("data-drawn") or 0) <= 10  # each step once, as it came
    assert video.clip.evaluate("video => video.paused")
    video.page.screenshot(path=screenshots / "video-phone.png", full_page=True)
    assert video.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
