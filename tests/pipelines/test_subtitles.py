"""Captions as the two formats want them, read by a player's own parser, whatever was said."""

from __future__ import annotations

import io
import json
from dataclasses import asdict

import av
import pytest

from pipelines import subtitles
from pipelines.errors import BadRequest
from pipelines.events import Caption, Recipe
from pipelines.sound_file import MADE_BY_AI
from pipelines.subtitles import srt, vtt

CAPTIONS = (Caption(0, 1.2, "Hello <b>& co."), Caption(75.5, 3_725.0004, "Bye.", "An<na"))
RECIPE = Recipe("kokoro-82m", "r1", 3, {"text": "Hello <b>& co.", "speed": 1.5}, {"numpy": "2"})
CUE = "00:00:05{0}000 --> 00:00:06{0}000"
HOSTILE = (
    "-->",
    "a --> b ----> c",
    "\n\n" + CUE.format(".") + "\nBreaking out\n\nNOTE still in?\n\n",
    "\r\n\r\n1\r\n" + CUE.format(",") + "\r\nBreaking out",
    "\u2028\u2029\x85\x0b\x0c\x1c" + CUE.format("."),
    "NOTE Polymuse recipe: {}",
    "STYLE\n::cue { background: url(http://evil.example) }",
    '"}\\u003e \\" </script> 日本 🎺 \ufeffWEBVTT\0',
)


def cues(file: str, kind: str) -> list[tuple[int, int, str]]:
    """What libavformat reads in captions: from when, for how long (both in ms), and the words as the file has them."""
    with av.open(io.BytesIO(file.encode()), format=kind) as container:
        return [
            (packet.pts, packet.duration, bytes(packet).decode())
            for packet in container.demux()
            if packet.pts is not None and packet.duration is not None
        ]


def test_srt_has_numbers_commas_and_names_and_nothing_else() -> None:
    assert srt(CAPTIONS) == (
        "1\n00:00:00,000 --> 00:00:01,200\nHello <b>& co.\n\n2\n00:01:15,500 --> 01:02:05,000\nAn<na: Bye.\n"
    )


def test_vtt_has_a_head_notes_dots_and_voices_and_no_markup_of_the_text() -> None:
    assert vtt(CAPTIONS, RECIPE) == (
        f"WEBVTT\n\nNOTE {MADE_BY_AI} with Polymuse\n\nNOTE Polymuse recipe: {json.dumps(asdict(RECIPE))}\n\n"
        "00:00:00.000 --> 00:00:01.200\nHello &lt;b&gt;&amp; co.\n\n"
        "00:01:15.500 --> 01:02:05.000\n<v An&lt;na>Bye.\n"
    )


def test_players_read_the_captions_and_no_more() -> None:
    assert cues(srt(CAPTIONS), "srt") == [(0, 1_200, "Hello <b>& co."), (75_500, 3_649_500, "An<na: Bye.")]
    assert cues(vtt(CAPTIONS, RECIPE), "webvtt") == [
        (0, 1_200, "Hello &lt;b&gt;&amp; co."),
        (75_500, 3_649_500, "<v An&lt;na>Bye."),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_was_asked_for_breaks_out_of_the_notes(text: str) -> None:
    recipe = Recipe("m", "r", 0, {"text": text, "speakers": [{"name": text, "voice": "af_heart"}]})
    file = vtt(CAPTIONS, recipe)
    assert cues(file, "webvtt") == cues(vtt(CAPTIONS, RECIPE), "webvtt")
    head = file[: file.index("00:00:00.000")]
    assert "-->" not in head and len(head.splitlines()) == 6  # the head and two notes, each with a blank line
    assert subtitles.read(file.encode()) == recipe


@pytest.mark.parametrize("text", HOSTILE)
def test_no_words_make_captions_of_their_own(text: str) -> None:
    said = Caption(1, 2, " ".join(text.replace("\0", "").split()))  # as the pipelines give it: a line
    assert [cue[:2] for cue in cues(srt([said]), "srt")] == [(1_000, 1_000)]
    assert [cue[:2] for cue in cues(vtt([said], RECIPE), "webvtt")] == [(1_000, 1_000)]


def test_the_recipe_is_ours_and_not_one_that_was_spoken() -> None:
    said = Caption(0, 1, subtitles.RECIPE + json.dumps(asdict(RECIPE)))
    assert subtitles.read(vtt([said], Recipe("m", "r", 7, {})).encode()).seed == 7


@pytest.mark.parametrize("data", [b"", b"WEBVTT\n", b"\xff", b"NOTE Polymuse recipe: {", b"NOTE Polymuse recipe: 3"])
def test_a_file_without_a_recipe_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest, match="no settings of Polymuse"):
        subtitles.read(data)


def test_no_captions_are_no_cues() -> None:
    assert srt(()) == "" and "-->" not in vtt((), RECIPE)
