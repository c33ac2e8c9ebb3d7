"""A text is heard while the rest is still being made: in a real browser, with the real model."""

from __future__ import annotations

import io
import json
import re
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from pipelines.errors import WeightsError
from pipelines.speech_catalog import KOKORO
from pipelines.weights import Store
from tests.browser.conftest import PATIENCE_MS, Open
from ui.player import player

pytestmark = pytest.mark.browser

TEXT = "Hello there, my friend. It is good to see you here. Goodbye."


@dataclass
class Speech:
    """The speech tab, in the words of somebody who uses it."""

    page: Page

    @property
    def text(self) -> Locator:
        return self.page.get_by_placeholder("Write what should be said")

    @property
    def speak(self) -> Locator:
        return self.page.locator("#pm-speech-speak")

    @property
    def stop(self) -> Locator:
        return self.page.locator("#pm-speech-stop")

    @property
    def player(self) -> Locator:
        return self.page.locator(".pm-player")

    @property
    def captions(self) -> Locator:
        return self.page.locator(".pm-captions button")

    @property
    def state(self) -> Locator:
        return self.page.locator("#pm-speech-status .pm-state")

    def ask(self, text: str) -> None:
        self.text.fill(text)
        self.speak.click()

    def expect_played(self, seconds: float) -> None:
        """Wait until so much has been heard of a sound that is still being made, and that plays on."""
        self.page.wait_for_function(
            "seconds => { const { state, playing, played } = document.querySelector('.pm-player').dataset;"
            "return state === 'live' && playing === 'true' && Number(played) >= seconds }",
            arg=seconds,
            timeout=PATIENCE_MS,
        )

    def first_heard(self) -> str:
        """The first caption that is marked as the one that is heard: its words, and under them its phonemes."""
        found = self.page.wait_for_function(
            "() => document.querySelector('.pm-captions [aria-current]')?.innerText", timeout=PATIENCE_MS
        )
        return str(found.json_value())

    def words(self) -> list[str]:
        """Of all captions, without the phonemes under the one that is heard."""
        return [text.splitlines()[0] for text in self.captions.all_inner_texts()]

    def fetched(self, link: str) -> bytes:
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name=link, exact=True).click()
        return Path(download.value.path()).read_bytes()


@pytest.fixture
def speech(visit: Open) -> Iterator[Speech]:
    """A new visitor, in the speech tab."""
    try:
        Store().fetch(KOKORO, lambda update: None)
    except WeightsError as error:
        pytest.skip(f"the weights of the speech model cannot be had: {error}")
    page = visit().page
    page.get_by_role("tab", name="Speech").click()
    speech = Speech(page)
    expect(speech.text).to_be_visible()
    yield speech


def test_sound_plays_before_the_end_is_made_and_the_file_has_all_of_it(speech: Speech, screenshots: Path) -> None:
    text = " ".join([TEXT] * 4)
    speech.ask(text)
    expect(speech.stop).to_be_visible()
    words, phonemes = speech.first_heard().splitlines()
    assert words == "Hello there, my friend." and "ˈ" in phonemes
    speech.expect_played(0.2)
    expect(speech.state).to_have_attribute("data-state", "done")
    speech.page.screenshot(path=screenshots / "speech.png")
    expect(speech.player).to_have_attribute("data-playing", "false")
    with wave.open(io.BytesIO(speech.fetched("WAV"))) as sound:
        length = sound.getnframes() / sound.getframerate()
    heard = float(speech.player.get_attribute("data-played") or 0)
    assert heard == pytest.approx(length, abs=0.3)
    assert " ".join(speech.words()) == text
    vtt = speech.fetched("Captions (VTT)").decode()
    assert vtt.startswith("WEBVTT") and vtt.count("-->") == speech.captions.count()
    assert speech.fetched("FLAC").startswith(b"fLaC")
    # Heard again from a caption; a pause holds it there.
    speech.captions.last.click()
    expect(speech.page.locator(".pm-captions [aria-current]")).to_have_text(re.compile("Goodbye"))
    speech.page.get_by_role("button", name="Pause").click()
    expect(speech.player).to_have_attribute("data-playing", "false")


def test_stop_silences_and_what_was_made_can_be_played(speech: Speech) -> None:
    speech.text.fill(TEXT * 20)
    speech.text.press("Control+Enter")  # may be heard, like a press on the button
    speech.expect_played(0.2)
    speech.stop.click()
    expect(speech.speak).to_be_visible()
    expect(speech.state).to_have_attribute("data-state", "stopped")
    expect(speech.player).to_have_attribute("data-playing", "false")
    speech.page.wait_for_function(
        "async () => { const health = await (await fetch('/health')).json();"
        "return health.running + health.queue === 0 }",
        timeout=PATIENCE_MS,
    )
    speech.captions.first.click()
    expect(speech.player).to_have_attribute("data-playing", "true")
    expect(speech.page.locator("#pm-speech-player .pm-downloads a")).to_have_count(4)


OVERTAKEN = """([html, script, tellings]) => {
  const element = document.createElement("div");
  element.innerHTML = html;
  document.body.append(element);
  const props = { value: tellings[0] };
  let hear;
  new Function("element", "props", "watch", script)(element, props, (_, then) => (hear = then));
  for (const value of tellings.slice(1)) {
    props.value = value;
    hear();
  }
  return [element.querySelector(".pm-player").dataset.state, element.querySelectorAll(".pm-captions button").length];
}"""


def test_what_comes_after_the_answer_to_stop_and_knows_less_is_not_heard(speech: Speech) -> None:
    """Messages of a run and answers to a press come on different ways, in any order."""
    made = player({}, "pm-overtaken", '<ol class="pm-captions"></ol>', 24_000, [])
    part = {"src": "data:,", "start": 500, "seconds": 1, "rate": 24_000, "channels": 1, "peaks": [], "text": "Hello."}
    stopped = {"run": "a", "state": "stopped", "parts": [part, part], "downloads": []}
    late = stopped | {"state": "live", "parts": [part]}
    assert speech.page.evaluate(OVERTAKEN, [made.html_template, made.js_on_load, [stopped, late]]) == ["stopped", 2]
    other = late | {"run": "b", "state": "over"}
    found = speech.page.evaluate(OVERTAKEN, [made.html_template, made.js_on_load, [stopped, late, other]])
    assert found == ["over", 1]


def test_a_dialogue_is_spoken_by_its_speakers_and_nothing_is_refused_kindly(speech: Speech) -> None:
    speech.ask("  ")
    expect(speech.page.get_by_text("Write what should be said first.")).to_be_visible()
    speech.page.get_by_role("button", name="A dialogue").click()
    expect(speech.text).to_have_value(re.compile("^Anna: Did you"))
    expect(speech.page.get_by_label("Second", exact=True)).to_be_visible()
    speech.text.fill("Anna: Hello <b>you</b>!\nBen: Good day.")
    speech.speak.click()
    expect(speech.state).to_have_attribute("data-state", "done")
    assert speech.words() == ["Anna Hello <b>you</b>!", "Ben Good day."]
    played = json.loads(speech.player.get_attribute("data-played") or "0")
    assert played > 0
