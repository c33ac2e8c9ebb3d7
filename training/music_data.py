"""The scores that the built-in composer learns from, out of music21's corpus (training/requirements.txt has music21).

    python -m training.music_data [--corpus FOLDER] [--out FOLDER]

Used is what has no terms of its own beyond the corpus's: four books of tunes and Bach's chorales. Left out are
Palestrina (rights to derivative formats reserved), the Essen folk songs (non-commercial), Josquin (GPL), the Trecento
and Monteverdi (copied from editions under copyright, or CC-BY-SA), and what is only a handful of pieces.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import music21

from pipelines.music_styles import STYLES
from training import music_abc, music_chorales
from training.music_pieces import FOLDER, LeftOut, Piece, checked, families, store


def read(corpus: Path, left_out: Counter[str]) -> Iterator[Piece]:
    """Every piece that can be learned from; the others are counted by their reason."""
    for name, text in music_abc.tunes(corpus):
        try:
            title, score, paced = music_abc.score_of(name, text)
            yield Piece(name, title, checked(score), paced)
        except LeftOut as reason:
            left_out[f"{name.split('/')[0]}: {reason}"] += 1
    for file in music_chorales.files(corpus):
        try:
            score = checked(music_chorales.score_of(file))
            yield Piece(f"bach/{file.stem}", f"BWV {file.stem.removeprefix('bwv')}", score, False)
        except LeftOut as reason:
            left_out[f"bach: {reason}"] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="music21's corpus folder (default: that of the installed package)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="(%(default)s)")
    args = parser.parse_args()
    corpus = args.corpus or Path(music21.__file__).parent / "corpus"
    left_out: Counter[str] = Counter()
    found = list(read(corpus, left_out))
    pieces = families(found)
    left_out["equal to another"] = len(found) - len(pieces)
    store(pieces, left_out, args.out)
    sizes = Counter(piece.family for piece in pieces)
    for style in STYLES:
        of_style = [piece for piece in pieces if piece.score.head.style == style]
        notes = sum(len(piece.score.notes) for piece in of_style)
        print(f"{style}: {len(of_style)} pieces, {notes} notes, {sum(p.withheld for p in of_style)} withheld")
    print(f"{len(pieces)} pieces in {len(sizes)} families, the largest of {max(sizes.values())}; left out:")
    for reason, count in sorted(left_out.items()):
        print(f"  {count} {reason}")


if __name__ == "__main__":
    main()
