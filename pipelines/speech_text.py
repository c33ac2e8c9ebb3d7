"""A text in pieces that are spoken one after another: the first one short, so that it is heard soon.

A piece is as long as can be made while those before it are heard, so that nobody waits for it; few and long ones are
made faster, since the model adds silence to each. They end where one would pause: at a sentence, else at a comma, else
between words. They are pieces of the text as it was written, for the captions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipelines.speech_voices import Language
from pipelines.speech_words import ends_in_abbreviation

MOST_FIRST = 34  # characters of the first piece: a second of work
MOST = 140  # of any: nine seconds of speech, since others wait for their turn
FULL = 100  # up to so many, whole sentences share a piece
LEAST = 24  # shorter sentences are spoken with their neighbours: alone they sound hurried or drawn out

# How two slow cores were seen to speak. The machine at hand is not asked: a text has the same pieces everywhere.
CHARACTERS_PER_S = 18  # said
SILENCE_S = 0.3  # around what is said in each piece, made and then cut away
MADE_PER_S = 1.7  # seconds of sound, with that silence

SENTENCE_END = re.compile(r"[.!?…।॥]+[\"'”’»)\]]*(?=\s)")
CLAUSE_END = re.compile(r"[,;:—–][\"'”’»)\]]*(?=\s)|\s(?=[—–(]\s?)")
WORD_END = re.compile(r"(?<!\.)(?=\s)")
JOINTS = (  # words before which a sentence can be cut with the least harm
    "and or but that which who when while because if in on at with for from to of than "
    "y o pero que cuando porque si en con por para de et ou mais qui quand parce dans avec pour sur "
    "e ma che quando perché con per di da mas porque em com que और या लेकिन कि जब क्योंकि"
)
JOINT = re.compile(rf"(?=\s(?:{'|'.join(dict.fromkeys(JOINTS.split()))})\s)")
LINE = re.compile(r"^\s*(?P<name>[^\W\d_][^:\n]{0,39}?)\s*:\s+(?P<words>\S.*)$")

PAUSE = re.compile(r"\[ *pause(?: +(?P<seconds>\d{1,3}(?:[.,]\d{1,2})?) *(?:s|sec|seconds?)?)? *\]", re.IGNORECASE)

PARAGRAPH_PAUSE, SPEAKER_PAUSE, SENTENCE_PAUSE, CLAUSE_PAUSE = 0.6, 0.45, 0.32, 0.12  # seconds, at speed 1
ASKED_PAUSE, LONGEST_PAUSE = 1.0, 10.0  # of a mark without a number, and of any
MOST_PAUSES = 600.0  # of all marks together: silence is written fast, and takes as much memory as speech


@dataclass(frozen=True)
class Piece:
    """What is spoken in one go, who says it ("" if nobody is named), and the pause after it, in seconds."""

    text: str
    pause: float = 0.0
    speaker: str = ""


def pieces(text: str, language: Language, names: Sequence[str] = ()) -> list[Piece]:
    """The whole text in order. With `names`, lines that begin with one of them and a colon change the speaker.

    “[pause]” or “[pause 2.5 s]” waits so long, and is not spoken.
    """
    made: list[Piece] = []
    lead, left = _Lead(), MOST_PAUSES
    for name, words in _turns(text, names):
        if made:
            usual = SPEAKER_PAUSE if name != made[-1].speaker else PARAGRAPH_PAUSE
            made[-1] = replace(made[-1], pause=max(usual, made[-1].pause))
        for said, asked in _marked(words):
            for part in _parts(said, language, lead):
                made.append(Piece(part, _pause_after(part), name))
            if made and asked:
                made[-1] = replace(made[-1], pause=max(made[-1].pause, min(asked, left)))
                left = max(0.0, left - asked)
    return [*made[:-1], replace(made[-1], pause=0.0)] if made else []


def longer(made: Sequence[Piece], least: int) -> list[Piece]:
    """The same text in pieces of at least so many characters, as far as one speaker goes on and none becomes too long.

    For models that sound odd where they have little to say.
    """
    joined: list[Piece] = []
    for piece in made:
        last = joined[-1] if joined else None
        text = f"{last.text} {piece.text}" if last else ""
        near = last is not None and last.speaker == piece.speaker and last.pause <= PARAGRAPH_PAUSE
        if last and near and len(last.text) < least and len(text) <= MOST:
            joined[-1] = replace(piece, text=text)
        else:
            joined.append(piece)
    return joined


def speakers(text: str) -> list[str]:
    """The names that lines of a script begin with, in order of appearance."""
    found = (LINE.match(line) for line in text.splitlines())
    return list(dict.fromkeys(line["name"] for line in found if line))


def _turns(text: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Who says what: paragraphs, or the lines of a script. Lines without a name go on as the one before."""
    speaker = ""
    waiting: list[str] = []
    for line in [*text.splitlines(), ""]:
        found = LINE.match(line)
        named = found is not None and found["name"] in names
        ended = bool(waiting) and waiting[-1].rstrip()[-1:] in ".!?…।:"
        if waiting and (named or ended or not line.strip()):
            yield speaker, " ".join(" ".join(waiting).split())
            waiting = []
        if found is not None and named:
            speaker, line = found["name"], found["words"]
        if line.strip():
            waiting.append(line)


def _marked(words: str) -> Iterator[tuple[str, float]]:
    """What stands between pauses that are asked for, and the seconds of the pause after it."""
    start = 0
    for mark in PAUSE.finditer(words):
        seconds = float(mark["seconds"].replace(",", ".")) if mark["seconds"] else ASKED_PAUSE
        yield words[start : mark.start()].strip(), min(seconds, LONGEST_PAUSE)
        start = mark.end()
    yield words[start:].strip(), 0.0


class _Lead:
    """How far the speaker is ahead of who listens, on such cores; nothing is heard before the first piece is made."""

    def __init__(self) -> None:
        self._seconds: float | None = None

    @property
    def first(self) -> bool:
        """Whether nothing has been made yet."""
        return self._seconds is None

    def most(self) -> int:
        """Characters of the longest piece that can be made before those there are have been heard."""
        if self._seconds is None:
            return MOST_FIRST
        return min(MOST, max(MOST_FIRST, int((self._seconds * MADE_PER_S - SILENCE_S) * CHARACTERS_PER_S)))

    def add(self, part: str) -> None:
        """Take in that this piece is made and put behind the others."""
        said = len(part) / CHARACTERS_PER_S
        left = 0.0 if self._seconds is None else self._seconds - (said + SILENCE_S) / MADE_PER_S
        self._seconds = max(0.0, left) + said + _pause_after(part)


def _parts(text: str, language: Language, lead: _Lead) -> Iterator[str]:
    """One paragraph in pieces."""
    sentences = list(_sentences(text, language))
    while sentences:
        most = lead.most()
        part = sentences.pop(0)
        shared = 0 if lead.first else min(most, FULL)
        while sentences and len(part) + 1 + len(sentences[0]) <= (most if len(part) < LEAST else shared):
            part += " " + sentences.pop(0)
        if len(part) > most:
            part, rest = _cut(part, most, first=lead.first)
            sentences.insert(0, rest)
        lead.add(part)
        yield part


def _sentences(text: str, language: Language) -> Iterator[str]:
    start = 0
    for found in SENTENCE_END.finditer(text):
        sentence = text[start : found.end()]
        rest = text[found.end() :]
        goes_on = rest.lstrip()[:1].islower() or ends_in_abbreviation(sentence, language, rest)
        if found[0].startswith(".") and len(found[0]) == 1 and goes_on:
            continue
        yield sentence.strip()
        start = found.end()
    if rest := text[start:].strip():
        yield rest


def _cut(text: str, most: int, first: bool) -> tuple[str, str]:
    """A head of at most so many characters, and the rest: cut at a clause if there is one, else between words.

    The first piece ends as early as it may, the others near the middle: a short rest would sound lost.
    """
    wanted = LEAST if first else len(text) / 2
    for boundary in (CLAUSE_END, JOINT, WORD_END):
        ends = [found.end() for found in boundary.finditer(text, 1, most + 1) if 8 <= found.end() <= most]
        if ends:
            end = min(ends, key=lambda end: abs(end - wanted))
            return text[:end].strip(), text[end:].strip()
    return text[:most], text[most:]


def _pause_after(text: str) -> float:
    last = text.rstrip("\"'”’»)]")[-1:]
    if last in ".!?…।॥":
        return SENTENCE_PAUSE
    return CLAUSE_PAUSE if last in ",;:—–" else 0.0
