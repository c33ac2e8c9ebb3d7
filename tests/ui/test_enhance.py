"""The enhance tab's events, as the page sends them: nothing lost on bad input, files that go, and Stop is last."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import httpx
import numpy as np
import pytest
import soundfile

from pipelines import sound_file
from pipelines.enhance_request import BUILT_IN, READING, EnhanceRequest
from pipelines.enhance_tone import PRESETS
from pipelines.events import Cancelled, Emit, Enhanced, Preview, Progress
from pipelines.sound_file import ENHANCED_BY_AI
from pipelines.sound_in import RATE
from tests.conftest import WAIT_S, Server, a_step
from tests.fakes.enhancer import STEPS, enhance, sheet
from tests.ui.visitor import Visitor
from ui.enhance import EXAMPLE, FIRST_S
from ui.enhance_run import Booth, Cleaning

ASKED: dict[str, Any] = {
    "preset": "podcast",
    "loudness": -16,
    "denoise": 0.8,
    "bass": 1,
    "presence": 2,
    "treble": 1,
    "compression": 0.5,
    "model": BUILT_IN,
}


class Guest(Visitor):
    """A visitor who has a sound file."""

    def asked(self, audio: dict[str, Any] | None, event: str = "on_enhance", **changed: Any) -> dict[str, Any]:
        return self.ended(event, audio, None, *(ASKED | changed).values())

    def cleaned(self, audio: dict[str, Any], event: str = "on_enhance", **changed: Any) -> dict[str, Any]:
        """Make it clean to the end; returns what the player was told."""
        assert self.asked(audio, event, **changed)["success"]
        assert self.ended("enhancing", None)["success"]
        return self.told()

    def told(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.call("enhancing_stands", None)[3]
        return shown


@pytest.fixture
def guest(served: Server) -> Iterator[Guest]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        yield Guest(served, http, f"enhance-{token_hex(4)}", "ui.enhance")


@pytest.fixture
def seen(served: Server) -> list[EnhanceRequest]:
    requests: list[EnhanceRequest] = []
    script = enhance()

    def enhances(request: EnhanceRequest, emit: Emit) -> Enhanced:
        requests.append(request)
        return script(request, emit)

    served.enhances = enhances
    return requests


def wav(seconds: float = 1.0, channels: int = 1) -> bytes:
    buffer = io.BytesIO()
    tones = [0.3 * np.sin(np.arange(int(RATE * seconds)) / (9 + side)) for side in range(channels)]
    soundfile.write(buffer, np.stack(tones, axis=1), RATE, format="WAV")
    return buffer.getvalue()


def file(address: str) -> Path:
    return Path(unquote(address.removeprefix("gradio_api/file=")))


@pytest.mark.parametrize("channels", [1, 2])
def test_before_and_after_are_channels_of_one_file(guest: Guest, seen: list[EnhanceRequest], channels: int) -> None:
    told = guest.cleaned(guest.upload(wav(channels=channels)))
    assert told["state"] == "over" and told["channels"] == channels and told["seconds"] == 1
    both, rate = soundfile.read(file(told["sound"]), dtype="int16")
    assert rate == RATE and both.shape == (RATE, 2 * channels)
    before, after = both[:, :channels], both[:, channels:]
    assert np.array_equal(after, before // 2) and np.abs(before).max() > 9_000
    assert seen[0].denoise == 0.8 and seen[0].seconds == 0


def test_downloads_have_the_sound_the_recipe_and_the_word_of_ai(guest: Guest, seen: list[EnhanceRequest]) -> None:
    told = guest.cleaned(guest.upload(wav()), preset="music", bass=-3)
    assert [link["name"] for link in told["downloads"]] == ["polymuse-enhanced.wav", "polymuse-enhanced.flac"]
    both = soundfile.read(file(told["sound"]), dtype="int16")[0]
    for link in told["downloads"]:
        with soundfile.SoundFile(file(link["href"])) as sound:
            assert sound.title == ENHANCED_BY_AI
            assert np.array_equal(sound.read(dtype="int16"), both[:, 1])
        recipe = sound_file.read(file(link["href"]).read_bytes())
        assert recipe.options["preset"] == "music" and recipe.options["audio"].startswith("sha256:")


def test_pictures_come_on_the_way_and_stay(served: Server, guest: Guest) -> None:
    shown, go_on = threading.Event(), threading.Event()
    script = enhance()

    def enhances(request: EnhanceRequest, emit: Emit) -> Enhanced:
        emit(Preview(sheet(1), 1, STEPS, sheet(9)))
        shown.set()
        assert go_on.wait(WAIT_S)
        return script(request, emit)

    served.enhances = enhances
    assert guest.asked(guest.upload(wav()))["success"]
    live: dict[str, Any] = {}
    for message in guest.join("enhancing", None):
        if shown.is_set() and not live and message["msg"] == "process_generating":
            live = guest.told()
            if not live["pictures"]:
                live = {}
                continue
            go_on.set()
    assert live["state"] == "live"
    assert all(live["pictures"][name].startswith("data:image/jpeg") for name in ("before", "after"))
    told = guest.told()
    assert set(told["pictures"]) == {"before", "after", "mask"}
    assert all(file(address).suffix == ".png" for address in told["pictures"].values())


def test_measurements_and_remarks_are_told_as_text(guest: Guest, seen: list[EnhanceRequest]) -> None:
    facts = guest.cleaned(guest.upload(wav()))["facts"]
    assert facts[0] == "Loudness −30.0 to −16.0 LUFS" and facts[-1] == "It was clipped <b>."


def test_the_first_seconds_can_be_tried(guest: Guest, seen: list[EnhanceRequest]) -> None:
    told = guest.cleaned(guest.upload(wav(FIRST_S + 2)), "on_first")
    assert seen[0].seconds == FIRST_S == told["seconds"]


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"hello", "not a sound that can be read"), (b"\0\0\0\x20ftypM4A " + bytes(99), "M4A")],
    ids=["text", "m4a"],
)
def test_what_cannot_be_read_is_refused_and_nothing_changes(
    guest: Guest, seen: list[EnhanceRequest], data: bytes, says: str
) -> None:
    told = guest.cleaned(guest.upload(wav()))
    last = guest.asked(guest.upload(data))
    assert not last["success"] and says in last["output"]["error"]
    assert guest.told() == told and len(seen) == 1


def test_what_turns_out_to_be_too_little_is_said_in_the_status(guest: Guest, seen: list[EnhanceRequest]) -> None:
    told = guest.cleaned(guest.upload(wav()[:200]))
    assert told["state"] == "stopped" and not told["downloads"]
    assert "is shorter than 0.5 s" in guest.call("enhancing_stands", None)[4]


def test_nothing_chosen_is_said_kindly(guest: Guest, seen: list[EnhanceRequest]) -> None:
    last = guest.asked(None)
    assert not last["success"] and "Choose a sound file first" in last["output"]["error"]


def test_stop_ends_the_run(served: Server, guest: Guest) -> None:
    cancelled = threading.Event()

    def enhances(request: EnhanceRequest, emit: Emit) -> Enhanced:
        step = 0
        try:
            while True:
                step += 1
                emit(Preview(sheet(step % 9), step, step + 1, sheet(9)))
                a_step()
        except Cancelled:
            cancelled.set()
            raise

    served.enhances = enhances
    assert guest.asked(guest.upload(wav()))["success"]
    second = guest.asked(guest.upload(wav()))
    assert not second["success"] and "being made clean" in second["output"]["error"]
    run = guest.join("enhancing", None)  # held: Stop comes to a run whose page is still there
    for _ in run:
        if guest.told()["pictures"]:
            break
    go, first, stop, told, line = guest.call("on_stop_enhancing", None)
    assert told["state"] == "stopped" and not told["downloads"] and "Stopped" in line
    assert go["visible"] and first["visible"] and not stop["visible"]
    assert cancelled.wait(WAIT_S)


def test_the_next_recording_takes_the_files_of_the_one_before_away(guest: Guest, seen: list[EnhanceRequest]) -> None:
    audio = guest.upload(wav())
    before = file(guest.cleaned(audio)["sound"])
    assert before.exists()
    after = file(guest.cleaned(audio)["sound"])
    assert after.exists() and not before.exists()


def test_the_example_can_be_chosen_heard_and_made_clean(guest: Guest, seen: list[EnhanceRequest]) -> None:
    (audio,) = guest.call("on_noisy_example", None)
    assert Path(audio["path"]).read_bytes() == EXAMPLE.read_bytes()
    chosen = {"path": audio["path"], "meta": {"_type": "gradio.FileData"}}
    assert guest.cleaned(chosen)["seconds"] > 5
    assert guest.cleaned(chosen, preset="music")["seconds"] > 5  # and again
    assert EXAMPLE.stat().st_size < 300_000


def test_what_a_heartbeat_says_again_does_not_begin_the_clock_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((10.0, 20.0, 30.0))
    monkeypatch.setattr("ui.enhance_run.time", SimpleNamespace(monotonic=lambda: next(clock)))
    cleaning = Cleaning(EnhanceRequest(audio=wav(), **ASKED))
    for _ in range(3):
        cleaning._take(Progress(label=READING), tmp_path)
    assert cleaning._began == 10.0


def test_a_preset_sets_the_sliders(guest: Guest) -> None:
    tone = PRESETS["voice note"]
    assert guest.call("on_preset", "voice note") == [
        tone.denoise,
        tone.bass,
        tone.presence,
        tone.treble,
        tone.compression,
    ]


def test_a_session_keeps_no_recording_once_it_is_on_its_way(served: Server, tmp_path: Path) -> None:
    cleaning = Cleaning(EnhanceRequest(audio=wav()))

    async def play() -> list[str]:
        return [line async for line in cleaning.play(served.engine, "somebody", tmp_path)]

    assert "Done" in asyncio.run(play())[-1]
    assert not [value for value in vars(cleaning).values() if isinstance(value, EnhanceRequest)]


def test_whoever_leaves_takes_the_files_along(tmp_path: Path) -> None:
    booth = Booth(folder=tmp_path / "shelf")
    booth.shelf.mkdir()
    booth.forget()
    assert not (tmp_path / "shelf").exists()
