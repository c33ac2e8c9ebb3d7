"""Speech with Kokoro: text to phonemes by espeak, phonemes and a voice's style vector to sound, piece by piece.

kokoro-onnx brings the phonemes. The network is run by sessions of our own, in two halves (speech_convert.py): the
reader says how loud each frame will be, and frames that are silent around a piece never reach the voice.

Threads that wait for one another spin for a moment only, and then sleep where others compute too. Measured on two
cores, a piece takes 5 % longer where they never spin, and a sixth more processor time where they always do.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines import speech_text
from pipelines.errors import BadRequest
from pipelines.events import Audio, Cancelled, Caption, Emit, Progress, Sound
from pipelines.interrupt import on_stop
from pipelines.speech_convert import FRAMES, READER, VOICE
from pipelines.speech_joins import Tape, pcm, trimmed
from pipelines.speech_request import SpeechRequest
from pipelines.speech_voices import LANGUAGE_TITLES, VOICES, Language
from pipelines.speech_words import spoken

if TYPE_CHECKING:
    from kokoro_onnx.tokenizer import Tokenizer
    from onnxruntime import InferenceSession

RATE = 24_000
MOST_PHONEMES = 300  # of one go; the model takes 510, but its memory grows with the sound: 20 MB for a second
MOST_S = 0.2  # of speech and pauses for a character, at speed 1, but for rare texts: English takes 0.06
MOST_THREADS = 4
SPIN_US = 100  # most gaps between two steps of the network are shorter
QUIET = -6.0  # the reader's loudness of a frame that is 55 dB below speech; silence is at -9
MARGIN = 4  # quiet frames of 25 ms that the voice is given before and after the others: it hears a little around each

FLAG = re.compile(r"\((?:en|es|fr|hi|it|pt)[a-z]*\)")
"""Where espeak takes a word for one of another language: (en) before it. The network would say “e n”."""

Style = NDArray[np.float32]


class SpeechPipeline:
    """A loaded model. `voices` are tables of style vectors (length, 256): one for each number of phonemes."""

    def __init__(
        self, reader: InferenceSession, voice: InferenceSession, tokenizer: Tokenizer, voices: dict[str, Style]
    ) -> None:
        self._reader = reader
        self._speaker = voice
        self._tokenizer = tokenizer
        self._voices = voices

    def run(self, request: SpeechRequest, emit: Emit) -> Audio:
        """Speak. Emits one Sound for each piece of the text; joined they are the result.

        Raises BadRequest where the language has no sounds for anything in the text.
        """
        voices = {"": request.voice} | {speaker.name: speaker.voice for speaker in request.speakers}
        names = [name for name in voices if name]
        pieces = speech_text.pieces(request.text, request.reads_as(request.voice), names)
        tape = Tape(int(len(request.text) * MOST_S / request.speed * RATE))
        captions: list[Caption] = []
        for number, piece in enumerate(pieces):
            emit(Progress(number, len(pieces), "Speaking"))
            language = request.reads_as(voices[piece.speaker])
            style, loudness = self._voice(request, piece.speaker)
            phonemes = self._phonemes(spoken(piece.text, language), language)
            sound = loudness * self._say(phonemes, style, request.speed)
            if not len(sound):
                continue
            start = tape.length
            samples = tape.add(pcm(sound, RATE, piece.pause / request.speed))
            captions.append(Caption(start / RATE, (start + len(sound)) / RATE, piece.text, piece.speaker, phonemes))
            emit(Sound(samples, RATE, captions[-1]))
        if not captions:
            title = LANGUAGE_TITLES[request.reads_as(request.voice)]
            raise BadRequest(f"Nothing in this text can be read in {title}. Write words, or choose another language.")
        return Audio(tape.samples, RATE, tuple(captions))

    def _voice(self, request: SpeechRequest, speaker: str) -> tuple[Style, float]:
        """The styles and the loudness of a speaker; the narrator's may be a blend of two."""
        cast = {one.name: one.voice for one in request.speakers}
        first = cast.get(speaker, request.voice)
        second, share = (request.voice_b, request.blend) if request.voice_b and not speaker else (first, 0.0)
        gain = (1 - share) * VOICES[first].gain_db + share * VOICES[second].gain_db
        return (1 - share) * self._voices[first] + share * self._voices[second], 10 ** (gain / 20)

    def _phonemes(self, text: str, language: Language) -> str:
        """How it is pronounced; empty if there is nothing to say in it."""
        if not any(character.isalnum() for character in text):
            return ""
        return " ".join(FLAG.sub("", self._tokenizer.phonemize(text, language)).split())

    def _say(self, phonemes: str, style: Style, speed: float) -> NDArray[np.float32]:
        """One piece as sound; empty if there is nothing to say in it."""
        sounds = [
            self._sound(some, style, speed) for some in self._tokens(phonemes, int(MOST_PHONEMES * min(1, speed)))
        ]
        return np.concatenate(sounds) if sounds else np.zeros(0, np.float32)

    def _tokens(self, phonemes: str, most: int) -> Iterator[list[int]]:
        """Token ids, in more than one go where figures make many sounds of few characters."""
        from kokoro_onnx.chunker import split_phonemes

        for part in split_phonemes(phonemes, most):
            if tokens := self._tokenizer.tokenize(part):
                yield tokens

    def _sound(self, tokens: list[int], style: Style, speed: float) -> NDArray[np.float32]:
        who = {"style": style[min(len(tokens), len(style)) - 1][None].astype(np.float32)}
        said = {"tokens": np.array([[0, *tokens, 0]], np.int64), "speed": np.array([speed], np.float32)}
        frames = without_silence(*self._computed(self._reader, said | who))
        (sound,) = self._computed(self._speaker, dict(zip(FRAMES, frames, strict=True)) | who)
        return trimmed(np.asarray(sound, np.float32).ravel(), RATE)

    def _computed(self, session: InferenceSession, inputs: dict[str, Any]) -> Any:
        """What this half makes of it. A job that is stopped meanwhile ends here, after some milliseconds."""
        from onnxruntime import RunOptions

        options: Any = RunOptions()

        def stop() -> None:
            options.terminate = True

        with on_stop(stop):
            try:
                return session.run(None, inputs, options)
            except Exception:
                if options.terminate:
                    raise Cancelled from None
                raise


def without_silence(sounds: Style, pitch: Style, loudness: Style) -> tuple[Style, Style, Style]:
    """The frames of a piece, as the reader gives them, without those before and after it in which nothing is heard.

    `sounds` has a column for each frame, the others two values.
    """
    loud = np.flatnonzero(loudness.ravel() > QUIET) // 2
    if not len(loud):
        return sounds, pitch, loudness
    start, end = max(0, int(loud[0]) - MARGIN), int(loud[-1]) + 1 + MARGIN
    return sounds[..., start:end], pitch[..., 2 * start : 2 * end], loudness[..., 2 * start : 2 * end]


def load(path: Path) -> SpeechPipeline:
    """Kokoro from a folder with the folders `model` and `voices`, and perhaps `more` of these."""
    import onnxruntime
    from kokoro_onnx.tokenizer import Tokenizer
    from safetensors.numpy import load_file

    logging.getLogger("phonemizer").setLevel(logging.ERROR)  # it warns of every word that runs into the next
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(os.cpu_count() or 1, MOST_THREADS)
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.spin_duration_us", str(SPIN_US))
    halves = [
        onnxruntime.InferenceSession(path / "model" / name, options, providers=["CPUExecutionProvider"])
        for name in (READER, VOICE)
    ]
    voices = load_file(path / "voices" / "voices.safetensors")
    if (path / "more").exists():
        voices |= load_file(path / "more" / "voices.safetensors")
    return SpeechPipeline(halves[0], halves[1], Tokenizer(), voices)
