"""A voice matched: which blend of two stock voices comes nearest to the speaker of a recording.

Nothing is learned from the recording and nothing of it is kept: it is compared. The stock voices' own numbers lie
beside them (training/speakers.py made them); a blend is taken to lie between its two, which is how it is searched for,
and then it speaks, so that what is told of its likeness has been heard, not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from pipelines import sound_in, speech, speech_speaker
from pipelines.events import Audio, Emit, Progress
from pipelines.spec import validate
from pipelines.speech import SpeechPipeline
from pipelines.speech_match_request import LEAST_SECONDS, MOST_SECONDS, MatchRequest
from pipelines.speech_request import SpeechRequest
from pipelines.speech_speaker import SpeakerEncoder

SAMPLE = (  # in English, whatever the voices' own languages are
    "This is the nearest that two stock voices come to the recording. Nobody was copied: it is a blend, found by ear, "
    "and it can read whatever you write."
)
SHARES = tuple(share / 20 for share in range(1, 20))
WORTH = 0.005  # a second voice must bring it so much nearer

Speaker = NDArray[np.float32]


@dataclass(frozen=True)
class Match:
    """A blend, and how like the recording it should be: the cosine."""

    voice: str
    voice_b: str
    blend: float
    likeness: float


class MatchPipeline:
    """A speech model, an encoder of speakers, and where the stock voices lie."""

    def __init__(self, voices: SpeechPipeline, encoder: SpeakerEncoder, stock: Mapping[str, Speaker]) -> None:
        self._voices = voices
        self._encoder = encoder
        self._stock = stock

    def run(self, request: MatchRequest, emit: Emit) -> Audio:
        """Find the blend and let it speak. The artifact's settings are the blend, and likeness before and after."""
        assert request.recording is not None
        listening = Progress(label="Listening to the recording")
        emit(listening)
        heard = sound_in.read_speech(request.recording, "recording", LEAST_SECONDS, MOST_SECONDS).samples
        wanted = self._encoder.embed(heard.mean(axis=1), sound_in.RATE, lambda: emit(listening))
        single, best = nearest_voice(wanted, self._stock), nearest(wanted, self._stock)
        found = {"voice": best.voice, "voice_b": best.voice_b, "blend": best.blend, "language": "en-us"}
        spoken = self._voices.run(validate(SpeechRequest, {"text": SAMPLE, **found}), emit)
        after = self._encoder.embed((spoken.samples / 32768).astype(np.float32), spoken.rate, lambda: emit(listening))
        likeness = {"nearest": single.voice, "before": single.likeness, "after": float(after @ wanted)}
        return replace(spoken, settings=found | likeness)


def nearest_voice(wanted: Speaker, stock: Mapping[str, Speaker]) -> Match:
    """The stock voice that is most like the speaker."""
    voice = max(stock, key=lambda id: float(stock[id] @ wanted))
    return Match(voice, "", 0.5, float(stock[voice] @ wanted))


def nearest(wanted: Speaker, stock: Mapping[str, Speaker]) -> Match:
    """The blend that should be most like the speaker, or a single voice where a second adds nothing."""
    single = nearest_voice(wanted, stock)
    blends = [
        Match(a, b, share, float(_between(stock[a], stock[b], share) @ wanted))
        for a, b in combinations(stock, 2)
        for share in SHARES
    ]
    best = max(blends, key=lambda match: match.likeness, default=single)
    return best if best.likeness > single.likeness + WORTH else single


def _between(a: Speaker, b: Speaker, share: float) -> Speaker:
    mixed = (1 - share) * a + share * b
    return np.asarray(mixed / np.linalg.norm(mixed), np.float32)


def load(path: Path) -> MatchPipeline:
    """From a folder with the folders `model` and `voices` of the speech model, and `speaker`."""
    stock = load_file(path / "voices" / "speakers.safetensors")
    return MatchPipeline(speech.load(path), speech_speaker.load(path / "speaker"), stock)
