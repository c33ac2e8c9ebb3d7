"""How long the built-in video model takes, and what showing it on its way costs.

    python -m benchmarks.video [--runs N] [--frames N] [--steps N] [--upscale 1|4]

In this process, warm, without the server. Each round makes the same clip with previews and without, in an order that
changes from round to round; the clips have to be the same to the byte. Reported are seconds, the time to the first
preview that moves, the ratio of both ways, in time and in processor time, which other programs change less, and the
process's memory at its peak.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from benchmarks.video_quality import load
from pipelines.events import Frames, Update
from pipelines.video import VideoPipeline
from pipelines.video_request import VideoRequest
from pipelines.weights import ASSETS

CLIP_S, FIRST_S, RATIO = 15.0, 2.0, 1.03
TITLES = {  # with unit, scale and digits
    "clip_s": ("a clip with previews", "s", 1, 2),
    "first_s": ("the first moving preview", "s", 1, 2),
    "previews": ("previews seen", "", 1, 0),
    "ratio": ("with previews, times without", "", 1, 3),
    "work_ratio": ("the same in processor time", "", 1, 3),
}


def timed(pipeline: VideoPipeline, request: VideoRequest) -> tuple[dict[str, float], bytes]:
    """Seconds, seconds that processors worked, when the first preview came, how many; and the clip."""
    began, worked, shown = time.perf_counter(), time.process_time(), list[float]()

    def emit(update: Update) -> None:
        if isinstance(update, Frames):
            shown.append(time.perf_counter() - began)

    clip = pipeline.run(request, emit)
    found = {"clip": time.perf_counter() - began, "work": time.process_time() - worked, "previews": float(len(shown))}
    return found | {"first": shown[0] if shown else 0.0}, clip.frames.tobytes()


def turn(shown: VideoPipeline, hidden: VideoPipeline, options: argparse.Namespace, seed: int) -> dict[str, float]:
    """One round: seconds of all that is measured."""
    values = {"prompt": options.prompt, "steps": options.steps, "frames": options.frames, "upscale": options.upscale}
    request = VideoRequest.model_validate({**values, "seed": seed})
    ways = [("shown", shown), ("hidden", hidden)]
    found = {name: timed(pipeline, request) for name, pipeline in (ways if seed % 2 else reversed(ways))}
    if found["shown"][1] != found["hidden"][1]:
        raise RuntimeError("Previews changed the clip.")
    mine, plain = found["shown"][0], found["hidden"][0]
    return {
        "clip_s": mine["clip"],
        "first_s": mine["first"],
        "previews": mine["previews"],
        "ratio": mine["clip"] / plain["clip"],
        "work_ratio": mine["work"] / plain["work"],
    }


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.video", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--model", type=Path, default=ASSETS / "motion", help="what training.video exported (%(default)s)")
    add("--runs", type=int, default=7, help="counted rounds (%(default)s)")
    add("--prompt", default="a fox bounces, 3d")
    add("--frames", type=int, default=16)
    add("--steps", type=int, default=20, help="of denoising (%(default)s)")
    add("--upscale", type=int, choices=(1, 4), default=1, help="(%(default)s: 128 px)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    watch = Watch(options.calm)
    shown = load(options.model)
    hidden = shown.without_previews()
    round_of = partial(turn, shown, hidden, options)
    round_of(options.runs)  # warms up
    rounds = []
    for seed in range(options.runs):
        rounds.append(watch.measure(partial(round_of, seed)))
        print(", ".join(f"{name} {value:.3f}" for name, value in rounds[-1].items()), flush=True)
    numbers = {key: Sample.of(found[key] for found in rounds) for key in TITLES}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(
        f"\n{len(rounds)} rounds, {options.frames} frames, {options.steps} steps, {torch.get_num_threads()} threads\n"
    )
    rows = [(TITLES[key][0], sample.text(*TITLES[key][1:])) for key, sample in numbers.items()]
    print(table(("", "measured"), [*rows, ("memory at its peak", f"{peak:.0f} MiB")]))
    bounds = {"clip_s": CLIP_S, "first_s": FIRST_S, "ratio": RATIO}
    goals = [Goal(TITLES[key][0], numbers[key].median, bound) for key, bound in bounds.items()]
    finish("video", {"runs": len(rounds), "peak_mib": peak, "upscale": options.upscale, **numbers}, goals, watch)


if __name__ == "__main__":
    main()
