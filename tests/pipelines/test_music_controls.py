"""What a prompt says counts, what it means is found, and the choices repeat themselves from a recipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.errors import BadRequest
from pipelines.music_controls import Chooser, Chosen
from pipelines.music_instruments import NAMES
from pipelines.music_melody import Melody
from pipelines.music_request import MusicRequest
from pipelines.music_score import Note
from pipelines.music_styles import STYLES
from tests.pipelines.tiny_words import embed

Choose = Callable[..., Chosen]


@pytest.fixture(scope="module")
def choose() -> Choose:
    chooser = Chooser(embed)

    def choose(prompt: str = "", melody: Melody | None = None, **values: Any) -> Chosen:
        return chooser.choose(MusicRequest(prompt=prompt, **values), melody)

    return choose


def names(chosen: Chosen) -> list[str]:
    return [NAMES[one] for one in chosen.head.instruments]


def test_the_example_of_the_page_is_understood(choose: Choose) -> None:
    chosen = choose("a calm minor folk tune for flute and guitar, 90 bpm")
    assert (chosen.head.mode, chosen.head.tempo, names(chosen)) == ("minor", 90, ["Flute", "Nylon Guitar"])
    assert STYLES[chosen.head.style].tempo <= 120


def test_what_is_said_exactly_is_done_exactly(choose: Choose) -> None:
    chosen = choose("A jig in E minor for fiddle and accordion, 12 bars, 140 bpm")
    assert (chosen.head.style, chosen.head.key, chosen.head.metre) == ("jig", "E minor", (6, 8))
    assert (chosen.bars, chosen.head.tempo, names(chosen)) == (12, 140, ["Fiddle", "Accordion"])


def test_fields_count_for_more_than_the_prompt(choose: Choose) -> None:
    given = {
        "style": "chorale",
        "key": "F# minor",
        "metre": "3/2",
        "tempo": 60,
        "bars": 9,
        "instruments": ("Cello", "Cello"),
    }
    chosen = choose("a jig in G major for flute, 6/8, 200 bpm, 16 bars", **given)
    assert (chosen.head.style, chosen.head.tonic, chosen.head.mode) == ("chorale", 6, "minor")
    assert chosen.head.metre == (3, 2) and chosen.settings["metre"] == "3/2"
    assert (chosen.head.tempo, chosen.bars, names(chosen), chosen.voices) == (60, 9, ["Cello", "Cello"], 2)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("seed", [0, 7])
def test_every_style_can_be_chosen_alone_and_suits_itself(choose: Choose, style: str, seed: int) -> None:
    chosen, facts = choose(style=style, seed=seed), STYLES[style]
    assert chosen.head.style == style and chosen.head.metre in facts.metres and chosen.head.mode in facts.modes
    assert chosen.head.instruments in facts.instruments and chosen.voices == facts.voices[0]
    assert (chosen.bars, chosen.head.tempo) == (facts.bars[0], facts.tempo)


@pytest.mark.parametrize("prompt", ["a merry dance", "a slow hymn for two violins and a cello", "waltz, piano", "🎻"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_choices_given_as_fields_are_chosen_again(choose: Choose, prompt: str, seed: int) -> None:
    chosen = choose(prompt, seed=seed)
    again = choose(prompt, seed=seed, **chosen.settings)
    assert again == chosen


def test_what_is_left_open_differs_from_seed_to_seed(choose: Choose) -> None:
    heads = {choose("a merry dance", seed=seed).head for seed in range(12)}
    assert len({head.tonic for head in heads}) > 2 and len({head.instruments for head in heads}) > 1


def test_words_find_the_nearest_style(choose: Choose) -> None:
    assert choose("soldiers on a parade").head.style == "march"
    assert choose("church music, sacred and calm").head.style == "chorale"
    assert choose("a lullaby").head.style == "air"


def test_players_without_a_part_of_their_own_are_counted(choose: Choose) -> None:
    chosen = choose("a reel for fiddle, flute and banjo")
    assert (len(chosen.head.instruments), chosen.voices) == (3, 1)
    chosen = choose("a chorale for organ")
    assert (names(chosen), chosen.voices) == (["Church Organ"] * 4, 4)


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("a dance in 7/8", "7/8 is not a metre"),
        ("a tune of 400 bars", "at most 32"),
        ("a tune, 900 bpm", "30 to 240"),
    ],
)
def test_a_prompt_that_asks_for_what_there_is_not_is_told_so(choose: Choose, prompt: str, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        choose(prompt)


def tune(bars: int) -> Melody:
    return Melody(tuple(Note(beat * 24, 0, 60, 24) for beat in range(bars * 3)), 7, "major", (3, 4), 100)


def test_a_melody_brings_its_key_metre_and_tempo(choose: Choose) -> None:
    chosen = choose(melody=tune(4), style="air")
    assert (chosen.head.key, chosen.head.metre, chosen.head.tempo) == ("G major", (3, 4), 100)
    assert chosen.bars > 4


def test_to_harmonise_takes_four_voices_and_the_melodys_length(choose: Choose) -> None:
    chosen = choose("for flute and cello", melody=tune(5), melody_use="harmonise", bars=30)
    assert (chosen.voices, chosen.bars) == (4, 5) and 4 in STYLES[chosen.head.style].voices
    assert names(chosen) == ["Flute", "Flute", "Cello", "Cello"]


def test_a_melody_that_is_as_long_already_is_refused(choose: Choose) -> None:
    with pytest.raises(BadRequest, match="has 8 bars already"):
        choose(melody=tune(8), style="air", bars=8)
