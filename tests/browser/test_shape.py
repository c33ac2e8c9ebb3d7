"""A thing comes out of the noise, is turned by hand, meshed anew, taken away: in a real browser, a scripted model."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trimesh
from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, Open
from tests.browser.test_code import site  # noqa: F401
from tests.browser.test_look import LOOKS

pytestmark = pytest.mark.browser

TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
FIRST = "document.querySelector('.pm-turntable img')?.src"
MOST_LOOKS = 400  # at the canvas, until something is to be seen on it


@dataclass
class Shape:
    """The 3D tab, in the words of somebody who uses it."""

    page: Page

    def part(self, name: str) -> Locator:
        return self.page.locator(f"#pm-shape-{name}")

    @property
    def canvas(self) -> Locator:
        return self.part("solid").locator("canvas")

    @property
    def state(self) -> Locator:
        return self.part("status").locator(".pm-state")

    def ask(self, text: str) -> None:
        self.page.get_by_placeholder("Describe a thing").fill(text)
        self.part("make").click()

    def seen(self) -> Image.Image:
        """The middle of the canvas, as it is on the screen."""
        picture = Image.open(io.BytesIO(self.canvas.screenshot())).convert("RGB")
        width, height = picture.size
        return picture.crop((width // 4, height // 4, 3 * width // 4, 3 * height // 4))

    def seen_other_than(self, before: Image.Image | None = None) -> Image.Image:
        """Wait until something is drawn, or something other than before."""
        for _ in range(MOST_LOOKS):
            picture = self.seen()
            if before is None and len(picture.getcolors(1 << 20)) > 50:
                return picture
            if before is not None and changed(before, picture) > 0.02:
                return picture
            self.page.evaluate(TWO_FRAMES)
        raise AssertionError("nothing came to be seen")

    def fetched(self, link: str) -> trimesh.Trimesh:
        with self.page.expect_download() as download:
            self.part("sheet").get_by_role("link", name=link, exact=True).click()
        data = Path(download.value.path()).read_bytes()
        return trimesh.load(io.BytesIO(data), file_type=link.lower(), force="mesh")


def changed(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels that differ clearly."""
    most = ImageChops.difference(one, other).convert("L").point(lambda value: 255 * (value > 24))
    return most.histogram()[255] / (most.width * most.height)


@pytest.fixture
def shape(visit: Open) -> Iterator[Shape]:
    """A new visitor, in the 3D tab."""
    yield to_shape(visit().page)


def to_shape(page: Page) -> Shape:
    page.get_by_role("tab", name="3D").click()
    expect(page.get_by_placeholder("Describe a thing")).to_be_visible()
    return Shape(page)


def test_it_is_seen_changing_then_turned_by_hand_meshed_anew_and_taken_away(shape: Shape, screenshots: Path) -> None:
    shape.ask("a ball of two colours")
    first = shape.page.wait_for_function(FIRST, timeout=PATIENCE_MS).json_value()
    shape.page.screenshot(path=screenshots / "shape-live.png")
    shape.page.wait_for_function(f"first => {FIRST} && {FIRST} !== first", arg=first, timeout=PATIENCE_MS)
    expect(shape.part("stop")).to_be_visible()  # it is not over yet
    expect(shape.state).to_have_attribute("data-state", "done")
    before = shape.seen_other_than()
    box = shape.canvas.bounding_box()
    assert box is not None
    shape.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shape.page.mouse.down()
    shape.page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=4)
    shape.page.mouse.up()
    shape.seen_other_than(before)
    shape.page.screenshot(path=screenshots / "shape.png", full_page=True)
    for link in ("GLB", "STL", "PLY"):
        assert shape.fetched(link).is_watertight, link
    coarse = len(shape.fetched("STL").faces)
    shape.page.get_by_label("range slider for Detail").press("ArrowRight")
    expect(shape.state).not_to_contain_text(f"{coarse:,}")
    expect(shape.state).to_contain_text("triangles")
    assert len(shape.fetched("STL").faces) > coarse
    # All of it is there again after a reload.
    shape.page.reload()
    again = to_shape(shape.page)
    expect(again.page.get_by_placeholder("Describe a thing")).to_have_value("a ball of two colours")
    expect(again.canvas).to_be_visible()
    again.seen_other_than()


@pytest.mark.parametrize("look", ["phone"])
def test_stop_keeps_what_was_seen_and_nothing_is_off_a_small_screen(visit: Open, screenshots: Path, look: str) -> None:
    shape = to_shape(visit(**LOOKS[look]).page)
    shape.part("make").click()
    expect(shape.page.get_by_text("Write what it should be")).to_be_visible()
    shape.page.screenshot(path=screenshots / f"shape-{look}-empty.png", full_page=True)
    shape.ask("a ball")
    expect(shape.page.locator(".pm-turntable")).to_be_visible()
    shape.part("stop").click()
    expect(shape.state).to_have_attribute("data-state", "stopped")
    expect(shape.page.locator(".pm-turntable")).to_be_visible()
    expect(shape.part("make")).to_be_visible()
    shape.page.screenshot(path=screenshots / f"shape-{look}-stopped.png", full_page=True)
    assert shape.page.evaluate("document.documentElement.scrollWidth") <= 390
