"""A visitor's pictures, from the prompt to the file: in a real browser, with the real model."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as images
from playwright.sync_api import expect

from pipelines import picture_file
from tests.browser.conftest import Chat, Image, Open, to_image
from tests.browser.test_look import LOOKS, nothing_is_off_the_screen, settle

pytestmark = pytest.mark.browser


def watch(image: Image) -> None:
    """From now on the page remembers every picture that it shows large."""
    image.page.evaluate(
        """() => {
            const canvas = document.querySelector('#pm-image-canvas');
            window.seen = [];
            new MutationObserver(() => {
                const shown = canvas.querySelector('.pm-shot > img')?.src ?? '';
                if (shown && shown !== window.seen.at(-1)) window.seen.push(shown);
            }).observe(canvas, { subtree: true, childList: true, attributes: true });
        }"""
    )


def slowed_down(image: Image) -> None:
    """As many steps as there may be, so that there is time to do something meanwhile."""
    settings = image.page.get_by_role("button", name=re.compile("^Settings"))
    settings.click()
    steps = image.page.get_by_label("number input for Steps", exact=True)
    steps.fill("150")
    steps.blur()
    settings.click()


def test_the_picture_resolves_before_the_visitors_eyes_and_comes_as_a_file(image: Image) -> None:
    expect(image.canvas).to_contain_text("Describe a picture")
    image.page.get_by_role("button", name="glossy", exact=True).click()
    expect(image.prompt).to_have_value("")
    image.prompt.fill("a fox")
    image.page.get_by_role("button", name="3d", exact=True).press("Enter")
    image.page.get_by_role("button", name="glossy", exact=True).press("Enter")
    expect(image.prompt).to_have_value("a fox, glossy")
    watch(image)
    image.draw.click()
    image.expect_done()
    expect(image.picture).to_have_attribute("src", re.compile("^gradio_api/file="))
    *previews, last = image.page.evaluate("window.seen")
    assert len({preview for preview in previews if preview.startswith("data:image/jpeg")}) >= 5
    assert "gradio_api/file=" in last
    expect(image.picture).to_have_js_property("naturalWidth", 512)
    recipe = picture_file.read(image.fetched("Download"))
    assert recipe.options["prompt"] == "a fox, glossy"
    expect(image.page.get_by_label("Seed")).to_have_value(str(recipe.seed))
    expect(image.canvas.locator(".pm-drawn-upon li").first).to_contain_text("fox")
    expect(image.gallery).to_have_count(1)


def test_the_film_strip_is_scrubbed_by_key_without_asking_the_server(image: Image) -> None:
    image.ask("a red apple")
    image.expect_done()
    image.view("Film strip")
    slider = image.canvas.get_by_label("Step of the film strip")
    step = image.canvas.locator("output")
    expect(step).to_have_text("Step 20 of 20")
    asked: list[str] = []
    image.page.on("request", lambda request: asked.append(request.url))
    seen = set()
    for key, number in (("Home", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("End", 20)):
        slider.press(key)
        expect(step).to_have_text(f"Step {number} of 20")
        seen.add(image.canvas.locator("[data-row=clean]").screenshot())
    assert len(seen) == 4
    assert not [url for url in asked if "queue/join" in url or "/run/" in url]
    expect(image.picture).to_be_hidden()
    image.view("Before and after")
    wipe = image.canvas.get_by_label("Where As drawn, 128 px ends and the result begins")
    before = image.canvas.locator(".pm-before").screenshot()
    for _ in range(30):
        wipe.press("ArrowRight")
    assert image.canvas.locator(".pm-before").screenshot() != before


def test_stop_ends_it_within_a_step_and_keeps_what_is_there(image: Image) -> None:
    slowed_down(image)
    image.ask("a fox, painted")
    image.expect_preview()
    image.stop.dispatch_event("click")  # at once: a fast machine needs two seconds for all of it
    image.expect_state("stopped")
    expect(image.draw).to_be_visible()
    expect(image.picture).to_have_attribute("src", re.compile("^data:image/jpeg"))
    Chat(image.page).expect_idle_server()
    expect(image.prompt).to_have_value("a fox, painted")
    expect(image.gallery).to_have_count(0)


def test_a_sweep_fills_its_grid_cell_by_cell_and_is_one_picture_in_the_end(image: Image) -> None:
    image.mode("Sweep")
    first, second = (
        image.page.get_by_label(f"{side}, values") for side in ("From left to right", "From top to bottom")
    )
    first.fill("1, much")
    image.ask("a fox")
    expect(image.page.get_by_text("“much” is not a number")).to_be_visible()
    expect(image.prompt).to_have_value("a fox")
    first.fill("1, 3")
    expect(second).to_have_value("")
    image.draw.click()
    cells = image.canvas.locator("button.pm-shot")
    expect(cells).to_have_count(1)
    expect(image.draw).to_be_hidden()
    expect(cells).to_have_count(2)
    image.expect_done()
    expect(image.canvas).to_contain_text("guidance 3")
    with images.open(io.BytesIO(image.fetched("Download"))) as sheet:
        assert sheet.width > 2 * 512
    cells.first.click()
    expect(image.canvas.locator(".pm-views")).to_be_visible()
    expect(image.gallery).to_have_count(3)


def test_what_is_painted_over_changes_and_the_rest_stays(image: Image) -> None:
    image.ask("a red apple, flat")
    image.expect_done()
    before = pixels(image.fetched("Download"))
    image.canvas.get_by_role("button", name="Use as input").click()
    sheet = image.page.locator(".pm-painter-canvas")
    expect(sheet).to_be_visible()
    expect(sheet).to_have_js_property("width", 512)
    box = sheet.bounding_box()
    assert box is not None
    mouse = image.page.mouse
    mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.2)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.2, steps=5)
    mouse.up()
    expect(image.page.locator(".pm-painter[data-painted]")).to_be_visible()
    image.ask("a blue ocean, flat")
    expect(image.gallery).to_have_count(2)
    image.expect_done()
    file = image.fetched("Download")
    assert str(picture_file.read(file).options["mask"]).startswith("sha256:")
    changed = np.abs(pixels(file) - before).mean(axis=2)
    assert changed[288:].mean() < 8 < changed[64:160, 96:288].max()
    image.page.get_by_role("button", name="Remove the picture").click()
    expect(sheet).to_be_hidden()


def test_a_reload_keeps_what_was_drawn_and_gives_up_what_was_not(image: Image) -> None:
    image.ask("a red apple")
    image.expect_done()
    shown = image.picture.get_attribute("src")
    slowed_down(image)
    image.ask("a fox")
    image.expect_preview()
    image.page.reload()
    again = to_image(Chat(image.page))
    expect(again.gallery).to_have_count(1)
    expect(again.draw).to_have_text("Draw")  # the other one has been given up
    again.gallery.first.click()
    expect(again.picture).to_have_attribute("src", shown or "")
    assert picture_file.read(again.fetched("Download")).options["prompt"] == "a red apple"


def test_a_picture_that_is_dropped_or_pasted_is_one_to_start_from(image: Image) -> None:
    given = io.BytesIO()
    images.new("RGB", (90, 60), "teal").save(given, "PNG")
    image.page.evaluate(
        """(bytes) => {
            const held = new DataTransfer();
            held.items.add(new File([Uint8Array.from(bytes)], "given.png", { type: "image/png" }));
            window.held = held;
        }""",
        list(given.getvalue()),
    )
    painted = image.page.locator(".pm-painter-canvas")
    send = """(name) => (name === "drop" ? document.querySelector("#pm-image-canvas .pm-canvas") : document)
        .dispatchEvent(name === "drop"
            ? new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: window.held })
            : new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: window.held }))"""
    for way in ("drop", "paste"):
        expect(painted).to_be_hidden()
        image.page.evaluate(send, way)
        expect(painted).to_be_visible()
        image.page.get_by_role("button", name="Remove the picture").click()


def test_a_mask_is_painted_and_taken_away_by_key(image: Image) -> None:
    image.ask("an owl")
    image.expect_done()
    image.canvas.get_by_role("button", name="Use as input").press("Enter")
    sheet = image.page.locator(".pm-painter-canvas")
    expect(sheet).to_have_js_property("width", 512)
    painted = image.page.locator(".pm-painter[data-painted]")
    for key in ("ArrowLeft", "ArrowUp", "Space"):
        sheet.press(key)
    expect(painted).to_have_count(1)
    image.page.get_by_role("button", name="Clear", exact=True).press("Enter")
    expect(painted).to_have_count(0)


def test_an_example_is_one_click_and_a_stranger_sees_nothing_of_it(image: Image, visit: Open) -> None:
    image.canvas.get_by_role("button", name="three strawberries, cartoon").click()
    expect(image.prompt).to_have_value("three strawberries, cartoon")
    stranger = to_image(visit())
    image.expect_done()
    expect(stranger.canvas).to_contain_text("Describe a picture")
    expect(stranger.gallery).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS)
def test_every_state_fits_the_screen(visit: Open, screenshots: Path, look: str) -> None:
    image = to_image(visit(**LOOKS[look]))

    def looks(state: str) -> None:
        settle(image)
        image.page.evaluate("scrollTo(0, 0)")
        image.page.screenshot(path=screenshots / f"image-{look}-{state}.png")
        nothing_is_off_the_screen(image.page, image.prompt, image.draw.or_(image.stop))

    looks("empty")
    slowed_down(image)
    image.ask("a fox, 3d")
    image.expect_preview()
    looks("drawing")
    image.expect_done()
    looks("done")
    image.view("Film strip")
    looks("film")
    image.canvas.get_by_role("button", name="Use as input").click()
    expect(image.page.locator(".pm-painter-canvas")).to_be_visible()
    looks("painting")
    image.mode("Compare")
    looks("compare")


def pixels(file: bytes) -> np.ndarray[Any, Any]:
    with images.open(io.BytesIO(file)) as picture:
        return np.asarray(picture.convert("RGB"), np.float32)
