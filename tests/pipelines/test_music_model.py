"""Whatever the weights, a composed piece is whole, keeps to what it was given, and is the same for the same seed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pipelines.music_model import CONFIG, Composer, Memory, Size, compose, plan
from pipelines.music_score import Head, Note, Score
from pipelines.music_styles import STYLES
from pipelines.music_tokens import FIELDS, LENGTHS, PITCHES, bars_of, events_of, fitted
from tests.pipelines import tiny_music

pytestmark = pytest.mark.usefixtures("one_thread")

CHORALE = Head("chorale", 2, "minor", (4, 4), 72, (19,) * 4)
JIG = Head("jig", 7, "major", (6, 8), 165, (110,))
MELODY = tuple(Note(24 * i, 0, pitch, 24) for i, pitch in enumerate((62, 64, 65, 67, 69, 67, 65, 64, 62)))


@pytest.fixture(scope="module")
def composer():
    return tiny_music.composer()


def piece(composer, head=CHORALE, bars=4, seed=0, temperature=1.0, top_p=0.95, **more) -> list[tuple[Note, ...]]:
    return list(compose(composer, head, bars, seed=seed, temperature=temperature, top_p=top_p, **more))


def joined(moments) -> tuple[Note, ...]:
    return tuple(note for moment in moments for note in moment)


@pytest.mark.parametrize("style", STYLES.values(), ids=lambda style: style.id)
@pytest.mark.parametrize("upbeat", [False, True])
def test_a_piece_is_whole_in_every_style(composer, style, upbeat: bool) -> None:
    for seed, voices in enumerate(style.voices):
        head = Head(style.id, 9, "minor", style.metres[-1], style.tempo, (0,) * voices)
        moments = piece(composer, head, 3, seed, upbeat=upbeat)
        starts = [{note.start for note in moment} for moment in moments]
        assert all(len(each) == 1 for each in starts)
        assert [min(each) for each in starts] == sorted({min(each) for each in starts})
        score = Score(head, joined(moments))
        total = (3 + upbeat) * head.bar
        assert score.end <= total
        assert {note.voice for note in score.notes} == set(range(voices))
        list(events_of(score))  # and it reads as it was written


def test_the_same_seed_gives_the_same_notes(composer) -> None:
    assert piece(composer, seed=4) == piece(composer, seed=4)
    assert joined(piece(composer, seed=4)) != joined(piece(composer, seed=5))


def test_temperature_zero_leaves_nothing_to_chance(composer) -> None:
    first, second = (piece(composer, temperature=0, seed=seed, upbeat=False) for seed in (1, 2))
    assert first == second


def test_notes_come_while_the_rest_is_unwritten(composer) -> None:
    """The first moment costs no more than its own notes, however long the piece is."""
    stream = compose(composer, CHORALE, 10_000, seed=0, temperature=1.0, top_p=1.0)
    assert next(stream) and next(stream)
    stream.close()


class TestGiven:
    def test_a_piece_begins_with_the_melody_and_goes_on(self, composer) -> None:
        notes = joined(piece(composer, given=MELODY))
        top = [note for note in notes if note.voice == 0]
        assert tuple(top[: len(MELODY)]) == MELODY
        assert len(top) > len(MELODY)
        assert max(note.start + note.length for note in notes) > 3 * CHORALE.bar

    def test_to_harmonise_is_to_keep_to_the_melody(self, composer) -> None:
        notes = joined(piece(composer, bars=16, given=MELODY, harmonise=True))
        assert tuple(note for note in notes if note.voice == 0) == MELODY
        assert {note.voice for note in notes} == {0, 1, 2, 3}
        assert max(note.start + note.length for note in notes) <= 3 * CHORALE.bar

    def test_bars_are_the_most_there_are(self, composer) -> None:
        notes = joined(piece(composer, bars=1, given=MELODY, harmonise=True))
        assert max(note.start + note.length for note in notes) == CHORALE.bar

    def test_its_upbeat_is_the_pieces(self, composer) -> None:
        late = tuple(replace(note, start=note.start + 72) for note in MELODY)
        notes = joined(piece(composer, given=late, harmonise=True))
        assert min(note.start for note in notes if note.voice == 0) == 72
        _, bars, upbeat = plan(CHORALE, 16, late, True, None, 0)
        assert (bars, upbeat) == (2, True)

    def test_a_melody_off_the_grid_and_out_of_range_is_kept_as_well_as_may_be(self, composer) -> None:
        wild = tuple(Note(29 * i, 0, 20 + 9 * i, 31) for i in range(9))
        notes = joined(piece(composer, given=wild, harmonise=True))
        assert tuple(note for note in notes if note.voice == 0) == fitted(wild, 4 * CHORALE.bar)

    def test_the_next_note_matters_only_to_who_harmonises(self, composer) -> None:
        """Without, a changed end of the melody changes nothing before it."""
        changed = (*MELODY[:-1], replace(MELODY[-1], pitch=74))
        for harmonise in (False, True):
            one, other = (
                [note for note in joined(piece(composer, given=given, harmonise=harmonise)) if note.start < 168]
                for given in (MELODY, changed)
            )
            assert one == other or harmonise


def random_features(events: int) -> torch.Tensor:
    return torch.stack([torch.randint(size, (1, events)) for size in FIELDS.values()], -1)


def test_one_event_at_a_time_is_the_same_as_all_at_once(composer) -> None:
    features = random_features(composer.size.window)
    memory = Memory(composer)
    with torch.inference_mode():
        whole = composer(features)
        steps = torch.cat([composer(features[:, i : i + 1], None, memory) for i in range(features.shape[1])], 1)
    torch.testing.assert_close(steps, whole)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    """In one layer, an event sees just the window; in three windows' time its place has moved and moved again."""
    torch.manual_seed(1)
    model = Composer(Size(width=32, layers=1, head_width=16, window=8)).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    features, memory = random_features(30), Memory(model)
    with torch.inference_mode():
        for i in range(30):
            last = model(features[:, i : i + 1], None, memory)
            expected = model(features[:, max(0, i - 7) : i + 1])[:, -1:]
            torch.testing.assert_close(last, expected)


def test_it_comes_back_as_it_was_saved(composer, tmp_path: Path) -> None:
    composer.save_pretrained(tmp_path)
    again = Composer.from_pretrained(tmp_path)
    assert json.loads((tmp_path / CONFIG).read_text()) == {"width": 32, "layers": 2, "head_width": 16, "window": 64}
    assert piece(again) == piece(composer)


def test_the_length_depends_on_the_pitch(composer) -> None:
    hidden = composer(random_features(1))[0, 0]
    logits = torch.stack([composer.lengths(hidden, torch.tensor(pitch)) for pitch in range(PITCHES)])
    assert logits.shape == (PITCHES, len(LENGTHS))
    assert len(logits.unique(dim=0)) == PITCHES


def test_a_melody_of_two_bars_is_two_bars() -> None:
    assert bars_of(Score(CHORALE, MELODY[:8])) == (2, False)
