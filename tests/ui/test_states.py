"""The status line: what it says in each state, that it is announced sensibly, and that nothing in it is markup."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from pipelines.events import Preview, Progress, Queued, Sound, Token
from ui import states

EVIL = '<img src=x onerror="alert(1)">&'


class Reader(HTMLParser):
    """Collects the text, and each element's attributes, of a line."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(line)
        self.text = " ".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


EVERY_STATE = {
    "idle": states.idle(),
    "queued": states.queued(Queued(2, 4.0)),
    "fetching": states.fetching(Progress(1, 2, EVIL, "bytes")),
    "loading": states.loading(EVIL),
    "running": states.working(Progress(1, 2, EVIL)),
    "stopped": states.stopped(EVIL),
    "failed": states.failed(EVIL),
    "done": states.done(EVIL),
}


@pytest.mark.parametrize("state", EVERY_STATE)
def test_every_state_is_one_live_region_without_foreign_markup(state: str) -> None:
    line = Reader(EVERY_STATE[state])
    tag, attributes = line.tags[0]
    assert (tag, attributes["data-state"]) == ("div", state)
    assert attributes["role"] == ("alert" if state == "failed" else "status")
    assert all(tag in ("div", "span") for tag, _ in line.tags)
    assert "onerror" not in [name for _, attributes in line.tags for name in attributes]


@pytest.mark.parametrize("state", EVERY_STATE)
def test_a_run_that_is_over_never_looks_as_if_it_went_on(state: str) -> None:
    line = EVERY_STATE[state]
    assert states.over(line) == (line if state in ("stopped", "failed", "done") else states.stopped())


def test_idle_says_nothing() -> None:
    assert Reader(states.idle()).text == ""


def test_queued_says_the_place_and_the_wait_once_known() -> None:
    assert Reader(states.queued(Queued(1))).text == "Next in line"
    assert Reader(states.queued(Queued(4, 95))).text == "Waiting, 3 ahead of you about 1 min 35 s"


def test_fetching_says_bytes_and_shows_a_bar() -> None:
    line = Reader(states.fetching(Progress(64 * 2**20, 256 * 2**20, "Fetching Smol", "bytes")))
    assert line.text == "Fetching Smol 64.0 MiB of 256.0 MiB"
    bar = next(attributes for _, attributes in line.tags if attributes.get("role") == "progressbar")
    assert bar["aria-valuenow"] == "25"


def test_a_download_of_unknown_size_shows_no_figure_it_does_not_have() -> None:
    line = Reader(states.fetching(Progress(2**20, 0, "", "bytes")))
    assert line.text == "Fetching the weights 1.0 MiB"
    assert all("aria-valuenow" not in attributes for _, attributes in line.tags)


def test_a_bar_never_overflows() -> None:
    assert 'width:100.0%"' in states.working(Progress(31, 30))


def test_running_says_tokens_and_their_rate() -> None:
    assert Reader(states.writing(1, 0)).text == "Writing 1 token"
    assert Reader(states.writing(128, 4)).text == "Writing 128 tokens, 32.0 per second"


def test_speaking_says_how_much_sound_there_is_and_how_far_the_text_is() -> None:
    line = Reader(states.speaking(Progress(2, 8, "Speaking"), 4.25))
    assert line.text == "Speaking 4.2 s of sound"
    bar = next(attributes for _, attributes in line.tags if attributes.get("role") == "progressbar")
    assert bar["aria-valuenow"] == "25"


def test_figures_that_change_many_times_a_second_are_not_read_out() -> None:
    quiet = [attributes for _, attributes in Reader(states.writing(9, 1)).tags if "aria-hidden" in attributes]
    assert len(quiet) == 1
    assert "aria-hidden" not in states.done(states.written(9, 1))


@pytest.mark.parametrize(
    ("update", "says"),
    [
        (Queued(1), "Next in line"),
        (Progress(1, 2, "Fetching", "bytes"), "Fetching 1 B of 2 B"),
        (Progress(), "Loading the model"),
        (Progress(0, 0, "Loading Smol"), "Loading Smol"),
        (Progress(3, 30, "Denoising"), "Denoising 3 of 30 steps"),
        (Preview(Image.new("RGB", (1, 1)), 3, 30), "Working 3 of 30 steps"),
        (Sound(np.zeros(24_000, np.int16), 24_000), "Playing 1.0 s more"),
    ],
)
def test_an_update_is_put_into_words(update: object, says: str) -> None:
    line = states.of(update)  # type: ignore[arg-type]
    assert line is not None
    assert Reader(line).text == says


def test_a_token_alone_says_nothing() -> None:
    assert states.of(Token("a", 1, 0.5)) is None


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0.42, "0.4 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min"), (95, "1 min 35 s"), (3_600, "1 h 0 min")],
)
def test_durations_read_well(seconds: float, says: str) -> None:
    assert states.duration(seconds) == says
