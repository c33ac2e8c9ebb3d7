"""How soon a text is heard and how fast it is spoken, against kokoro-onnx called plainly with the same weights.

    python -m benchmarks.speech [--runs 3] [--listen]

Both speak the same 60 words in the same voice, in turn; ratios are taken pair by pair, which cancels slow changes of
the machine's load, and their median is reported. kokoro-onnx makes the whole before anything is heard. Ours makes
pieces: `first sound` is the time to the end of the first, and `gaps at joins` how long a listener would wait in all
for pieces that are not ready when the one before ends; it is 0 where pieces are made faster than they are heard. `step
at joins` is the largest jump from one sample to the next around a join, of 32,768: a click would be hundreds. --listen
has whisper-base write down forty sentences of each English voice too (see benchmarks.speech_listen).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import speech_listen
from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from pipelines import speech
from pipelines.convert import Concatenate
from pipelines.device import detect
from pipelines.events import Audio, Sound, Update
from pipelines.speech import RATE, SpeechPipeline
from pipelines.speech_catalog import KOKORO, KOKORO_PARTS, speech_models
from pipelines.speech_request import SpeechRequest
from pipelines.weights import Store

VOICE, WHOLE = "af_heart", "model.onnx"
TEXT = (
    "The lighthouse had been dark for thirty years. Then, one night in October, the lamp began to turn again, slowly, "
    "as if it were waking up. Nobody in the village said a word, but every window along the harbour had a face in it. "
    "In the morning the door stood open, the stairs were dry, and somebody had lit the stove."
)
FIRST_SOUND_S, THROUGHPUT, MOST_GAPS_MS, MOST_STEP = 1.5, 1.0, 0.0, 100


class Plain:
    """kokoro-onnx as its own example calls it, with the file as it was published."""

    def __init__(self, model: Path, folder: Path, workplace: Path) -> None:
        from kokoro_onnx import Kokoro
        from safetensors.numpy import load_file

        voices = workplace / "voices.npz"
        tables = load_file(folder / "voices" / "voices.safetensors")
        np.savez(voices, **{name: table[:, None] for name, table in tables.items()})  # type: ignore[arg-type]
        self._kokoro = Kokoro(str(model / WHOLE), str(voices))

    def speak(self, text: str) -> tuple[float, float]:
        """Seconds that it took, and seconds of sound."""
        began = time.perf_counter()
        samples, rate = self._kokoro.create(text, VOICE)
        return time.perf_counter() - began, len(samples) / rate


class Listener:
    """An emit() that notes when each piece came, and how long somebody who listens would have waited."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.first = 0.0
        self.waited = 0.0
        self._heard_until = 0.0

    def __call__(self, update: Update) -> None:
        if not isinstance(update, Sound):
            return
        now = time.perf_counter() - self.began
        if not self.first:
            self.first = self._heard_until = now
        self.waited += max(0.0, now - self._heard_until)
        self._heard_until = max(now, self._heard_until) + len(update.samples) / update.rate


def ours(pipeline: SpeechPipeline, text: str) -> dict[str, float]:
    """What it took to speak the text, piece by piece."""
    listener = Listener()
    audio = pipeline.run(SpeechRequest(text=text, voice=VOICE), listener)
    took, length = time.perf_counter() - listener.began, len(audio.samples) / RATE
    return {
        "seconds": took,
        "speech_s": length,
        "first_sound_s": listener.first,
        "gaps_ms": 1000 * listener.waited,
        "step_at_joins": step_at_joins(audio),
    }


def step_at_joins(audio: Audio) -> float:
    """The largest jump between neighbouring samples within a millisecond of where a piece begins or ends."""
    samples, near = audio.samples.astype(int), RATE // 1000
    edges = [round(edge * RATE) for caption in audio.captions for edge in (caption.start, caption.end)]
    around = (samples[max(0, edge - near) : edge + near] for edge in edges)
    return float(max(np.abs(np.diff(cut)).max() for cut in around))


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speech", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="counted readings of each (%(default)s)")
    parser.add_argument("--text", default=TEXT, help="what is said (60 words)")
    parser.add_argument("--listen", action="store_true", help="how well it is understood, too; wants ctranslate2")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    watch = Watch(options.calm)
    (model, *_) = speech_models(detect("cpu"))
    store = Store()
    folder = store.fetch(model.weights, lambda update: None).path
    published = store.fetch(replace(KOKORO, convert=Concatenate(KOKORO_PARTS, WHOLE)), lambda update: None).path
    pipeline = speech.load(folder)
    with tempfile.TemporaryDirectory() as workplace:
        plain = Plain(published, folder, Path(workplace))
        pipeline.run(SpeechRequest(text="Ready."), lambda update: None)  # both warm up, on little
        plain.speak("Ready.")
        rows = []
        for _ in range(options.runs):
            rows.append(watch.measure(lambda: pair(pipeline, plain, options.text)))
            print(", ".join(f"{name} {value:.2f}" for name, value in rows[-1].items()))
    heard = (
        speech_listen.rates(pipeline, speech_listen.listener(), speech_listen.english(), watch)
        if options.listen
        else {}
    )
    report(rows, heard, len(options.text.split()), watch)


def pair(pipeline: SpeechPipeline, plain: Plain, text: str) -> dict[str, float]:
    """Both, one after the other."""
    row = ours(pipeline, text)
    row["plain_seconds"], row["plain_speech_s"] = plain.speak(text)
    row["throughput"] = row["plain_seconds"] / row["seconds"]
    return row


def report(rows: Sequence[dict[str, float]], heard: dict[str, float], words: int, watch: Watch) -> None:
    numbers: dict[str, Any] = {name: Sample.of(row[name] for row in rows) for name in rows[0]}
    numbers["speech_per_second"] = Sample.of(row["speech_s"] / row["seconds"] for row in rows)
    numbers["plain_speech_per_second"] = Sample.of(row["plain_speech_s"] / row["plain_seconds"] for row in rows)
    lines = [
        ("first sound", numbers["first_sound_s"].text("s"), numbers["plain_seconds"].text("s")),
        ("the whole text", numbers["seconds"].text("s"), numbers["plain_seconds"].text("s")),
        (
            "seconds of speech in a second",
            numbers["speech_per_second"].text(),
            numbers["plain_speech_per_second"].text(),
        ),
        ("throughput for this text", numbers["throughput"].text(), "1"),
        ("gaps at joins", numbers["gaps_ms"].text("ms", digits=0), ""),
        ("step at joins, of 32,768", numbers["step_at_joins"].text(digits=0), ""),
    ]
    goals = [
        Goal("first sound, s", numbers["first_sound_s"].median, FIRST_SOUND_S),
        Goal("throughput of kokoro-onnx's", numbers["throughput"].median, THROUGHPUT, at_least=True),
        Goal("gaps at joins, ms", numbers["gaps_ms"].median, MOST_GAPS_MS),
        Goal("step at joins", numbers["step_at_joins"].high, MOST_STEP),
    ]
    print(f"\n{words} words, {len(rows)} readings of each in turn; median (lowest to highest)\n")
    goals += speech_listen.goals(heard)
    print(table(("", "ours", "kokoro-onnx"), lines))
    finish("speech", {"runs": len(rows), "words": words, **numbers, "word_error_rate": heard}, goals, watch)


if __name__ == "__main__":
    main()
