"""Trains the built-in composer.

    python -m training.music --out FOLDER [--data FOLDER] [--steps N] [--resume] [--install assets/models/music]

It learns to say of each event which pitch and which length it has, from what the sheet says by then. Each time a piece
is moved to another key in which it fits its voices. Chorales are also learned with fewer voices, and at times with the
melody given: then the model knows the melody's next note, and only the other voices are its task.

To stop a run early, resume it with `--steps` a little beyond where it is: over the last `--cooldown` steps the rate
falls to zero.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.nn.utils.rnn import pad_sequence

from pipelines.music_model import CONFIG, WEIGHTS, Composer, Size
from pipelines.music_score import Score
from pipelines.music_styles import STYLES
from pipelines.music_tokens import (
    FIELDS,
    LENGTHS,
    NONE,
    PITCH_FIELDS,
    REST,
    VOICES,
    Event,
    anchor,
    events_of,
)
from training.loop import Average, Run, export, log, resume, save, training, write_pid
from training.muon import optimisers
from training.music_pieces import FOLDER, Piece, load

COLUMNS = {name: column for column, name in enumerate(FIELDS)}
PITCH_COLUMNS = [COLUMNS[name] for name in PITCH_FIELDS]
HARMONISED = 0.35  # of the times that a piece of four voices is learned from, its melody is given
FARTHEST = 5  # semitones to another key


@dataclass(frozen=True)
class Row:
    """A piece as numbers: what is known before each event, and what then comes."""

    features: Tensor  # int16 (events, fields)
    pitches: Tensor  # int16 (events,)
    lengths: Tensor  # int16 (events,)
    keys: tuple[int, int]  # how many semitones it may go down and up
    notes: int
    name: str = ""

    @property
    def voices(self) -> int:
        return int(self.features[0, COLUMNS["voices"]])


def row_of(piece: Piece) -> Row:
    """A score read through the sheet that it could have been written on."""
    features, pitches, lengths = [], [], []
    melody: list[Event] = []
    for sheet, event in events_of(piece.score):
        if sheet.voice == 0:
            melody.append(event)
        features.append(sheet.features())
        pitches.append(sheet.number(event.pitch))
        lengths.append(LENGTHS.index(event.length))
    table = torch.tensor(features, dtype=torch.int16)
    if not piece.paced:
        table[:, COLUMNS["pace"]] = 0
    table[:, COLUMNS["ahead"]] = torch.tensor(_ahead(table, pitches), dtype=torch.int16)
    sounding = sum(number > REST for number in pitches)
    return Row(
        table,
        torch.tensor(pitches, dtype=torch.int16),
        torch.tensor(lengths, dtype=torch.int16),
        keys(piece.score),
        sounding,
        piece.name,
    )


def _ahead(table: Tensor, pitches: Sequence[int]) -> list[int]:
    """For each event the next of the highest voice, its own turn included: what compose() tells who harmonises."""
    following, result = NONE, []
    for part, number in zip(reversed(table[:, COLUMNS["part"]].tolist()), reversed(pitches), strict=True):
        following = number if part == 0 else following
        result.append(following)
    return result[::-1]


def keys(score: Score) -> tuple[int, int]:
    """How far down and up a piece can go: voices keep their ranges, and are counted from the same key note."""
    head = score.head
    style = STYLES[head.style]
    here = anchor(style, head.tonic)
    downs, ups = [here - (style.centre - 6), FARTHEST], [style.centre + 5 - here, FARTHEST]
    for note in score.notes:
        low, high = style.ranges[style.parts(len(head.instruments))[note.voice]]
        downs.append(note.pitch - low)
        ups.append(high - note.pitch)
    return max(0, min(downs)), max(0, min(ups))


def fewer(piece: Piece) -> Iterator[Piece]:
    """The same piece with fewer of its voices, as its style has them."""
    style = STYLES[piece.score.head.style]
    for voices in style.voices[1:]:
        parts = style.parts(voices)
        notes = [replace(note, voice=parts.index(note.voice)) for note in piece.score.notes if note.voice in parts]
        head = replace(piece.score.head, instruments=piece.score.head.instruments[:voices])
        yield replace(piece, score=Score(head, tuple(sorted(notes))))


class Rows:
    """Pieces in order of their length, drawn so that each is learned from equally often, some styles more."""

    def __init__(self, rows: Sequence[Row], context: int) -> None:
        self._rows = sorted(rows, key=lambda row: len(row.features))
        self._context = context
        self._weights = torch.tensor([len(row.features) * (1.5 if row.voices > 1 else 1.0) for row in self._rows])

    def batch(self, events: int, g: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features, pitches, lengths and which of them count: about so many events, of pieces of like length."""
        middle = int(self._weights.multinomial(1, generator=g))
        longest = min(self._context, len(self._rows[middle].features))
        count = max(1, events // longest)
        first = min(max(0, middle - 2 * count), max(0, len(self._rows) - 4 * count))
        near = range(first, min(len(self._rows), first + 4 * count))
        chosen = [near[i] for i in torch.randperm(len(near), generator=g)[:count].tolist()]
        parts = [self._part(self._rows[i], g) for i in chosen]
        features, pitches, lengths, counts = (
            pad_sequence(list(c), batch_first=True) for c in zip(*parts, strict=True)
        )
        return features, pitches, lengths, counts

    def _part(self, row: Row, g: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One piece in some key, with its melody given or not; of a long one a part."""
        luck, key, place = torch.rand(3, generator=g).tolist()
        begin = int(place * max(1, len(row.features) - self._context + 1))
        window = slice(begin, begin + self._context)
        features, pitches, lengths = (
            row.features[window].long(),
            row.pitches[window].long(),
            row.lengths[window].long(),
        )
        down, up = row.keys
        features[:, COLUMNS["tonic"]] = (features[:, COLUMNS["tonic"]] - down + int(key * (down + up + 1))) % 12
        counts = torch.ones(len(features), dtype=torch.bool)
        if row.voices == VOICES and luck < HARMONISED:
            counts = features[:, COLUMNS["part"]] != 0
        else:
            features[:, COLUMNS["ahead"]] = NONE
        return features, pitches, lengths, counts


def nats(model: Composer, features: Tensor, pitches: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """What each event's pitch and length cost, each (batch, events)."""
    hidden = model(features)
    pitch = F.cross_entropy(model.pitches(hidden).float().mT, pitches, reduction="none")
    length = F.cross_entropy(model.lengths(hidden, pitches).float().mT, lengths, reduction="none")
    return pitch, length


def loss_of(model: Composer, rows: Rows, events: int, g: Generator) -> tuple[Tensor, dict[str, float]]:
    features, pitches, lengths, counts = rows.batch(events, g)
    pitch, length = (cost[counts].mean() for cost in nats(model, features, pitches, lengths))
    value = pitch + length
    return value, {"loss": value.item(), "pitch": pitch.item(), "length": length.item()}


@torch.no_grad()
def per_note(model: Composer, rows: Sequence[Row]) -> float:
    """Nats per note of whole pieces; rests cost too, but do not count as notes."""
    total = 0.0
    for row in rows:
        features = row.features.long()[None]
        features[..., COLUMNS["ahead"]] = NONE
        costs = nats(model, features, row.pitches.long()[None], row.lengths.long()[None])
        total += sum(cost.sum().item() for cost in costs)
    return total / sum(row.notes for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what training.music_data wrote (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="where the checkpoint and the exported model go")
    parser.add_argument("--install", type=Path, metavar="FOLDER", help="only copy the exported model there")
    parser.add_argument("--steps", type=int, default=4_000)
    parser.add_argument("--cooldown", type=int, default=400)
    parser.add_argument("--events", type=int, default=4_096, help="in a batch")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--save-every", type=int, default=40)
    parser.add_argument("--look-every", type=int, default=100, help="steps between looks at withheld pieces")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    if args.install:
        args.install.mkdir(parents=True, exist_ok=True)
        for name in (CONFIG, WEIGHTS):
            shutil.copyfile(args.out / "export" / name, args.install / name)
        return
    torch.set_num_threads(args.threads)
    write_pid(args.out)
    torch.manual_seed(0)
    pieces = load(args.data)
    model = Composer(Size(width=args.width, layers=args.layers))
    learned = [row_of(each) for piece in pieces if not piece.withheld for each in (piece, *fewer(piece))]
    withheld = [row_of(piece) for piece in pieces if piece.withheld][::4]
    rows = Rows(learned, model.size.window)
    opts = optimisers(model, decay=0.01, outside=("enter", "leave", "chosen"))
    average = Average(model, span=200)
    run = Run(args.steps, lr=args.lr, warmup=30, cooldown=args.cooldown)
    start = resume(args.out / "checkpoint", model, average, opts) if args.resume else 0
    events = int(np.sum([len(row.features) for row in learned]))
    print(
        f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters, {len(learned)} pieces, {events} events"
    )
    print(f"{len(withheld)} withheld pieces to look at; from step {start}", flush=True)

    def loss(g: Generator) -> tuple[Tensor, dict[str, float]]:
        return loss_of(model, rows, args.events, g)

    for step in log(training(model, opts, loss, run, start), every=10, batch=args.events):
        average.update(model, step.number)
        if step.number % args.look_every == 0 or step.number == args.steps:
            print(f"withheld: {per_note(average.model, withheld):.4f} nats per note", flush=True)
        if step.number % args.save_every == 0 or step.number == args.steps:
            save(args.out / "checkpoint", model, average, opts, step.number)
            export(average.model, args.out / "export")


if __name__ == "__main__":
    main()
