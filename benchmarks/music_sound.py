"""How soon music is heard after it was asked for, through the whole pipeline: prompt, composer, synthesiser.

    python -m benchmarks.music_sound [--runs 3]

`first sound` is the time from the request to the first stretch of sound, with the model loaded: the prompt is read,
the instruments' levels are known, the first two beats are written and played. `wait` is how long a listener would
wait in all for stretches that are not ready when the one before ends. `music per second` is how many seconds of music
are composed and played in one. `step at joins` is the largest jump from one sample to the next where two stretches
meet, in parts of the largest anywhere in the piece: a click would be more than 1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from benchmarks.speech import Listener
from pipelines import music
from pipelines.device import detect
from pipelines.events import Sound, Update
from pipelines.music import MusicPipeline
from pipelines.music_catalog import music_models
from pipelines.music_request import MusicRequest
from pipelines.weights import Local, Store, Together

PROMPTS = {
    "chorale": "a solemn chorale for string quartet in D minor, 16 bars",
    "tune": "a calm minor folk tune for flute and guitar, 90 bpm, 16 bars",
}
FIRST_SOUND_S, MOST_WAIT_S, MOST_STEP = 1.5, 0.0, 1.0


def composed(pipeline: MusicPipeline, prompt: str) -> dict[str, float]:
    """What it took to compose and play the piece."""
    listener = Listener()
    lengths: list[int] = []

    def emit(update: Update) -> None:
        listener(update)
        if isinstance(update, Sound):
            lengths.append(len(update.samples))

    piece = pipeline.run(MusicRequest(prompt=prompt, seed=1), emit)
    took = time.perf_counter() - listener.began
    steps = np.abs(np.diff(piece.samples.astype(int), axis=0)).max(axis=1)
    joins = np.cumsum(lengths)[:-1]
    return {
        "first_sound_s": listener.first,
        "seconds": took,
        "music_s": len(piece.samples) / piece.rate,
        "notes": len(piece.score.notes),
        "wait_s": listener.waited,
        "step_at_joins": float(steps[joins - 1].max() / steps.max()),
    }


def loaded(composer: Path | None = None) -> MusicPipeline:
    """The whole pipeline with the built-in composer, or with one from a folder."""
    model, *_ = music_models(detect("cpu"))
    weights = model.weights
    if composer is not None:
        assert isinstance(weights, Together)
        weights = Together((("model", Local(str(composer))), *weights.parts[1:]))
    return music.load(Store().fetch(weights, lambda update: None).path)


def first_sounds(pipeline: MusicPipeline, runs: int, watch: Watch) -> Sample:
    """Seconds from the request to the first sound, over both prompts."""
    readings = []
    for prompt in PROMPTS.values():
        composed(pipeline, prompt)  # warms up, and finds the instruments' levels
        readings += [watch.measure(partial(composed, pipeline, prompt))["first_sound_s"] for _ in range(runs)]
    return Sample.of(readings)


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.music_sound", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="counted readings of each piece (%(default)s)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    watch = Watch(options.calm)
    pipeline = loaded()
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in PROMPTS}
    for name, prompt in PROMPTS.items():
        composed(pipeline, prompt)  # warms up, and finds the instruments' levels
        for _ in range(options.runs):
            rows[name].append(watch.measure(partial(composed, pipeline, prompt)))
    report(rows, watch)


def report(rows: dict[str, list[dict[str, float]]], watch: Watch) -> None:
    numbers: dict[str, Any] = {}
    lines, goals = [], []
    for name, readings in rows.items():
        of = {key: Sample.of(row[key] for row in readings) for key in readings[0]}
        of["music_per_second"] = Sample.of(row["music_s"] / row["seconds"] for row in readings)
        numbers |= {f"{name}_{key}": sample for key, sample in of.items()}
        lines.append(
            (
                name,
                of["first_sound_s"].text("s"),
                of["music_per_second"].text(digits=1),
                of["wait_s"].text("s"),
                of["step_at_joins"].text(),
            )
        )
        goals += [
            Goal(f"{name}: first sound, s", of["first_sound_s"].median, FIRST_SOUND_S),
            Goal(f"{name}: a listener waits, s", of["wait_s"].median, MOST_WAIT_S),
            Goal(f"{name}: step at joins", of["step_at_joins"].high, MOST_STEP),
        ]
    print(table(("", "first sound", "music per second", "a listener waits", "step at joins"), lines))
    finish("music_sound", {"runs": len(rows["tune"]), **numbers}, goals, watch)


if __name__ == "__main__":
    main()
