"""Texts come apart where one would pause, soon at first, and nothing of them is lost."""

from __future__ import annotations

import pytest

from pipelines.speech_text import (
    LEAST,
    MOST,
    MOST_LATER,
    PARAGRAPH_PAUSE,
    SENTENCE_PAUSE,
    SPEAKER_PAUSE,
    pieces,
    speakers,
)

LONG = (
    "Dr. Smith went to Washington after he had met J. R. R. Tolkien at 3 p.m. in the garden of the old house that "
    "stood beside the river. Yes. No. It was fine... really! “Was it?” she asked.\n\nThen a paragraph begins\n"
    "and goes on for a while, without an end, so that it has to be cut somewhere near the middle of it all, because "
    "it is longer than a piece may be, and more."
)


@pytest.mark.parametrize("text", [LONG, "word " * 200, "x" * 1_000, "a, " * 300, "One.", "क्या हाल है। ठीक है।" * 20])
def test_nothing_is_lost_and_no_piece_is_too_long(text: str) -> None:
    made = pieces(text, "en-us")
    assert "".join("".join(piece.text for piece in made).split()) == "".join(text.split())
    for number, piece in enumerate(made):
        assert len(piece.text) <= (MOST[number] if number < len(MOST) else MOST_LATER)


def test_sentences_stay_whole_and_abbreviations_do_not_end_them() -> None:
    text = "It rained. We met Dr. Lee of the U.S. team at 3 p.m. in town, as always. Nobody else was there at all."
    made = [piece.text for piece in pieces("A first one, to begin. Another after it is here. " + text, "en-us")]
    assert "We met Dr. Lee of the U.S. team at 3 p.m. in town, as always." in " ".join(made)
    assert made[-1] == "Nobody else was there at all."


def test_the_first_piece_ends_at_a_comma_rather_than_between_words() -> None:
    first, *_ = pieces("When the rain had stopped, they all went out into the garden to look.", "en-us")
    assert first.text == "When the rain had stopped,"


def test_short_sentences_are_spoken_together() -> None:
    made = pieces("This is where it all begins. Yes. No. Maybe. Who knows?", "en-us")
    assert [piece.text for piece in made][1:] == ["Yes. No. Maybe. Who knows?"]
    assert len("Yes. No. Maybe.") < LEAST


def test_pauses_are_those_of_the_punctuation_and_none_comes_last() -> None:
    made = pieces("This is long enough to stand.\n\nSo is this one here, after it. And this is how it ends.", "en-us")
    assert [piece.pause for piece in made] == [PARAGRAPH_PAUSE, SENTENCE_PAUSE, 0]


def test_a_script_changes_speakers_at_their_names_only() -> None:
    script = "It was dark.\nAnna: Who is there?\nBen: Me. Note: I am tired.\nAnd hungry.\nCarl: No part of it."
    made = pieces(script, "en-us", ["Anna", "Ben"])
    assert [(piece.speaker, piece.text) for piece in made] == [
        ("", "It was dark."),
        ("Anna", "Who is there?"),
        ("Ben", "Me. Note: I am tired."),
        ("Ben", "And hungry."),
        ("Ben", "Carl: No part of it."),
    ]
    assert [piece.pause for piece in made] == [SPEAKER_PAUSE, SPEAKER_PAUSE, PARAGRAPH_PAUSE, PARAGRAPH_PAUSE, 0]


def test_the_names_in_a_script_are_found_in_order() -> None:
    assert speakers("Zoë: Hi.\n\n Old Man : Hm.\nZoë: Bye.\nhttp://x.y\n12: no\nno name") == ["Zoë", "Old Man"]


def test_without_names_nobody_speaks_and_nothing_is_made_of_nothing() -> None:
    assert [piece.text for piece in pieces("Anna: Hello!", "en-us")] == ["Anna: Hello!"]
    assert pieces(" \n ", "en-us") == []
