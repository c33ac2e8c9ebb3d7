"""A recording becomes clean and is compared with what it was: in a real browser, with the real model."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Locator, Page, expect

from pipelines.enhance_catalog import DEEPFILTERNET
from pipelines.errors import WeightsError
from pipelines.sound_in import RATE
from pipelines.weights import Store
from tests.browser.conftest import PATIENCE_MS, Open

pytestmark = pytest.mark.browser

GAINS = """() => { // notes the gains that the player makes: of before, left and right, then of after
const make = BaseAudioContext.prototype.createGain; window.made = [];
BaseAudioContext.prototype.createGain = function () { const one = make.call(this); made.push(one); return one } }"""
EXAMPLE = Path(__file__).parents[2] / "assets" / "enhance-example.flac"


@dataclass
class Enhance:
    """The enhance tab, in the words of somebody who uses it."""

    page: Page

    @property
    def go(self) -> Locator:
        return self.page.locator("#pm-enhance-go")

    @property
    def player(self) -> Locator:
        return self.page.locator(".pm-ab")

    @property
    def state(self) -> Locator:
        return self.page.locator("#pm-enhance-status .pm-state")

    def upload(self, data: bytes, name: str) -> None:
        kind = {"flac": "audio/flac", "wav": "audio/wav"}[name.rpartition(".")[2]]
        chosen = self.page.locator("#pm-enhance-audio input[type=file]")
        chosen.set_input_files({"name": name, "mimeType": kind, "buffer": data})
        expect(self.page.locator("#pm-enhance-audio").get_by_label("Play", exact=False).first).to_be_visible()

    def expect_state(self, state: str) -> None:
        expect(self.state).to_have_attribute("data-state", state)

    def expect_heard(self, which: str) -> None:
        """Wait until one is let through, and the other is not."""
        expect(self.player).to_have_attribute("data-heard", which)
        self.page.wait_for_function(
            "wanted => window.made.slice(-4).every((one, at) => Math.abs(one.gain.value - wanted[at]) < 0.001)",
            arg=[1, 1, 0, 0] if which == "before" else [0, 0, 1, 1],
            timeout=PATIENCE_MS,
        )

    def expect_played(self, seconds: float) -> None:
        """Wait until so much has been heard."""
        self.page.wait_for_function(
            "seconds => Number(document.querySelector('.pm-ab').dataset.played) >= seconds",
            arg=seconds,
            timeout=PATIENCE_MS,
        )

    def fetched(self, link: str) -> bytes:
        with self.page.expect_download() as download:
            self.player.get_by_role("link", name=link, exact=True).click()
        return Path(download.value.path()).read_bytes()


@pytest.fixture
def enhance(visit: Open) -> Iterator[Enhance]:
    """A new visitor, in the enhance tab."""
    try:
        Store().fetch(DEEPFILTERNET, lambda update: None)
    except WeightsError as error:
        pytest.skip(f"the weights of the noise removal cannot be had: {error}")
    page = visit().page
    page.get_by_role("tab", name="Enhance").click()
    enhance = Enhance(page)
    expect(enhance.go).to_be_visible()
    yield enhance


def test_before_and_after_are_switched_while_they_play_and_the_download_opens(
    enhance: Enhance, screenshots: Path
) -> None:
    enhance.upload(EXAMPLE.read_bytes(), "mine.flac")
    enhance.go.click()
    enhance.expect_state("done")
    expect(enhance.player.locator("figure img").first).to_have_js_property("complete", True)
    enhance.page.screenshot(path=screenshots / "enhance.png", full_page=True)
    enhance.page.evaluate(GAINS)
    enhance.player.get_by_role("button", name="Play").click()
    enhance.expect_played(0.3)
    enhance.expect_heard("after")
    # By the keyboard; the sound goes on.
    enhance.player.get_by_label("After").focus()
    enhance.page.keyboard.press("ArrowLeft")
    enhance.expect_heard("before")
    expect(enhance.player).to_have_attribute("data-playing", "true")
    enhance.player.get_by_text("After", exact=True).first.click()
    enhance.expect_heard("after")
    enhance.player.get_by_role("slider", name="Position").fill("5")
    enhance.expect_played(5.1)
    with soundfile.SoundFile(io.BytesIO(enhance.fetched("WAV"))) as sound:
        assert sound.samplerate == RATE and sound.frames == pytest.approx(6.17 * RATE, abs=RATE // 100)
    assert enhance.fetched("FLAC").startswith(b"fLaC")


def test_the_first_seconds_of_the_example_are_tried_and_what_is_no_sound_is_refused_kindly(enhance: Enhance) -> None:
    enhance.go.click()
    expect(enhance.page.get_by_text("Choose a sound file first")).to_be_visible()
    enhance.page.locator("#pm-enhance-example").click()
    expect(enhance.page.locator("#pm-enhance-audio").get_by_label("Play", exact=False).first).to_be_visible()
    enhance.page.locator("#pm-enhance-first").click()
    enhance.expect_state("done")
    expect(enhance.player.get_by_role("button", name="Play")).to_be_enabled()
    expect(enhance.player.locator(".pm-ab-facts")).to_contain_text("−16.0 LUFS")


def test_stop_gives_the_machine_back(enhance: Enhance) -> None:
    sound, rate = soundfile.read(EXAMPLE)
    buffer = io.BytesIO()
    soundfile.write(buffer, [*sound] * 40, rate, format="FLAC")  # four minutes
    enhance.upload(buffer.getvalue(), "long.flac")
    enhance.go.click()
    enhance.page.wait_for_function(  # in the page, as soon as there is something: however busy the machine is
        "() => { const seen = document.querySelector('.pm-ab figure img')?.src.startsWith('data:image');"
        "if (seen) document.querySelector('#pm-enhance-stop').click(); return seen }",
        timeout=PATIENCE_MS,
    )
    expect(enhance.go).to_be_visible()
    enhance.expect_state("stopped")
    enhance.page.wait_for_function(
        "async () => { const health = await (await fetch('/health')).json();"
        "return health.running + health.queue === 0 }",
        timeout=PATIENCE_MS,
    )
