"""What a prompt says exactly is read exactly, and nothing is read into it."""

from __future__ import annotations

import pytest

from pipelines import music_instruments, music_words
from pipelines.music_instruments import GROUPS, NAMES, PLAYABLE


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a waltz in E flat major", (3, "major")),
        ("a jig in d minor", (2, "minor")),
        ("Sonata in C-sharp minor", (1, "minor")),
        ("hymn, B♭ major", (10, "major")),
        ("in A minor", (9, "minor")),
        ("a tune, A minor", (9, "minor")),
        ("a reel in D mixolydian", (2, "major")),
        ("a minor folk tune", None),
        ("a major work", None),
        ("music for two", None),
    ],
)
def test_a_key_is_read_where_one_is_named(text: str, key: tuple[int, str] | None) -> None:
    assert music_words.key(text) == key


@pytest.mark.parametrize(("name", "key"), [("Am", (9, "minor")), ("F#", (6, "major")), ("bb minor", (10, "minor"))])
def test_a_key_has_short_names_too(name: str, key: tuple[int, str]) -> None:
    assert music_words.key_named(name) == key


@pytest.mark.parametrize("name", ["", "H major", "A minorish", "Ab#", "minor"])
def test_what_is_no_key_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a key"):
        music_words.key_named(name)


def test_tempo_bars_and_metre_are_read_from_figures_and_words() -> None:
    text = "a waltz of eight bars, 90 bpm"
    assert (music_words.tempo(text), music_words.bars(text), music_words.metre(text)) == (90, 8, (3, 4))
    text = "adagio, 12 measures in 6/8"
    assert (music_words.tempo(text), music_words.bars(text), music_words.metre(text)) == (66, 12, (6, 8))
    text = "something nice for the 2 of us"
    assert (music_words.tempo(text), music_words.bars(text), music_words.metre(text)) == (None, None, None)
    assert music_words.metre("a slip jig") == (9, 8)
    assert (
        music_words.pace("very slow") < music_words.pace("slow") < music_words.pace("") == 1 < music_words.pace("fast")
    )


def test_a_metre_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"7/8 is not a metre.*3/4"):
        music_words.metre("a dance in 7/8")


def test_instruments_are_named_as_in_general_midi() -> None:
    assert len(NAMES) == 128 and len({name.casefold() for name in NAMES}) == 128
    assert [NAMES[number] for number in (0, 19, 40, 73, 109)] == [
        "Grand Piano", "Church Organ", "Violin", "Flute", "Bagpipes",
    ]  # fmt: skip
    for number, name in enumerate(NAMES):
        assert music_instruments.program(name.upper()) == number == music_instruments.program(str(number))


def test_names_of_players_lead_back_to_them() -> None:
    for players in (*GROUPS.values(), (73, 24), (19,)):
        assert music_instruments.players(music_instruments.named(players)) == players
    assert music_instruments.named((19,) * 4) == ("Church Organ",)


@pytest.mark.parametrize("name", ["Theremin", "", "128", "Gunshot"])
def test_what_cannot_play_a_melody_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name or "instrument"):
        music_instruments.players([name])
    assert max(PLAYABLE) == 111
