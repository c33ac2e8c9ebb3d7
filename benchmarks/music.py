"""How well the built-in composer writes, from a fixed seed, beside the real music that it has never seen.

    python -m benchmarks.music [--pieces N] [--card FILE] [--scores FOLDER]

* Nats per note: what each note of a withheld piece costs the model, pitch and length together (rests cost too, but do
  not count), against the best of three 5-grams over the same tokens. The model also knows the head: key, metre, bars.
* Pieces are composed to the heads of withheld ones: same style, key, metre, tempo and number of bars. Beside each
  figure stands that of the withheld pieces themselves, and what both are compared with is what was learned from.
* In key: the notes of the scale, in minor both sixths and both sevenths.
* Parallel fifths and octaves, of 100 changes of chord, in chorales: two voices that move the same way from one fifth
  (octave) into the next. Bach's own rate is that of all his chorales here.
* Copied: the longest run of notes that is also in a piece learned from, in any key, with the same lengths.
* First sound: from a prompt to the first stretch of sound, through the whole pipeline, with the model loaded: its
  median over the prompts of benchmarks.music_sound, which tells more of it.
* Overlap: how much distributions of pitches (above the key note), lengths and leaps have in common, style by style.

--scores writes the pieces as text, a line for each voice and bar, to look at.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch

from benchmarks import music_judges as judges
from benchmarks import music_sound
from benchmarks.card import Card
from benchmarks.card import Figure as Measured
from benchmarks.music_ngram import WAYS, Baseline
from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from pipelines.music import TOP_P
from pipelines.music_model import Composer, compose
from pipelines.music_request import MusicRequest
from pipelines.music_score import Score
from pipelines.music_tokens import VOICES, bars_of
from pipelines.weights import ASSETS
from training.music import per_note, row_of
from training.music_pieces import FOLDER, Piece, load

HEAD = ("", "composed", "real", "goal")
OF_THE_5_GRAM = 0.85
CHORALES = 0.3  # of the composed pieces
HEARD = 2  # readings of the time to the first sound, for each prompt


@dataclass(frozen=True)
class Figure(Measured):
    """A row of the report; the bound is the most that it should be."""

    unit: str = ""

    sign: ClassVar[str] = "≤"


@dataclass
class Written:
    """What was composed, and how fast."""

    scores: list[Score] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)  # notes per second

    def add(
        self, composer: Composer, like: Score, seed: int, temperature: float, top_p: float, harmonise: bool = False
    ) -> None:
        """A piece with the head of another; to harmonise, with its melody too."""
        bars, upbeat = bars_of(like)
        melody = judges.voices(like)[0] if harmonise else ()
        began, moments, first = time.perf_counter(), [], 0.0
        for moment in compose(
            composer,
            like.head,
            bars,
            seed=seed,
            temperature=temperature,
            top_p=top_p,
            given=melody,
            harmonise=harmonise,
            upbeat=upbeat,
        ):
            first = first or time.perf_counter() - began
            moments.append(moment)
        notes = tuple(note for moment in moments for note in moment)
        self.scores.append(Score(like.head, notes))
        self.first_s.append(first)
        self.rates.append(len(notes) / (time.perf_counter() - began))


def chorales(pieces: Sequence[Piece]) -> list[Piece]:
    return [piece for piece in pieces if len(piece.score.head.instruments) == VOICES]


def chosen(pieces: Sequence[Piece], count: int) -> list[Piece]:
    """A fixed sample: so many chorales (again from the first when there are no more), the rest tunes."""
    hymns, tunes = chorales(pieces), [piece for piece in pieces if len(piece.score.head.instruments) == 1]
    some = max(1, round(count * CHORALES))
    step = max(1, len(tunes) // max(1, count - some))
    return [hymns[i % len(hymns)] for i in range(some)] + tunes[::step][: count - some]


def cost(composer: Composer, learned: Sequence[Piece], withheld: Sequence[Piece]) -> list[Figure]:
    """The model's nats per note, and in the column beside it the best 5-gram's."""
    known, new = ([row_of(piece) for piece in each] for each in (learned, withheld))
    grams = [Baseline.of(way, known) for way in WAYS]
    kinds = {
        "all": new,
        "tunes": [row for row in new if row.voices == 1],
        "chorales": [row for row in new if row.voices == VOICES],
    }
    figures = []
    for kind, rows in kinds.items():
        mine, best = per_note(composer, rows), min(gram.nats_per_note(rows) for gram in grams)
        title = f"nats per note, {len(rows)} withheld pieces ({kind}); real: the best 5-gram's"
        bound = OF_THE_5_GRAM * best if kind == "all" else None
        figures.append(Figure(f"nats_{kind}", title, mine, best, bound))
    return figures


def judged(
    written: Written, harmonised: Sequence[Score], pieces: Sequence[Piece], learned: Sequence[Piece]
) -> list[Figure]:
    """What was composed, beside the pieces whose heads it was composed to."""
    composed, real = written.scores, [piece.score for piece in pieces]
    known = [piece.score for piece in learned]
    hymns = [score for score in composed if len(score.head.instruments) == VOICES]
    bach = [score for score in [*known, *real] if len(score.head.instruments) == VOICES]
    copies = judges.Copies(known)
    runs, real_runs = ([copies.longest(score) for score in scores] for scores in (composed, real))
    figures = [
        Figure("in_key", "notes in key", judges.share_in_key(composed), judges.share_in_key(real), unit="%"),
        Figure(
            "ends_on_key_note",
            "end on the key note (chorales: in the bass)",
            judges.share_ending_on_key_note(composed),
            judges.share_ending_on_key_note(real),
            unit="%",
        ),
        Figure(
            "bars_again",
            "bars that were heard before in the piece",
            judges.share_of_bars_heard_before(composed),
            judges.share_of_bars_heard_before(real),
            unit="%",
        ),
    ]
    for key, scores, made in (("", hymns, "chorales"), ("harmonised_", harmonised, "melodies harmonised")):
        for name, interval in (("fifths", judges.FIFTH), ("octaves", judges.OCTAVE)):
            title = f"parallel {name}, of 100 changes of chord ({len(scores)} {made})"
            figures.append(
                Figure(key + name, title, judges.parallels(scores, interval), judges.parallels(bach, interval))
            )
    title = f"longest run copied, {len(composed)} pieces"
    figures.append(Figure("copied", title, max(runs), max(real_runs), unit="notes"))
    title = "longest run copied, the median piece"
    figures.append(Figure("copied_median", title, Sample.of(runs).median, Sample.of(real_runs).median, unit="notes"))
    for name, count in (("pitches", judges.pitches), ("lengths", judges.lengths), ("leaps", judges.leaps)):
        overlap = partial(judges.overlap, count, others=known)
        title = f"{name}: overlap with what was learned from"
        figures.append(Figure(f"overlap_{name}", title, overlap(composed), overlap(real), unit="%"))
    return figures


def as_text(score: Score) -> str:
    """Bars as lines, voices under each other: pitch and length in ticks."""
    head = score.head
    lines = [f"{head.style}, {head.key}, {head.metre[0]}/{head.metre[1]}"]
    for number in range(-(-score.end // head.bar)):
        for voice, notes in enumerate(judges.voices(score)):
            said = [f"{note.pitch}:{note.length}" for note in notes if note.start // head.bar == number]
            lines.append(f"{number:3d} {voice}  {' '.join(said)}")
    return "\n".join(lines) + "\n"


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.music", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--model", type=Path, default=ASSETS / "music", help="a folder of save_pretrained (%(default)s)")
    add("--data", type=Path, default=FOLDER, help="what training.music_data wrote (%(default)s)")
    add("--pieces", type=int, default=100, help="to compose (%(default)s)")
    add("--seed", type=int, default=0)
    page = MusicRequest.model_fields["temperature"].default
    add("--temperature", type=float, default=page, help="(%(default)s, as on the page)")
    add("--top-p", type=float, default=TOP_P, help="(%(default)s, as on the page)")
    add("--card", type=Path, metavar="FILE", help="a model card to write the table into")
    add("--scores", type=Path, metavar="FOLDER", help="where to put the pieces as text")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    card = Card(options.card, "music") if options.card else None
    torch.set_num_threads(1)  # an event is too little work for more
    composer, pieces, watch = Composer.from_pretrained(options.model), load(options.data), Watch(options.calm)
    learned, withheld = ([piece for piece in pieces if piece.withheld == held] for held in (False, True))
    asked = chosen(withheld, options.pieces)
    written, set_for_four = Written(), Written()
    how = {"temperature": options.temperature, "top_p": options.top_p}
    for number, piece in enumerate(asked):
        watch.measure(partial(written.add, composer, piece.score, options.seed + number, **how))
    for number, piece in enumerate(chorales(withheld)[: max(1, len(asked) // 4)]):
        set_for_four.add(composer, piece.score, options.seed + number, **how, harmonise=True)
    with torch.inference_mode():
        figures = [*cost(composer, learned, withheld), *judged(written, set_for_four.scores, asked, learned)]
    if options.scores:
        options.scores.mkdir(parents=True, exist_ok=True)
        for number, score in enumerate(written.scores):
            (options.scores / f"{number:03d}-{score.head.style}.txt").write_text(as_text(score), "utf-8")
    settings = {"pieces": len(asked), "seed": options.seed, "temperature": options.temperature, "top-p": options.top_p}
    if card:
        card.write(HEAD, [figure.cells() for figure in figures], settings)
    heard = music_sound.first_sounds(music_sound.loaded(options.model), HEARD, watch)
    report(figures, written, heard, settings, watch)


def report(figures: Sequence[Figure], written: Written, heard: Sample, settings: dict[str, Any], watch: Watch) -> None:
    speed, first = Sample.of(written.rates), Sample.of(written.first_s)
    rows = [("notes per second", speed.text(digits=0), "", ""), ("first sound after", heard.text("s"), "", "")]
    print(table(HEAD, [*(figure.cells() for figure in figures), *rows]))
    goals = [Goal(one.title, one.value, one.bound) for one in figures if one.bound is not None]
    numbers: dict[str, Any] = {one.key: one.value for one in figures}
    numbers["real"] = {one.key: one.real for one in figures if one.real is not None}
    results = {"settings": settings, **numbers, "notes_per_s": speed, "first_moment_s": first, "first_sound_s": heard}
    finish("music", results, goals, watch)


if __name__ == "__main__":
    main()
