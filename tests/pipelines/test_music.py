"""A piece from prompt to sound: streamed parts are the whole, a seed repeats it, a cancel leaves nothing behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipelines.events import Cancelled, Music, Notes, Progress, Sound, Update
from pipelines.music import MusicPipeline, together
from pipelines.music_controls import Chooser
from pipelines.music_request import MusicRequest
from pipelines.music_score import TICKS, Head, Note
from pipelines.spec import validate
from tests.pipelines.fakes import engine, say, spec
from tests.pipelines.test_music_melody import SCALE, midi, track
from tests.pipelines.tiny_music import composer
from tests.pipelines.tiny_soundfont import soundfont
from tests.pipelines.tiny_words import embed

CHORALE = MusicRequest(prompt="a chorale for string quartet in D minor", bars=4, seed=3)
REEL = MusicRequest(prompt="a reel for fiddle and cello", bars=4, seed=1)
MELODY = midi(track(SCALE))


@pytest.fixture(scope="module")
def pipeline() -> MusicPipeline:
    return MusicPipeline(composer(), Chooser(embed), soundfont())


def run(pipeline: MusicPipeline, request: MusicRequest) -> tuple[list[Update], Music]:
    updates: list[Update] = []
    return updates, pipeline.run(request, updates.append)


def notes_of(updates: list[Update]) -> list[Note]:
    return [note for update in updates if isinstance(update, Notes) for note in update.notes]


@pytest.mark.parametrize("request_", [CHORALE, REEL], ids=["chorale", "reel"])
def test_what_was_streamed_is_the_piece(pipeline: MusicPipeline, request_: MusicRequest) -> None:
    updates, music = run(pipeline, request_)
    sounds = [update for update in updates if isinstance(update, Sound)]
    assert len(sounds) > 2
    assert np.array_equal(np.concatenate([sound.samples for sound in sounds]), music.samples)
    assert notes_of(updates) == list(music.score.notes) == sorted(music.score.notes)
    assert {sound.rate for sound in sounds} == {music.rate}
    assert {update.head for update in updates if isinstance(update, Notes)} == {music.score.head}


def test_the_choices_come_first_and_sound_before_the_end(pipeline: MusicPipeline) -> None:
    updates, music = run(pipeline, CHORALE)
    first = next(update for update in updates if not isinstance(update, Progress))
    assert first == Notes((), music.score.head, 0, 4)
    kinds = [type(update) for update in updates]
    heard = kinds.index(Sound)
    assert Notes in kinds[:heard] and kinds[heard:].count(Notes) > 5
    bars = [update.step for update in updates if isinstance(update, Notes)]
    assert bars == sorted(bars) and all(u.step < u.total for u in updates if isinstance(u, Notes))


def test_the_sound_is_as_long_as_the_notes_and_rings_out(pipeline: MusicPipeline) -> None:
    _, music = run(pipeline, CHORALE)
    head, notes = music.score.head, music.score.notes
    played = head.seconds(music.score.end - notes[0].start)
    assert played < len(music.samples) / music.rate < played + 4


def test_a_seed_makes_the_same_piece_and_another_another(pipeline: MusicPipeline) -> None:
    _, first = run(pipeline, CHORALE)
    _, again = run(pipeline, CHORALE)
    _, other = run(pipeline, CHORALE.model_copy(update={"seed": 4}))
    assert again.score == first.score and np.array_equal(again.samples, first.samples)
    assert other.score.notes != first.score.notes


@pytest.mark.parametrize("request_", [CHORALE, REEL], ids=["chorale", "reel"])
def test_a_recipe_repeats_its_piece(pipeline: MusicPipeline, request_: MusicRequest) -> None:
    _, music = run(pipeline, request_)
    recipe = request_.model_dump() | dict(music.settings)
    repeated = validate(MusicRequest, recipe)
    _, again = run(pipeline, repeated)
    assert again.score == music.score and np.array_equal(again.samples, music.samples)


def test_previews_change_nothing(pipeline: MusicPipeline) -> None:
    assert pipeline.run(REEL, lambda update: None).score == run(pipeline, REEL)[1].score


def test_those_without_a_voice_of_their_own_play_along() -> None:
    head = Head("reel", 2, "major", (4, 4), 200, (110, 42))
    tune = (Note(0, 0, 69, TICKS), Note(TICKS, 0, 71, TICKS))
    assert together(tune, head, lowered=True) == (
        Note(0, 0, 69, TICKS), Note(0, 1, 57, TICKS), Note(TICKS, 0, 71, TICKS), Note(TICKS, 1, 59, TICKS),
    )  # fmt: skip
    assert {note.pitch for note in together(tune, head, lowered=False)} == {69, 71}


def test_a_melody_goes_on(pipeline: MusicPipeline) -> None:
    _, music = run(pipeline, MusicRequest(melody=MELODY, style="air", bars=6, instruments=("Flute",)))
    given = [Note(beat * TICKS, 0, pitch, TICKS) for beat, (_, _, pitch) in enumerate(SCALE)]
    assert list(music.score.notes[:8]) == given
    assert music.score.end > 2 * music.score.head.bar


def test_a_melody_is_set_for_four_voices(pipeline: MusicPipeline) -> None:
    _, music = run(pipeline, MusicRequest(melody=MELODY, melody_use="harmonise"))
    pitches = [note.pitch for note in music.score.notes if note.voice == 0]
    assert pitches == [pitch for _, _, pitch in SCALE]
    assert len(music.score.head.instruments) == 4 and any(note.voice > 0 for note in music.score.notes)
    assert music.score.head.key == "C major"


class Stopped:
    """An emit that somebody cancels after so many updates."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, update: Update) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled


@pytest.mark.parametrize("after", [0, 1, 5, 20])
def test_a_cancel_ends_it_at_the_next_step(pipeline: MusicPipeline, after: int) -> None:
    stopped = Stopped(after)
    with pytest.raises(Cancelled):
        pipeline.run(CHORALE, stopped)
    assert stopped.left == -1


def test_a_cancel_in_mid_piece_leaves_nothing_leased(pipeline: MusicPipeline) -> None:
    piece: dict[str, Any] = {"modality": "music", "request": MusicRequest, "load": lambda device, path: pipeline}
    eng = engine(spec("polymuse-music", say(), **piece))
    try:
        job = eng.submit("polymuse-music", CHORALE, "somebody")
        for event in job:
            if isinstance(event, Sound):
                job.cancel()
                break
        with pytest.raises(Cancelled):
            job.result()
        _, music = run(pipeline, REEL)
        assert eng.submit("polymuse-music", REEL, "somebody").result().artifact.score == music.score
        status = eng.status()
        assert (status.running, status.queued) == (0, 0)
        assert all(held.leases == 0 for held in status.models)
    finally:
        eng.close()


def test_a_run_leaves_the_pipeline_as_it_was(pipeline: MusicPipeline) -> None:
    """Two runs on one model that take turns at every step do not hear of each other."""
    alone = [run(pipeline, request)[1] for request in (CHORALE, REEL)]
    nested: list[Music] = []

    def emit(update: Update) -> None:
        if isinstance(update, Sound) and not nested:
            nested.append(pipeline.run(REEL, lambda update: None))

    outer = pipeline.run(CHORALE, emit)
    assert [outer.score, nested[0].score] == [music.score for music in alone]
    assert np.array_equal(outer.samples, alone[0].samples)
