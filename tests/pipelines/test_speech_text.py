"""Texts come apart where one would pause, soon at first, and nothing of them is lost."""

from __future__ import annotations

from itertools import groupby

import pytest

from pipelines.speech_text import (
    CHARACTERS_PER_S,
    FULL,
    LEAST,
    MADE_PER_S,
    MOST,
    MOST_FIRST,
    MOST_PAUSES,
    PARAGRAPH_PAUSE,
    SENTENCE_PAUSE,
    SILENCE_S,
    SPEAKER_PAUSE,
    longer,
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
    assert len(made[0].text) <= MOST_FIRST
    assert all(len(piece.text) <= MOST for piece in made)


@pytest.mark.parametrize("text", [LONG, "word " * 200, "This is how it goes, again and again. " * 40])
def test_every_piece_is_made_while_those_before_it_are_heard(text: str) -> None:
    made = pieces(text, "en-us")
    ready, heard_until = 0.0, 0.0
    for number, piece in enumerate(made):
        said = len(piece.text) / CHARACTERS_PER_S
        ready += (said + SILENCE_S) / MADE_PER_S
        if number and len(piece.text) > MOST_FIRST:  # shorter ones are made in any case
            assert ready <= heard_until + 1e-9
        heard_until = max(ready, heard_until) + said + piece.pause


def test_whole_sentences_share_a_piece_once_there_is_time() -> None:
    *_, last = pieces("This one sentence has fifty characters, you may see. " * 9, "en-us")
    assert len(last.text) <= FULL + 2
    assert last.text.count("see.") == 1
    made = pieces("Here is one of forty-two characters, I say. " * 12, "en-us")
    assert made[-1].text.count("say.") == 2


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
    second = "So is this one which comes right after it in turn."
    made = pieces(f"This is long enough to stand.\n\n{second} And this is how it ends.", "en-us")
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


@pytest.mark.parametrize(
    ("mark", "seconds"),
    [("[pause]", 1), ("[pause 2 s]", 2), ("[Pause 0.5s]", 0.5), ("[pause 1,5 seconds]", 1.5), ("[pause 99]", 10)],
)
def test_a_pause_that_is_asked_for_is_waited_and_not_spoken(mark: str, seconds: float) -> None:
    made = pieces(f"Ready, steady, {mark} go on now. And there it went.", "en-us")
    assert [piece.pause for piece in made if piece.text.endswith("steady,")] == [seconds]
    assert "pause" not in " ".join(piece.text for piece in made).lower()


def test_pauses_stand_between_speakers_on_a_line_of_their_own_or_before_what_is_said() -> None:
    script = "Anna: Who is there?\n[pause 3 s]\nBen: [pause 2 s] Nobody at all."
    made = pieces(script, "en-us", ["Anna", "Ben"])
    assert [(piece.speaker, piece.text, piece.pause) for piece in made] == [
        ("Anna", "Who is there?", 3),
        ("Ben", "Nobody at all.", 0),
    ]
    assert pieces("[pause] [pause 2 s]", "en-us") == []
    assert [piece.text for piece in longer(pieces("One. [pause 2 s] Two.", "en-us"), 80)] == ["One.", "Two."]


def test_marks_alone_cannot_make_hours_of_silence() -> None:
    made = pieces("a [pause 10 s] " * 1_000, "en-us")
    assert sum(piece.pause for piece in made) < MOST_PAUSES + len(made)


def test_words_in_brackets_that_are_no_pause_are_said() -> None:
    for text in ("Press [pause button] twice.", "A [pausing] man.", "The word pause 2 s."):
        assert " ".join(piece.text for piece in pieces(text, "en-us")) == text


def test_the_names_in_a_script_are_found_in_order() -> None:
    assert speakers("Zoë: Hi.\n\n Old Man : Hm.\nZoë: Bye.\nhttp://x.y\n12: no\nno name") == ["Zoë", "Old Man"]


def test_without_names_nobody_speaks_and_nothing_is_made_of_nothing() -> None:
    assert [piece.text for piece in pieces("Anna: Hello!", "en-us")] == ["Anna: Hello!"]
    assert pieces(" \n ", "en-us") == []


def test_longer_pieces_have_the_same_words_and_speakers_and_none_is_too_long() -> None:
    text = "Ann: " + "One two. " * 40 + "\nBo: Three.\nAnn: " + "Four, five, six and seven. " * 9
    made = pieces(text, "en-us", ["Ann", "Bo"])
    joined = longer(made, 100)
    assert " ".join(piece.text for piece in joined) == " ".join(piece.text for piece in made)
    assert [key for key, _ in groupby(piece.speaker for piece in joined)] == ["Ann", "Bo", "Ann"]
    assert len(joined) < len(made) and max(len(piece.text) for piece in joined) <= MOST
    assert longer(made, 0) == made and joined[-1].pause == 0
