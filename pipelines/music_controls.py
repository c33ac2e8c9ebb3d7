"""From a prompt to the head of a piece: what it says exactly is read, the rest is found by nearest meaning.

The sentence encoder compares the prompt with a description of each style, with how major and minor sound, and its
phrases with the names of instruments. What nothing speaks for is left to the seed. Every choice is made by itself, so
a request in which the other choices are written out makes it again: a recipe repeats its piece.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipelines import music_instruments, music_words
from pipelines.errors import BadRequest
from pipelines.music_instruments import NAMES, PLAYABLE
from pipelines.music_melody import Melody
from pipelines.music_request import FASTEST, MOST_BARS, MOST_PLAYERS, SLOWEST, MusicRequest
from pipelines.music_score import Head, Mode
from pipelines.music_styles import STYLES, Metre, Style

Meaning = NDArray[np.float32]
Embed = Callable[[list[str]], Meaning]
"""One unit vector for each text: texts of like meaning lie close."""

T = TypeVar("T")

MOODS: dict[Mode, str] = {
    "major": "happy, bright, cheerful, joyful music in a major key",
    "minor": "sad, dark, melancholy, mournful music in a minor key",
}
MODES = tuple(MOODS)
TONICS: dict[Mode, tuple[int, ...]] = {"major": (7, 2, 0, 5, 9, 10), "minor": (9, 4, 2, 7, 11, 0)}  # the usual first
LIKE: dict[str, tuple[str, ...]] = {  # besides its description
    "chorale": ("a Christmas carol", "a funeral", "a prayer in church", "a string quartet"),
    "air": ("a calm folk tune", "a slow piece for one instrument", "something to fall asleep to", "a rainy evening"),
    "jig": ("a cheerful tune", "children skipping"),
    "reel": ("a party all night long", "running fast", "techno"),
    "march": ("a wedding procession", "a fanfare"),
    "strathspey": ("the Scottish highlands", "a proud clan"),
}
SLOW = 120  # styles up to here are slow ones, for who asks for something slow
MEANS_IT = 0.62  # cosine from which a phrase is taken for an instrument's name
COUNTS = {"two": 2, "three": 3, "four": 4}
STYLE_WORDS = {  # that mean a style, though they are not its title
    "hymn": "chorale",
    "fugue": "chorale",
    "bach": "chorale",
    "four voices": "chorale",
    "lullaby": "air",
    "ballad": "air",
    "lament": "air",
    "quickstep": "march",
    "fling": "strathspey",
}


@dataclass(frozen=True)
class Chosen:
    """What is going to be composed: `head` has an instrument for each player, of whom `voices` play parts of their
    own; the others double the first."""

    head: Head
    bars: int
    voices: int

    @property
    def settings(self) -> dict[str, object]:
        """The choices as fields of a request."""
        head = self.head
        return {
            "style": head.style,
            "key": head.key,
            "metre": f"{head.metre[0]}/{head.metre[1]}",
            "tempo": head.tempo,
            "bars": self.bars,
            "instruments": [NAMES[one] for one in head.instruments],
        }


class Chooser:
    """Chooses by meaning. Comparing with what there is to choose from needs its vectors once."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        phrases = {style.id: [style.title, *re.split("[;,] ", style.description)] for style in STYLES.values()}
        phrases = {name: [*own, *LIKE.get(name, ())] for name, own in phrases.items()}
        self._phrases_of = [name for name, own in phrases.items() for _ in own]
        self._phrases = embed([phrase for own in phrases.values() for phrase in own])
        self._moods = embed(list(MOODS.values()))
        self._instruments = embed([NAMES[number] for number in PLAYABLE])

    def choose(self, request: MusicRequest, melody: Melody | None = None) -> Chosen:
        """Raises BadRequest where the prompt asks for what there is not, or contradicts the melody."""
        prompt = " ".join(request.prompt.split())
        try:
            wanted = music_words.metre(request.metre or prompt)
            key = music_words.key_named(request.key) if request.key else music_words.key(prompt)
        except ValueError as problem:
            raise BadRequest(f"In the prompt: {problem}.") from None
        harmonise = melody is not None and request.melody_use == "harmonise"
        meaning = self._embed([prompt])[0] if prompt else None
        players = music_instruments.players(request.instruments) or self._players(prompt)
        style = self._style(request, prompt, meaning, wanted, harmonise)
        mode, tonic = self._key(request.seed, prompt, meaning, key, melody)
        metre = melody.metre if melody else wanted or _drawn(style.metres, request.seed, "metre")
        players, voices = _band(style, players, request.seed, harmonise)
        tempo = request.tempo or _tempo(prompt, style, melody)
        head = Head(style.id, tonic, mode, metre, tempo, players)
        return Chosen(head, _bars(request, prompt, style, melody), voices)

    def _style(
        self, request: MusicRequest, prompt: str, meaning: Meaning | None, metre: Metre | None, harmonise: bool
    ) -> Style:
        """By the field, by a word that means it, or by meaning among those of that metre and pace."""
        if request.style and (not harmonise or 4 in STYLES[request.style].voices):
            return STYLES[request.style]
        fit = [style for style in STYLES.values() if 4 in style.voices or not harmonise]
        fit = [style for style in fit if metre is None or metre in style.metres] or fit
        words = {style.title.lower(): style.id for style in sorted(fit, key=lambda one: -len(one.title))}
        for word, name in (words | STYLE_WORDS).items():
            if re.search(rf"\b{word}s?\b", prompt, re.IGNORECASE) and STYLES[name] in fit:
                return STYLES[name]
        pace = music_words.pace(prompt)
        fit = [style for style in fit if pace == 1 or (style.tempo <= SLOW) == (pace < 1)] or fit
        if meaning is None:
            return _drawn(fit, request.seed, "style")
        scores: dict[str, float] = {}
        for name, score in zip(self._phrases_of, self._phrases @ meaning, strict=True):
            scores[name] = max(float(score), scores.get(name, -1.0))
        return max(fit, key=lambda style: scores[style.id])

    def _key(
        self, seed: int, prompt: str, meaning: Meaning | None, key: tuple[int, Mode] | None, melody: Melody | None
    ) -> tuple[Mode, int]:
        if melody is not None:
            return melody.mode, melody.tonic
        if key is not None:
            return key[1], key[0]
        by_mood = _drawn(MODES, seed, "mode") if meaning is None else MODES[int(np.argmax(self._moods @ meaning))]
        mode = music_words.mode(prompt) or by_mood
        return mode, _drawn(TONICS[mode], seed, "tonic")

    def _players(self, prompt: str) -> tuple[int, ...]:
        """The instruments that a prompt names, in its order; by meaning where it has another word for one."""
        words = re.findall(r"[a-z'-]+", prompt.lower())
        found: dict[int, tuple[int, ...]] = {}
        taken: set[int] = set()
        for count in (3, 2, 1):
            for at in range(len(words) - count + 1):
                here = set(range(at, at + count))
                if not taken & here and (players := _exactly(" ".join(words[at : at + count]))):
                    found[at] = players * (COUNTS.get(words[at - 1], 1) if at else 1)
                    taken |= here
        after = re.search(r"\b(?:for|on|with|by)\b(.*)", prompt.lower())
        if not found and after:
            phrases = [part.strip(" .") for part in re.split(r",|\band\b|\bwith\b", after[1]) if part.strip(" .")]
            scores = self._instruments @ self._embed(phrases[:MOST_PLAYERS]).T if phrases else np.zeros((1, 0))
            found = {at: (int(one.argmax()),) for at, one in enumerate(scores.T) if one.max() >= MEANS_IT}
        return tuple(one for at in sorted(found) for one in found[at])[:MOST_PLAYERS]


def _exactly(phrase: str) -> tuple[int, ...]:
    for form in (phrase, phrase.removesuffix("s"), f"{phrase}s"):
        if players := music_instruments.group(form):
            return players
        one = music_instruments.program(form)
        if one is not None and one in PLAYABLE:
            return (one,)
    return ()


def _band(style: Style, players: tuple[int, ...], seed: int, harmonise: bool) -> tuple[tuple[int, ...], int]:
    """Who plays, and how many of them have a voice of their own."""
    usual = 4 if harmonise else style.voices[0]
    if not players:
        players = _drawn(style.instruments, seed, "instruments")
    if len(players) == 1:
        players *= usual
    if harmonise and len(players) != usual:
        players = tuple(players[min(voice * len(players) // usual, len(players) - 1)] for voice in range(usual))
    return players, max(count for count in style.voices if count <= len(players))


def _tempo(prompt: str, style: Style, melody: Melody | None) -> int:
    said = music_words.tempo(prompt)
    usual = melody.tempo if melody and melody.tempo else style.tempo
    tempo = round(usual * music_words.pace(prompt)) if said is None else said
    if not SLOWEST <= tempo <= FASTEST:
        raise BadRequest(f"The prompt asks for {tempo} quarter notes per minute; {SLOWEST} to {FASTEST} can be had.")
    return tempo


def _bars(request: MusicRequest, prompt: str, style: Style, melody: Melody | None) -> int:
    if melody is not None and request.melody_use == "harmonise":
        return melody.bars
    said = request.bars or music_words.bars(prompt)
    given = melody.bars if melody else 0
    bars = said or min(MOST_BARS, given + style.bars[-1] if given else style.bars[0])
    if bars > MOST_BARS:
        raise BadRequest(f"The prompt asks for {bars} bars; at most {MOST_BARS} can be composed.")
    if bars <= given:
        raise BadRequest(f"“melody” has {given} bars already. Ask for more “bars” than that, or for none.")
    return bars


def _drawn(choices: Sequence[T], seed: int, what: str) -> T:
    """One of them by the seed, the first ones more often; what else is drawn does not matter."""
    weights = [1 / (1 + place) for place in range(len(choices))]
    return Random(f"{what} {seed}").choices(choices, weights)[0]
