"""The music tab's events, as the page sends them: notes and sound before the end, nothing lost, Stop keeps what is."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import mido
import numpy as np
import pytest

from pipelines import music_midi, sound_file
from pipelines.events import Audio, Cancelled, Emit, Music, Notes, Progress, Sound
from pipelines.music_controls import Chooser
from pipelines.music_request import BUILT_IN, MusicRequest
from pipelines.music_styles import STYLES
from tests.conftest import WAIT_S, Server, a_step
from tests.fakes.bandleader import BARS, HEAD, RATE, beats, compose, tone
from tests.pipelines.tiny_words import embed
from tests.ui.test_speech import file
from tests.ui.visitor import Visitor
from ui.files import UNFINISHED
from ui.music import EXAMPLES
from ui.music_run import Studio

ASKED: dict[str, Any] = {
    "style": "",
    "key": "",
    "metre": "",
    "instruments": [],
    "tempo": 0,
    "bars": 0,
    "temperature": 1.0,
    "seed": 5,
    "random_seed": False,
    "melody": None,
    "melody_use": "continue",
    "model": BUILT_IN,
}
STANDS = 3  # of music_as_it_stands: after the three buttons


@pytest.fixture
def visitor(served: Server) -> Iterator[Visitor]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        yield Visitor(served, http, f"music-{token_hex(4)}", "ui.music")


@pytest.fixture
def seen(served: Server) -> list[MusicRequest]:
    requests: list[MusicRequest] = []
    script = compose()

    def composes(request: MusicRequest, emit: Emit) -> Music:
        requests.append(request)
        return script(request, emit)

    served.composes = composes
    return requests


def begun(visitor: Visitor, prompt: str, **changed: Any) -> dict[str, Any]:
    return visitor.ended("on_compose", prompt, None, *(ASKED | changed).values())


def shown(visitor: Visitor) -> dict[str, Any]:
    told: dict[str, Any] = visitor.call("music_as_it_stands", None)[STANDS]
    return told


def composed(visitor: Visitor, prompt: str, **changed: Any) -> dict[str, Any]:
    """Compose to the end; returns what the page was told."""
    assert begun(visitor, prompt, **changed)["success"]
    assert visitor.ended("composing", None)["success"]
    return shown(visitor)


def notes(told: dict[str, Any]) -> list[tuple[int, ...]]:
    return [tuple(map(int, one.split())) for batch in told["notes"] for one in batch.split(";")]


def test_the_page_is_told_all_notes_and_the_parts_joined_are_the_file(
    visitor: Visitor, seen: list[MusicRequest]
) -> None:
    told = composed(visitor, "a tune", key="A minor")
    assert told["state"] == "over" and seen == [MusicRequest(prompt="a tune", key="A minor", seed=5)]
    written = [(n.start, n.voice, n.pitch, n.length) for beat in range(4 * BARS) for n in beats(beat)]
    assert notes(told) == written
    joined = b"".join(file(part["src"]).read_bytes() for part in told["parts"])
    assert [link["name"] for link in told["downloads"]] == [
        f"polymuse-music.{k}" for k in ("wav", "flac", "mid", "musicxml")
    ]
    wav, _, mid, xml = (file(link["href"]).read_bytes() for link in told["downloads"])
    assert joined in wav and sound_file.read(wav).options["prompt"] == "a tune"
    assert music_midi.read_recipe(mid).seed == 5 and b"trainedAlgorithmicMedia" in xml
    played = [m.note for m in mido.MidiFile(file=io.BytesIO(mid)) if m.type == "note_on"]
    assert sorted(played) == sorted(pitch for _, _, pitch, _ in written)


def test_what_was_chosen_is_shown_and_can_be_kept(visitor: Visitor, seen: list[MusicRequest]) -> None:
    told = composed(visitor, "a tune")
    assert dict(told["chosen"]) == {"Style": "Air", "Key": "A minor", "Metre": "4/4", "Tempo": "240", "Bars": "3"}
    assert told["voices"] == ["Flute", "Oboe"]
    assert told["ticks"] == {"bar": 96, "second": 96, "end": 3 * 96}
    compose_button, stop_button, keep_button, *_ = visitor.call("music_as_it_stands", None)
    assert compose_button["visible"] and not stop_button["visible"] and keep_button["visible"]
    kept = dict(zip(ASKED, visitor.call("on_keep", None), strict=True))
    assert (kept["style"], kept["key"], kept["tempo"], kept["seed"]) == ("air", "A minor", 240, 5)
    assert kept["instruments"] == ["Flute", "Oboe"] and kept["random_seed"] is False
    assert (kept["metre"], kept["bars"]) == ("4/4", 3)


def test_notes_and_sound_reach_the_page_before_the_last_are_made(served: Server, visitor: Visitor) -> None:
    first, go_on = threading.Event(), threading.Event()

    def composes(request: MusicRequest, emit: Emit) -> Music:
        emit(Notes(beats(0), HEAD, 0, BARS))
        emit(Sound(tone(0.2), RATE))
        first.set()
        assert go_on.wait(WAIT_S)
        return compose()(request, lambda update: None)

    served.composes = composes
    assert begun(visitor, "a tune")["success"]
    for _ in visitor.join("composing", None):
        told = shown(visitor) if first.is_set() else {}
        if told.get("parts") and told["notes"]:
            go_on.set()
    assert go_on.is_set() and shown(visitor)["state"] == "over"


def test_stop_ends_the_run_and_makes_files_of_what_there_is(served: Server, visitor: Visitor) -> None:
    cancelled = threading.Event()

    def composes(request: MusicRequest, emit: Emit) -> Music:
        try:
            for beat in range(10_000):
                emit(Notes(beats(beat % 40), HEAD, 0, BARS))
                emit(Sound(tone(0.1), RATE))
                a_step()
        except Cancelled:
            cancelled.set()
            raise
        raise AssertionError("nobody stopped it")

    served.composes = composes
    assert begun(visitor, "a tune")["success"]
    run = visitor.join("composing", None)  # held: Stop comes to a run whose page is still there
    for _ in run:
        if shown(visitor)["parts"]:
            break
    told, line = visitor.call("on_stop_composing", None)[STANDS:]
    assert told["state"] == "stopped" and "what was composed is kept" in line
    wav, _, mid, _ = (file(link["href"]).read_bytes() for link in told["downloads"])
    assert sound_file.read(wav).revision == UNFINISHED == music_midi.read_recipe(mid).revision
    assert b"".join(file(part["src"]).read_bytes() for part in told["parts"][:1]) in wav
    assert cancelled.wait(WAIT_S)


def test_a_model_that_knows_no_notes_is_heard_all_the_same(served: Server, visitor: Visitor) -> None:
    def composes(request: MusicRequest, emit: Emit) -> Audio:
        for step in range(3):
            emit(Progress(step, 3, "Composing"))
        emit(Sound(tone(0.5), RATE))
        return Audio(tone(0.5), RATE)

    served.composes = composes
    told = composed(visitor, "a tune")
    assert (told["state"], told["notes"], told["chosen"]) == ("over", [], [])
    assert [link["title"] for link in told["downloads"]] == ["WAV", "FLAC"] and len(told["parts"]) == 1
    assert not visitor.call("music_as_it_stands", None)[2]["visible"]


def test_the_next_piece_takes_the_files_of_the_one_before_away(visitor: Visitor, seen: list[MusicRequest]) -> None:
    before = [file(link["href"]) for link in composed(visitor, "a tune")["downloads"]]
    assert all(path.exists() for path in before)
    after = composed(visitor, "another")
    assert not any(path.exists() for path in before) and file(after["downloads"][0]["href"]).exists()


@pytest.mark.parametrize(("changed", "said"), [({}, "Write a “prompt”"), ({"instruments": ["Kazoo"]}, "Kazoo")])
def test_what_makes_no_sense_is_refused_and_nothing_changes(
    visitor: Visitor, seen: list[MusicRequest], changed: dict[str, Any], said: str
) -> None:
    told = composed(visitor, "a tune")
    last = begun(visitor, "", **changed)
    assert not last["success"] and said in last["output"]["error"]
    assert shown(visitor) == told and len(seen) == 1


def test_a_new_seed_each_time_is_shown(visitor: Visitor, seen: list[MusicRequest]) -> None:
    given = [begun(visitor, "a tune", random_seed=True)["output"]["data"][0]]
    visitor.ended("composing", None)
    given.append(begun(visitor, "a tune", random_seed=True)["output"]["data"][0])
    visitor.ended("composing", None)
    assert [request.seed for request in seen] == given and given[0] != given[1]


def test_every_example_names_its_style_or_its_players() -> None:
    chooser = Chooser(embed)
    chosen = {title: chooser.choose(MusicRequest(prompt=prompt)).head for title, prompt in EXAMPLES.items()}
    for title, head in chosen.items():
        assert head.style == title.lower() or title.lower() not in STYLES
    assert chosen["String quartet"].instruments == (40, 40, 41, 42) and chosen["Folk tune"].instruments == (73, 24)


def test_whoever_leaves_takes_the_files_along(tmp_path: Path) -> None:
    studio = Studio(folder=tmp_path / "shelf")
    studio.shelf.mkdir()
    (studio.shelf / "0.pcm").write_bytes(b"0")
    studio.forget()
    assert not (tmp_path / "shelf").exists()


def test_stereo_sound_is_read_back_as_it_was_written(tmp_path: Path, visitor: Visitor) -> None:
    told = composed(visitor, "a tune")
    part = np.frombuffer(file(told["parts"][0]["src"]).read_bytes(), "<i2").reshape(-1, told["parts"][0]["channels"])
    assert np.array_equal(part, tone(HEAD.seconds(HEAD.bar)))


def test_a_reload_brings_back_the_words_and_the_piece(served: Server, visitor: Visitor) -> None:
    key, *_ = visitor.call("on_return", "", None)
    told = composed(visitor, "a tune")
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        again = Visitor(served, http, "music-after", "ui.music").call("on_return", key, None)
    assert (again[0], *again[-2:]) == (key, "a tune", 5) and told in again
