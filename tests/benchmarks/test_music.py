"""The judges of composed music are right about music that is made to be judged."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import music, music_sound
from benchmarks import music_judges as judges
from benchmarks.card import BEGIN, END
from benchmarks.music_ngram import WAYS, KneserNey
from pipelines.music import MusicPipeline
from pipelines.music_controls import Chooser
from pipelines.music_model import Composer
from pipelines.music_score import Head, Note, Score
from tests.pipelines import tiny_music
from tests.pipelines.tiny_soundfont import soundfont
from tests.pipelines.tiny_words import embed
from training.music import row_of
from training.music_pieces import Piece, store

HEAD = Head("chorale", 0, "major", (4, 4), 72, (19,) * 4)


def chords(*pitches: tuple[int, int, int, int]) -> Score:
    notes = [Note(24 * i, voice, p, 24) for i, chord in enumerate(pitches) for voice, p in enumerate(chord)]
    return Score(HEAD, tuple(notes))


class TestNGram:
    ROWS = (list("abracadabra"), list("abrakadabra"), list("cadabra"))

    @pytest.mark.parametrize("context", ["ab", "ra", "zz", "dz"])
    def test_probabilities_add_up(self, context: str) -> None:
        model = KneserNey(self.ROWS, 3)
        tokens = sorted({token for row in self.ROWS for token in row})
        total = sum(math.exp(-list(model.nats([*context, token]))[-1]) for token in [*tokens, "never seen"])
        assert total == pytest.approx(1)

    def test_what_was_seen_is_likelier(self) -> None:
        model = KneserNey(self.ROWS, 3)
        assert list(model.nats("abr"))[-1] < list(model.nats("abd"))[-1] < list(model.nats("ab?"))[-1]

    @pytest.mark.parametrize("way", WAYS)
    def test_every_event_is_paid_for_once(self, way: str) -> None:
        row = row_of(Piece("c", "c", chords((72, 67, 64, 48), (71, 67, 62, 55)), False))
        paid = Counter(str(token) for tokens in WAYS[way](row) for token in tokens)
        assert sum(paid.values()) == 2 * len(row.pitches)


BACH = chords((72, 67, 64, 48), (71, 67, 62, 55), (72, 67, 64, 48))


class TestParallels:
    def test_two_voices_in_fifths_are_found(self) -> None:
        assert judges.parallels([chords((67, 64, 60, 53), (69, 65, 62, 53))], judges.FIFTH) == 100
        assert judges.parallels([chords((67, 64, 60, 55), (69, 65, 64, 57))], judges.OCTAVE) == 100

    def test_a_fifth_that_stays_is_none(self) -> None:
        assert judges.parallels([chords((67, 64, 60, 48), (67, 65, 60, 53))], judges.FIFTH) == 0

    def test_contrary_motion_is_none(self) -> None:
        assert judges.parallels([chords((67, 64, 60, 48), (62, 65, 67, 60))], judges.FIFTH) == 0

    def test_held_notes_sound_on(self) -> None:
        notes = (Note(0, 0, 67, 48), Note(0, 1, 60, 24), Note(24, 1, 62, 24))
        assert list(judges.chords(Score(HEAD, notes))) == [{0: 67, 1: 60}, {0: 67, 1: 62}]


def test_keys_have_their_scales() -> None:
    assert judges.share_in_key([BACH]) == 1
    assert judges.share_in_key([chords((73, 66, 64, 48))]) == 0.5
    minor = Score(replace(HEAD, tonic=9, mode="minor"), (Note(0, 0, 68, 24), Note(24, 0, 70, 24)))
    assert judges.share_in_key([minor]) == 0.5


def test_what_ends_on_the_key_note_is_counted_by_its_lowest_voice() -> None:
    assert judges.share_ending_on_key_note([BACH, chords((67, 64, 60, 55))]) == 0.5


def test_a_bar_counts_as_heard_before_when_all_of_it_was() -> None:
    bar = [Note(24 * i, 0, 60 + i, 24) for i in range(4)]
    moved = [replace(note, start=note.start + 96) for note in bar]
    other = [*moved[:3], replace(moved[3], pitch=50)]
    one_voice = replace(HEAD, style="reel", instruments=(0,))
    assert judges.share_of_bars_heard_before([Score(one_voice, (*bar, *moved))]) == 0.5
    assert judges.share_of_bars_heard_before([Score(one_voice, (*bar, *other))]) == 0


class TestCopies:
    def tune(self, pitches: list[int], length: int = 12) -> Score:
        notes = tuple(Note(length * i, 0, pitch, length) for i, pitch in enumerate(pitches))
        return Score(replace(HEAD, style="reel", instruments=(0,)), notes)

    KNOWN = (60, 62, 64, 67, 65, 64, 62, 60, 67, 69, 71, 72)

    def test_a_run_is_found_in_any_key(self) -> None:
        copies = judges.Copies([self.tune(list(self.KNOWN))])
        assert copies.longest(self.tune([p + 4 for p in self.KNOWN])) == len(self.KNOWN) - 1
        assert copies.longest(self.tune([50, 51, *(p + 4 for p in self.KNOWN[2:10]), 40])) == 7

    def test_other_lengths_are_no_copy(self) -> None:
        copies = judges.Copies([self.tune(list(self.KNOWN))])
        assert copies.longest(self.tune(list(self.KNOWN), 24)) == 0


def test_overlap_is_all_for_the_same_and_nothing_for_what_shares_nothing() -> None:
    high = chords((73, 68, 65, 49))
    assert judges.overlap(judges.pitches, [BACH], [BACH, BACH]) == pytest.approx(1)
    assert judges.overlap(judges.pitches, [chords((72, 67, 64, 48))], [high]) == 0


def test_the_whole_benchmark_runs_and_writes_the_card(tmp_path, capsys, monkeypatch) -> None:
    def pipeline(composer: Path) -> MusicPipeline:
        return MusicPipeline(Composer.from_pretrained(composer), Chooser(embed), soundfont())

    def piece(name: str, score: Score) -> Piece:
        return Piece(name, name, score, False, name)

    tune = TestCopies().tune(list(TestCopies.KNOWN) * 4)
    pieces = [piece(f"{kind}{i}", score) for i in range(40) for kind, score in (("bach", BACH), ("tune", tune))]
    assert {one.withheld for one in pieces if one.name.startswith("bach")} == {False, True}
    store(pieces, Counter(), tmp_path / "data")
    tiny_music.composer().save_pretrained(tmp_path / "model")
    card = tmp_path / "card.md"
    card.write_text(f"# Model\n{BEGIN.format('music')}\nold\n{END}\nCredits\n")
    places = ["--model", tmp_path / "model", "--data", tmp_path / "data", "--card", card, "--scores", tmp_path / "s"]
    monkeypatch.setattr(music_sound, "loaded", pipeline)
    monkeypatch.setattr(music_sound, "PROMPTS", {"short": "a reel for fiddle, 2 bars"})
    music.main(["--pieces", "3", *map(str, places)])
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["benchmark"] == "music" and document["notes_per_s"]["median"] > 0
    assert document["first_sound_s"]["median"] > 0
    assert document["nats_all"] > document["real"]["nats_all"]  # it has learned nothing
    assert "parallel fifths" in card.read_text() and "old" not in card.read_text()
    assert len(list((tmp_path / "s").iterdir())) == 3
