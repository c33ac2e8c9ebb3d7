"""Pictures in a conversation, in a real browser: chosen, dropped and pasted, refused by name, kept, on a phone too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Chat, Open, running
from tests.browser.test_look import LOOKS

pytestmark = pytest.mark.browser

PASTE = """([file, name]) => {
    const bytes = Uint8Array.from(atob(file), one => one.charCodeAt(0));
    const given = new DataTransfer();
    given.items.add(new File([bytes], name, { type: "image/png" }));
    document.querySelector("#pm-chat-prompt textarea").dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: given, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The page with scripted models, of which one sees."""
    with running("-m", "tests.browser.scripted") as address:
        yield address


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{colour}.png" for colour in ("orange", "teal")]
    for path, size in zip(paths, ((900, 600), (500, 800)), strict=True):
        Image.new("RGB", size, path.stem).save(path)
    return paths


def attach(chat: Chat, *files: Path) -> None:
    chat.page.locator("#pm-chat-prompt input[type=file]").set_input_files(files)
    expect(chat.page.locator("#pm-chat-prompt .thumbnail-item")).to_have_count(len(files))


def choose(chat: Chat, model: str) -> None:
    chat.page.locator("#pm-chat-model input").click()
    chat.page.get_by_role("option", name=model).click()


def test_pictures_are_asked_about_and_stay_with_their_messages(
    visit: Open, pictures: list[Path], screenshots: Path
) -> None:
    chat = visit()
    choose(chat, "Seeing")
    attach(chat, *pictures)
    chat.ask("these")
    expect(chat.page.locator("#pm-chat img")).to_have_count(2)
    expect(chat.page.locator("#pm-chat-prompt .thumbnail-item")).to_have_count(0)
    chat.expect_done()
    assert chat.answers.inner_text().strip() == "2 with “these”"
    chat.page.evaluate(PASTE, [PIXEL, "pasted.png"])
    expect(chat.page.locator("#pm-chat-prompt .thumbnail-item")).to_have_count(1)
    chat.prompt.fill("and this")
    chat.prompt.press("Enter")
    expect(chat.answers).to_have_count(2)
    chat.expect_done()
    assert chat.answers.last.inner_text().strip() == "2 with “these” and 1 with “and this”"
    chat.page.screenshot(path=screenshots / "pictures.png")
    chat.regenerate()
    assert chat.answers.last.inner_text().strip() == "2 with “these” and 1 with “and this”"
    chat.page.reload()
    expect(chat.page.locator("#pm-chat img")).to_have_count(3)
    chat.page.get_by_role("button", name="New conversation").click()
    expect(chat.page.locator("#pm-chat img")).to_have_count(0)


def test_an_edited_message_keeps_its_pictures(visit: Open, pictures: list[Path]) -> None:
    chat = visit()
    choose(chat, "Seeing")
    attach(chat, *pictures)
    chat.ask("these")
    chat.expect_done()
    attach(chat, pictures[0])
    chat.ask("and this")
    expect(chat.answers).to_have_count(2)
    chat.expect_done()
    chat.page.get_by_role("button", name="Edit").first.click()
    chat.page.locator("#pm-chat textarea").fill("those")
    chat.page.locator("#pm-chat").get_by_role("button", name="Submit").click()
    expect(chat.answers).to_have_count(1)
    chat.expect_done()
    assert chat.answers.inner_text().strip() == "2 with “those”"
    expect(chat.page.locator("#pm-chat img")).to_have_count(2)


def test_a_model_that_cannot_see_says_which_can_and_nothing_is_lost(visit: Open, pictures: list[Path]) -> None:
    chat = visit()
    attach(chat, *pictures)
    chat.ask("What is this?")
    expect(chat.page.get_by_text("cannot see pictures. Choose a model that can (Seeing)")).to_be_visible()
    expect(chat.prompt).to_have_value("What is this?")
    expect(chat.page.locator("#pm-chat-prompt .thumbnail-item")).to_have_count(2)
    choose(chat, "Seeing")
    chat.send.click()
    chat.expect_done()
    expect(chat.page.locator("#pm-chat img")).to_have_count(2)


def test_what_is_no_picture_is_refused_by_its_name(visit: Open, tmp_path: Path) -> None:
    (bad := tmp_path / "notes.png").write_text("not a picture")
    chat = visit()
    choose(chat, "Seeing")
    attach(chat, bad)
    chat.ask("Look")
    expect(chat.page.get_by_text("“notes.png” is not a picture that can be read")).to_be_visible()
    chat.page.get_by_role("button", name="Remove file").click()
    chat.send.click()
    chat.expect_done()
    expect(chat.questions).to_have_text(["Look"])


def test_on_a_phone_nothing_is_wider_than_the_screen(visit: Open, pictures: list[Path], screenshots: Path) -> None:
    chat = visit(**LOOKS["phone"])
    choose(chat, "Seeing")
    attach(chat, *pictures)
    chat.page.screenshot(path=screenshots / "pictures-box-phone.png")
    chat.ask("these")
    chat.expect_done()
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= 390
    widths = chat.page.locator("#pm-chat img").evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
    assert len(widths) == 2 and max(widths) <= 390
    chat.page.screenshot(path=screenshots / "pictures-phone.png")


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
