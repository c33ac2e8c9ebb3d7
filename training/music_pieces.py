"""Pieces to learn from: which can be, which belong together, and how they are kept.

Pieces that share much of their melody (runs of eight intervals) are one family, whatever they are called and whichever
key they are in; a family is learned from or withheld as a whole. Of equal pieces one is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from pipelines.music_score import Head, Note, Score
from pipelines.music_styles import STYLES
from pipelines.music_tokens import LENGTHS, bars_of, on_grid, voice_events

FOLDER = Path.home() / ".cache/polymuse/training/music"
WITHHELD = 20  # of 256 families
RUN, SHARED = 8, 0.3  # intervals of a run; the share of common runs that makes a family
FEWEST_BARS, MOST_BARS = 4, 96


class LeftOut(Exception):
    """Why a piece is not learned from."""


@dataclass(frozen=True)
class Piece:
    name: str  # collection/file#number
    title: str
    score: Score
    paced: bool  # whether it says how fast it goes
    family: str = ""

    @property
    def withheld(self) -> bool:
        return hashlib.sha256(self.family.encode()).digest()[0] < WITHHELD


def checked(score: Score) -> Score:
    """The same score, if it can be written in tokens."""
    head = score.head
    if head.metre not in STYLES[head.style].metres:
        raise LeftOut("a metre that its style hardly has")
    bars, upbeat = bars_of(score)
    if not FEWEST_BARS <= bars <= MOST_BARS:
        raise LeftOut("length")
    ranges = STYLES[head.style].ranges
    if any(not ranges[note.voice][0] <= note.pitch <= ranges[note.voice][1] for note in score.notes):
        raise LeftOut("range")
    for voice in range(len(ranges)):
        time = 0
        for event in voice_events((note for note in score.notes if note.voice == voice), (bars + upbeat) * head.bar):
            if event.length not in LENGTHS or not on_grid(time, event.length):
                raise LeftOut("lengths that are no tokens")
            time += event.length
    return score


def melody(score: Score) -> list[Note]:
    return [note for note in score.notes if note.voice == 0]


def runs(score: Score) -> set[tuple[int, ...]]:
    """Runs of intervals of the melody; repeated notes count once."""
    pitches = [note.pitch for note in melody(score)]
    steps = [b - a for a, b in pairwise(pitches) if a != b]
    return {tuple(steps[i : i + RUN]) for i in range(len(steps) - RUN + 1)}


def families(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with their families, without those that are equal to one before."""
    distinct: dict[Any, Piece] = {}
    for piece in pieces:
        first = piece.score.notes[0].pitch
        key = tuple((note.start, note.voice, note.pitch - first, note.length) for note in piece.score.notes)
        distinct.setdefault((piece.score.head.metre, key), piece)
    kept = list(distinct.values())
    parent = list(range(len(kept)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    holders: dict[tuple[int, ...], list[int]] = defaultdict(list)
    own = [runs(piece.score) for piece in kept]
    for i, found in enumerate(own):
        common = Counter(j for run in found for j in holders[run])
        for j, count in common.items():
            if count >= SHARED * min(len(found), len(own[j])):
                parent[root(i)] = root(j)
        for run in found:
            holders[run].append(i)
    return [
        Piece(piece.name, piece.title, piece.score, piece.paced, kept[root(i)].name) for i, piece in enumerate(kept)
    ]


def store(pieces: Sequence[Piece], left_out: Counter[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [[note.start, note.voice, note.pitch, note.length] for piece in pieces for note in piece.score.notes]
    ends = np.cumsum([len(piece.score.notes) for piece in pieces])
    save_file({"notes": np.array(rows, np.int32), "ends": ends.astype(np.int64)}, folder / "scores.safetensors")
    records = [
        {
            "name": piece.name,
            "title": piece.title,
            "family": piece.family,
            "paced": piece.paced,
            "head": asdict(piece.score.head),
        }
        for piece in pieces
    ]
    document = {"pieces": records, "left_out": dict(left_out)}
    (folder / "scores.json").write_text(json.dumps(document, indent=1, ensure_ascii=False), "utf-8")


def load(folder: Path = FOLDER) -> list[Piece]:
    if not (folder / "scores.json").exists():
        raise SystemExit(f"No scores in {folder}: run python -m training.music_data --out {folder}")
    records = json.loads((folder / "scores.json").read_text("utf-8"))["pieces"]
    arrays = load_file(folder / "scores.safetensors")
    starts = [0, *arrays["ends"].tolist()]
    rows = arrays["notes"].tolist()
    return [_piece(record, rows[begin:end]) for record, (begin, end) in zip(records, pairwise(starts), strict=True)]


def _piece(record: dict[str, Any], rows: Iterable[list[int]]) -> Piece:
    said = dict(record["head"])
    said["metre"], said["instruments"] = tuple(said["metre"]), tuple(said["instruments"])
    score = Score(Head(**said), tuple(Note(*row) for row in rows))
    return Piece(record["name"], record["title"], score, record["paced"], record["family"])
