"""The speech tab's events, as the page sends them: sound before the end, nothing lost on bad input, Stop is last."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import unquote

import httpx
import numpy as np
import pytest

from pipelines import sound_file, subtitles
from pipelines.events import Audio, Cancelled, Caption, Emit, Sound
from pipelines.speech_request import BUILT_IN, SpeechRequest
from pipelines.speech_text import MOST_FIRST, pieces
from tests.conftest import WAIT_S, Server, a_step
from tests.fakes.speaker import RATE, speak, tone
from tests.pipelines.test_speech_match import wav
from tests.ui.visitor import Visitor
from ui.files import UNFINISHED
from ui.speech import CAST, EXAMPLES, FIRST_CAST, ONE, SAMPLES, SCRIPT, SEVERAL, SPEED
from ui.speech_run import Studio

ASKED: dict[str, Any] = {
    "mode": ONE,
    **dict(zip(CAST, FIRST_CAST, strict=True)),
    "voice": "af_heart",
    "voice_b": "",
    "blend": 0.5,
    "speed": 1.5,
    "language": "",
    "model": BUILT_IN,
    "recording": None,
    "consent": False,
}


@pytest.fixture
def visitor(served: Server) -> Iterator[Visitor]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        yield Visitor(served, http, f"speech-{token_hex(4)}", "ui.speech")


@pytest.fixture
def seen(served: Server) -> list[SpeechRequest]:
    requests: list[SpeechRequest] = []
    script = speak()

    def speaks(request: SpeechRequest, emit: Emit) -> Audio:
        requests.append(request)
        return script(request, emit)

    served.speaks = speaks
    return requests


def spoken(visitor: Visitor, text: str, **changed: Any) -> dict[str, Any]:
    """Speak to the end; returns what the player was told."""
    assert visitor.ended("on_speak", text, None, *(ASKED | changed).values())["success"]
    assert visitor.ended("speaking", None)["success"]
    shown: dict[str, Any] = visitor.call("as_it_stands", None)[2]
    return shown


def file(address: str) -> Path:
    return Path(unquote(address.removeprefix("gradio_api/file=")))


def test_parts_joined_are_the_file_that_is_downloaded(visitor: Visitor, seen: list[SpeechRequest]) -> None:
    shown = spoken(visitor, "One. Two. Three.")
    assert shown["state"] == "over" and [part["text"] for part in shown["parts"]] == ["One.", "Two.", "Three."]
    joined = b"".join(file(part["src"]).read_bytes() for part in shown["parts"])
    wav = file(shown["downloads"][0]["href"]).read_bytes()
    assert joined in wav
    recipe = sound_file.read(wav)
    assert recipe.options["text"] == "One. Two. Three." and recipe.options["speed"] == 1.5
    assert seen == [SpeechRequest(text="One. Two. Three.", speed=1.5)]
    assert [link["name"].partition(".")[2] for link in shown["downloads"]] == ["wav", "flac", "srt", "vtt"]


def test_each_part_says_when_it_begins_and_how_loud_it_is(visitor: Visitor, seen: list[SpeechRequest]) -> None:
    first, second = spoken(visitor, "One. Two.")["parts"]
    assert (first["start"], first["seconds"], second["start"]) == (0, 0.2, 0.2)
    loud = np.sqrt(np.abs(tone(0.2)).max() / 32768) * 100
    assert len(first["peaks"]) == 5 and abs(max(first["peaks"]) - loud) < 2


def test_sound_reaches_the_page_before_the_last_is_made(served: Server, visitor: Visitor) -> None:
    first, go_on = threading.Event(), threading.Event()

    def speaks(request: SpeechRequest, emit: Emit) -> Audio:
        emit(Sound(tone(0.2), RATE))
        first.set()
        assert go_on.wait(WAIT_S)
        return Audio(tone(0.2), RATE)

    served.speaks = speaks
    assert visitor.ended("on_speak", "One.", None, *ASKED.values())["success"]
    for _ in visitor.join("speaking", None):
        if first.is_set() and visitor.call("as_it_stands", None)[2]["parts"]:
            go_on.set()
    assert go_on.is_set()
    assert visitor.call("as_it_stands", None)[2]["state"] == "over"


def test_stop_ends_the_run_and_makes_files_of_what_there_is(served: Server, visitor: Visitor) -> None:
    cancelled = threading.Event()

    def speaks(request: SpeechRequest, emit: Emit) -> Audio:
        try:
            for number in count():
                emit(Sound(tone(0.1), RATE, Caption(number / 10, (number + 1) / 10, f"Part {number}.")))
                a_step()
        except Cancelled:
            cancelled.set()
            raise
        raise AssertionError("nobody stopped it")

    served.speaks = speaks
    assert visitor.ended("on_speak", "One.", None, *ASKED.values())["success"]
    run = visitor.join("speaking", None)  # held: Stop comes to a run whose page is still there
    for _ in run:
        if visitor.call("as_it_stands", None)[2]["parts"]:
            break
    speak_button, stop_button, shown, line = visitor.call("on_stop_speaking", None)
    assert shown["state"] == "stopped" and "what was said is kept" in line
    wav, flac, srt, vtt = (file(link["href"]).read_bytes() for link in shown["downloads"])
    assert sound_file.read(wav).revision == sound_file.read(flac).revision == UNFINISHED
    assert file(shown["parts"][0]["src"]).read_bytes() in wav
    assert b"Part 0." in srt and subtitles.read(vtt).revision == UNFINISHED
    assert speak_button["visible"] and not stop_button["visible"]
    assert cancelled.wait(WAIT_S)


def test_the_next_text_takes_the_files_of_the_one_before_away(visitor: Visitor, seen: list[SpeechRequest]) -> None:
    before = [file(part["src"]) for part in spoken(visitor, "One. Two.")["parts"]]
    assert all(path.exists() for path in before)
    after = spoken(visitor, "Three.")
    assert not any(path.exists() for path in before)
    assert file(after["parts"][0]["src"]).exists()


@pytest.mark.parametrize(
    ("text", "says"), [("", "Write what should be said"), ("  ", "Write what should be said"), ("🎉", "“text”")]
)
def test_what_cannot_be_said_is_refused_and_nothing_changes(
    visitor: Visitor, seen: list[SpeechRequest], text: str, says: str
) -> None:
    shown = spoken(visitor, "One.")
    last = visitor.ended("on_speak", text, None, *ASKED.values())
    assert not last["success"] and says in last["output"]["error"]
    assert visitor.call("as_it_stands", None)[2] == shown and len(seen) == 1


def test_a_script_gives_its_speakers_voices_in_turn(visitor: Visitor, seen: list[SpeechRequest]) -> None:
    lines = "\n".join(f"{name}: Hello." for name in ("Ann", "Bo", "Cy", "Di", "Ann"))
    spoken(visitor, lines, mode=SEVERAL, voice_b="bm_george")
    given = [(speaker.name, speaker.voice) for speaker in seen[0].speakers]
    assert given == [*zip(("Ann", "Bo", "Cy"), FIRST_CAST, strict=True), ("Di", FIRST_CAST[0])]
    assert seen[0].voice_b == ""


def test_what_another_model_lacks_is_hidden_or_says_why_and_is_not_sent(
    visitor: Visitor, seen: list[SpeechRequest]
) -> None:
    _, mode, recorded, voices, speed = visitor.call("on_speech_model", "other-speaker")
    assert not any(part["visible"] for part in (mode, recorded, voices))
    assert (speed["interactive"], speed["value"]) == (False, 1) and "has one of its own" in speed["label"]
    _, mode, recorded, voices, speed = visitor.call("on_speech_model", BUILT_IN)
    assert mode["visible"] and voices["visible"] and not recorded["visible"]
    assert speed["interactive"] and speed["label"] == SPEED
    spoken(visitor, "One.", model="other-speaker", voice_b="bm_george", speed=1)
    assert seen == [SpeechRequest(text="One.", model="other-speaker")]


def test_a_model_that_takes_a_voice_is_given_the_recording_only_with_consent(
    visitor: Visitor, seen: list[SpeechRequest]
) -> None:
    _, mode, recorded, voices, speed = visitor.call("on_speech_model", "cloning-speaker")
    assert mode["visible"] and recorded["visible"] and not voices["visible"] and not speed["interactive"]
    assert mode["info"] == SCRIPT
    sent = visitor.upload(wav(), "voice.wav")
    given = {"model": "cloning-speaker", "speed": 1, "recording": sent}
    last = visitor.ended("on_speak", "One.", None, *(ASKED | given).values())
    assert not last["success"] and "tick the box" in last["output"]["error"] and not seen
    spoken(visitor, "Ann: One.\nBo: Two.", **given, consent=True, mode=SEVERAL)
    assert seen[0].reference == wav() and seen[0].consent
    assert [speaker.name for speaker in seen[0].speakers] == ["Ann", "Bo"]
    spoken(visitor, "One.", **given | {"model": "other-speaker"})
    assert seen[1].reference is None, "a recording for another model is not sent"


def test_a_voice_is_heard_in_its_own_language(visitor: Visitor, seen: list[SpeechRequest]) -> None:
    assert visitor.ended("on_sample", None, *(ASKED | {"voice": "ff_siwis"}).values())["success"]
    assert visitor.ended("speaking", None)["success"]
    assert seen[0].text == SAMPLES["fr-fr"] and seen[0].voice == "ff_siwis"


def test_every_example_can_be_spoken_and_begins_soon() -> None:
    for text, voice, _ in EXAMPLES.values():
        request = SpeechRequest(text=text, voice=voice)
        assert len(pieces(text, request.reads_as(voice))[0].text) <= MOST_FIRST


def test_whoever_leaves_takes_the_files_along(tmp_path: Path) -> None:
    studio = Studio(folder=tmp_path / "shelf")
    studio.shelf.mkdir()
    (studio.shelf / "0.pcm").write_bytes(b"0")
    studio.forget()
    assert not (tmp_path / "shelf").exists()
    Studio().forget()


def test_a_voice_that_was_found_is_not_told_again_where_the_next_run_comes_to_nothing() -> None:
    studio, request = Studio(), SpeechRequest(text="One.")
    studio.begin(request)
    matched = studio.reading
    assert matched is not None
    matched.found = {"before": 0.5}
    matched.track.parts.append({})  # something to hear
    studio.end()
    studio.begin(request)
    studio.end()
    assert studio.reading is matched and not matched.found


def test_a_reload_brings_back_the_text_and_what_was_made_of_it(served: Server, visitor: Visitor) -> None:
    key, *_ = visitor.call("on_return", "", None)
    told = spoken(visitor, "One. Two.")
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        again = Visitor(served, http, "speech-after", "ui.speech").call("on_return", key, None)
    assert (again[0], again[4], again[-1]) == (key, told, "One. Two.")
