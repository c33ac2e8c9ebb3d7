"""Music note by note: a prompt becomes a head, a composer writes to it, a band plays what is written while it writes.

The composer's voices are parts of their own. Where a style has one voice and several are to play, they play it
together, as such tunes are played.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines import music_melody
from pipelines.errors import BadRequest
from pipelines.events import Emit, Music, Notes, Progress, Sound
from pipelines.music_controls import Chooser, Chosen
from pipelines.music_melody import Melody
from pipelines.music_request import MOST_BARS, MusicRequest
from pipelines.music_score import TICKS, Head, Note, Score
from pipelines.music_sound import RATE, Band, level

if TYPE_CHECKING:
    from pipelines.music_model import Composer

TOP_P = 0.98
LOW = frozenset((19, 22, *range(24, 40), 42, 43, 46, 57, 58, 60, 67, 70))  # sound best an octave below a fiddle's tune
FIRST_BEATS, BEATS = 2, 4  # quarter notes of a stretch of sound: the first is heard soon, the others cost less


class MusicPipeline:
    """A loaded model, the chooser that reads prompts for it, and the soundfont that it is played with."""

    def __init__(self, composer: Composer, chooser: Chooser, soundfont: bytes) -> None:
        self._composer = composer
        self._chooser = chooser
        self._soundfont = soundfont
        self._levels: dict[int, int] = {}  # how loud each instrument is played, once that is known

    def run(self, request: MusicRequest, emit: Emit) -> Music:
        """Compose. Emits Notes as they are written, first none with the head, and Sound as soon as it is sure."""
        emit(Progress(label="Reading the prompt"))
        melody = None if request.melody is None else music_melody.read(request.melody, MOST_BARS)
        chosen = self._chooser.choose(request, melody)
        emit(Notes((), chosen.head, 0, chosen.bars))
        band = Band(self._soundfont, chosen.head, self._levels_of(chosen.head))
        score: list[Note] = []
        parts: list[NDArray[np.int16]] = []
        played, stretch = 0, FIRST_BEATS * TICKS
        upbeat = 0
        for notes in self._written(request, chosen, melody):
            start = notes[0].start
            if not score:
                band.begin(start)
                upbeat = int(0 < start < chosen.head.bar)
                stretch += start
            if start >= stretch:
                band.play(score[played:])
                parts.append(band.until(start))
                emit(Sound(parts[-1], RATE))
                played, stretch = len(score), start + BEATS * TICKS
            score += notes
            emit(Notes(notes, chosen.head, start // chosen.head.bar, chosen.bars + upbeat))
        if not score:
            raise BadRequest("Nothing but rests came of this. Try another seed, or a higher temperature.")
        band.play(score[played:])
        parts.append(band.end())
        emit(Sound(parts[-1], RATE))
        return Music(Score(chosen.head, tuple(score)), np.concatenate(parts), RATE, chosen.settings)

    def _levels_of(self, head: Head) -> list[int]:
        for program in head.instruments:
            if program not in self._levels:
                self._levels[program] = level(self._soundfont, program)
        return [self._levels[program] for program in head.instruments]

    def _written(self, request: MusicRequest, chosen: Chosen, melody: Melody | None) -> Iterator[tuple[Note, ...]]:
        """What the composer writes, and those who double it."""
        from pipelines.music_model import compose

        head = chosen.head
        own = Head(head.style, head.tonic, head.mode, head.metre, head.tempo, head.instruments[: chosen.voices])
        written = compose(
            self._composer,
            own,
            chosen.bars,
            seed=request.seed,
            temperature=request.temperature,
            top_p=TOP_P,
            given=melody.notes if melody else (),
            harmonise=melody is not None and request.melody_use == "harmonise",
        )
        for notes in written:
            if notes and chosen.voices == 1:
                yield together(notes, head, lowered=melody is None)
            elif notes:
                yield notes


def together(tune: tuple[Note, ...], head: Head, lowered: bool) -> tuple[Note, ...]:
    """A tune for all who play it, low instruments an octave below if `lowered`: it is written for a fiddle."""
    return tuple(
        Note(note.start, player, note.pitch - 12 * (lowered and program in LOW), note.length)
        for note in tune
        for player, program in enumerate(head.instruments)
    )


def load(path: Path) -> MusicPipeline:
    """A composer from a folder with the folders `model`, `sentences` and `soundfont`."""
    from pipelines.image_text import TextEncoder
    from pipelines.music_model import Composer

    encoder = TextEncoder.load(path / "sentences")
    soundfont = path / "soundfont"
    if soundfont.is_dir():
        soundfont = next(soundfont.glob("*.sf2"))
    chooser = Chooser(lambda texts: encoder.sentences(texts).numpy())
    return MusicPipeline(Composer.from_pretrained(path / "model"), chooser, soundfont.read_bytes())
