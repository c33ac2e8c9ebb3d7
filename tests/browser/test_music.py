"""A piece is seen and heard while it is being written: in a real browser, with the real model."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mido
import pytest
from playwright.sync_api import Locator, Page, expect

from pipelines.device import detect
from pipelines.errors import WeightsError
from pipelines.music_catalog import music_models
from pipelines.weights import Store
from tests.browser.conftest import PATIENCE_MS, Open
from tests.pipelines.test_music_melody import SCALE, midi, track

pytestmark = pytest.mark.browser

INKED = """() => {
    const canvas = document.querySelector(".pm-sheet canvas");
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = getComputedStyle(canvas).getPropertyValue("--pm-accent-ink");
    probe.fillRect(0, 0, 1, 1);
    const wanted = probe.getImageData(0, 0, 1, 1).data;
    const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0;
    for (let at = 0; at < all.length; at += 4)
        count += all[at] === wanted[0] && all[at + 1] === wanted[1] && all[at + 2] === wanted[2];
    return count;
}"""
# How many notes there are and their ink, of the same moment: the next one may be that of the last note.
HEARD_LIVE = f"""() => {{
    const player = document.querySelector("#pm-music-player .pm-player");
    const notes = Number(player.querySelector(".pm-roll").dataset.notes);
    if (player.dataset.state !== "live" || Number(player.dataset.played) <= 0.2 || !notes) return false;
    const inked = ({INKED})();
    return inked && [notes, inked];
}}"""
MORE_NOTES = "before => Number(document.querySelector('.pm-roll').dataset.notes) > before"


@dataclass
class Music:
    """The music tab, in the words of somebody who uses it."""

    page: Page

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_placeholder("Describe a piece of music")

    @property
    def compose(self) -> Locator:
        return self.page.locator("#pm-music-compose")

    @property
    def stop(self) -> Locator:
        return self.page.locator("#pm-music-stop")

    @property
    def player(self) -> Locator:
        return self.page.locator("#pm-music-player .pm-player")

    @property
    def state(self) -> Locator:
        return self.page.locator("#pm-music-status .pm-state")

    @property
    def chosen(self) -> Locator:
        return self.page.locator(".pm-chosen")

    @property
    def notes(self) -> int:
        return int(self.page.locator(".pm-roll").get_attribute("data-notes") or 0)

    def ask(self, text: str) -> None:
        self.prompt.fill(text)
        self.compose.click()

    def inked(self) -> int:
        """How many pixels of the sheet have the colour of the first voice."""
        found: int = self.page.evaluate(INKED)
        return found

    def fetched(self, link: str) -> bytes:
        with self.page.expect_download() as download:
            self.player.get_by_role("link", name=link, exact=True).click()
        return Path(download.value.path()).read_bytes()


@pytest.fixture
def music(visit: Open) -> Iterator[Music]:
    """A new visitor, in the music tab."""
    model, *_ = music_models(detect("cpu"))
    try:
        Store().fetch(model.weights, lambda update: None)
    except WeightsError as error:
        pytest.skip(f"the weights of the music model cannot be had: {error}")
    page = visit().page
    page.get_by_role("tab", name="Music").click()
    music = Music(page)
    expect(music.prompt).to_be_visible()
    yield music


def test_the_roll_grows_and_sound_plays_before_the_piece_is_written(music: Music, screenshots: Path) -> None:
    music.ask("a solemn chorale for string quartet in D minor, 24 bars")
    seen, inked = music.page.wait_for_function(HEARD_LIVE, timeout=PATIENCE_MS).json_value()
    music.page.screenshot(path=screenshots / "music.png")
    music.page.wait_for_function(MORE_NOTES, arg=seen, timeout=PATIENCE_MS)
    expect(music.chosen).to_contain_text(re.compile("Style ?Chorale.*Key ?D minor.*Bars ?24.*Violin.*Cello"))
    expect(music.state).to_have_attribute("data-state", "done")
    assert music.inked() > inked
    played = [m for m in mido.MidiFile(file=io.BytesIO(music.fetched("MIDI"))) if m.type == "note_on"]
    assert len(played) == music.notes > seen
    with wave.open(io.BytesIO(music.fetched("WAV"))) as sound:
        length = sound.getnframes() / sound.getframerate()
    assert float(music.player.locator("input").get_attribute("max") or 0) == pytest.approx(length, abs=0.01)
    assert music.fetched("FLAC").startswith(b"fLaC") and b"<score-partwise" in music.fetched("MusicXML")
    # A press on the sheet plays from there.
    music.page.locator(".pm-sheet").click(position={"x": 5, "y": 60})
    expect(music.player).to_have_attribute("data-playing", "true")
    expect(music.page.locator(".pm-playhead")).to_be_visible()
    music.page.get_by_role("button", name="Pause").click()
    # The choices are kept as settings.
    music.page.get_by_role("button", name="Keep settings").click()
    expect(music.page.get_by_label("Style", exact=True)).to_have_value("Chorale")
    expect(music.page.get_by_label("Key", exact=True)).to_have_value("D minor")
    expect(music.page.locator("#pm-music-instruments")).to_contain_text("String quartet")


def test_stop_keeps_what_was_composed(music: Music) -> None:
    music.prompt.fill("a chorale for organ, 32 bars")
    music.prompt.press("Control+Enter")
    # Early, when there is some sound, and from within the page: a fast machine writes all of it in a few seconds.
    music.page.wait_for_function(
        f"() => ({MORE_NOTES})(40) && (document.querySelector('#pm-music-stop').click(), true)", timeout=PATIENCE_MS
    )
    expect(music.compose).to_be_visible()
    expect(music.state).to_have_attribute("data-state", "stopped")
    expect(music.player).to_have_attribute("data-playing", "false")
    music.page.wait_for_function(
        "async () => { const health = await (await fetch('/health')).json();"
        "return health.running + health.queue === 0 }",
        timeout=PATIENCE_MS,
    )
    assert music.fetched("MIDI").startswith(b"MThd") and music.notes > 0
    music.player.get_by_role("button", name="Play").click()
    expect(music.player).to_have_attribute("data-playing", "true")


def test_a_melody_is_set_for_four_voices_and_nothing_is_refused_kindly(music: Music, tmp_path: Path) -> None:
    music.ask("  ")
    expect(music.page.get_by_text("Write a “prompt”, or choose a “style”, or send a “melody”")).to_be_visible()
    path = tmp_path / "scale.mid"
    path.write_bytes(midi(track(SCALE)))
    music.page.get_by_role("button", name="Start from a melody").click()
    music.page.locator("#pm-music-melody input[type=file]").set_input_files(path)
    expect(music.page.locator("#pm-music-melody")).to_contain_text("scale")
    music.page.get_by_text("Set it for four voices").click()
    music.compose.click()
    expect(music.state).to_have_attribute("data-state", "done")
    expect(music.chosen).to_contain_text(re.compile("Key ?C major"))
    highest = mido.MidiFile(file=io.BytesIO(music.fetched("MIDI"))).tracks[1]
    assert [m.note for m in highest if m.type == "note_on"] == [pitch for _, _, pitch in SCALE]
