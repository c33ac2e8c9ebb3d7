"""The moving picture set: things that really move, as loops of 16 frames of 128 px RGBA.

    python -m training.video_data [--out FOLDER] [--frames 24]

The frames come from four npm packages of animated emoji, named as training.emoji_data names its pictures. Of 1,613
files that have a name, 726 move; the others are left out. One file is written, moving-16.safetensors:

    strips  uint8, the loops' lossless WebP files one after the other; in each the frames stand below each other
    ends    int64 (n,), where each of those files ends
    and as metadata, JSON: "clips" [{hexcode, style, label, tags, group, withheld, seconds}, ...] and "credits" [...]

A loop is `withheld` if its thing in style 3d is: no training may see it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file
from torch import Tensor

from training.emoji_data import FOLDER, MARGIN, NAMES, SIZE, Package, files, key, names, withheld

STYLE = "3d"
FRAMES = 16
CREDIT = "moving: animated Fluent Emoji, (c) Microsoft Corporation, packaged by LobeHub; reduced and resampled here"
DIGESTS = (
    "/4m31vAuZEQ4aUJ5pxcOU5PVkuJya55GRxUZL7+zgLlxZXpzzE8jPqpDyhZICE3n47nS/Y9M5/vLdizi8201QA==",
    "S6yzf0RZXrQbXdxCWuHA9BAoLdBRk2flX+ne4TPGEH/qApwisCAKHoAAGjKSlTY3OVeZ9b7t/NEbmpjawnQYJA==",
    "UzRSUDMjdfdt9vER5bhjHkPqgc3EEgfGtYs6ndvizOTvQOxYQ57ow2RTkWSDZxwW30X4EYBi2eWTS7CXDDoFsg==",
    "IIkl5ztSd1HrzvIDt/uGsFoC1WODXRdYq5uROrnkyqi9DbToEcJ1nlY86PnoUXeFS9nBCnHfiYk3ouSEGThFmA==",
)
PACKAGES = tuple(
    Package(f"@lobehub/fluent-emoji-anim-{number}", "1.0.0", digest, "MIT", CREDIT)
    for number, digest in enumerate(DIGESTS, 1)
)
CHANGED = 0.12  # of 1: a pixel that changes by less, in all frames, stands still
MOVING = 0.01  # the least share of a thing's pixels that must change: blinking eyes are more


@dataclass(frozen=True)
class Loop:
    frames: np.ndarray  # uint8 (frames, 128, 128, 4), straight alpha
    seconds: float


def evenly(durations: list[int], count: int) -> list[int]:
    """Which frames are on show at `count` even moments of a loop."""
    ends = np.cumsum(durations)
    return [int(np.searchsorted(ends, ends[-1] * moment / count, side="right")) for moment in range(count)]


def loop(data: bytes, count: int) -> Loop | None:
    """A picture file as a loop of so many frames; None if it does not move."""
    with Image.open(io.BytesIO(data)) as file:
        shown = getattr(file, "n_frames", 1)
        if shown < 2:
            return None
        all_frames, durations = [], []
        for number in range(shown):
            file.seek(number)
            all_frames.append(file.convert("RGBA"))  # before its duration is asked for: that is known once it is read
            durations.append(max(1, int(file.info["duration"])))
    chosen = fitted([all_frames[number] for number in evenly(durations, count)])
    return Loop(chosen, sum(durations) / 1000) if chosen is not None and moves(chosen) else None


def fitted(frames: list[Image.Image]) -> np.ndarray | None:
    """All frames cropped to what is visible in any of them, centred inside the margin."""
    boxes = [box for frame in frames if (box := frame.getbbox()) is not None]
    if not boxes:
        return None
    left, top, right, bottom = (
        pick(side) for pick, side in zip((min, min, max, max), zip(*boxes, strict=True), strict=True)
    )
    scale = (SIZE - 2 * MARGIN) / max(right - left, bottom - top)
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    result = np.zeros((len(frames), SIZE, SIZE, 4), np.uint8)
    x, y = (SIZE - size[0]) // 2, (SIZE - size[1]) // 2
    for number, frame in enumerate(frames):
        # Premultiplied while resizing, or the colour under transparent pixels bleeds into the edges.
        small = frame.crop((left, top, right, bottom)).convert("RGBa").resize(size, Image.Resampling.LANCZOS)
        result[number, y : y + size[1], x : x + size[0]] = np.asarray(small.convert("RGBA"))
    return result


def moves(frames: np.ndarray) -> bool:
    """Whether enough of the thing changes, looked at at half its size: what compression changes is less."""
    pixels = frames.astype(np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    half = pixels.reshape(len(frames), SIZE // 2, 2, SIZE // 2, 2, 4).mean((2, 4))
    seen = half[..., 3].max(0) > 0.5
    changed = (half.max(0) - half.min(0)).max(-1) > CHANGED
    return bool((changed & seen).sum() > MOVING * seen.sum())


def packed(frames: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frames.reshape(-1, SIZE, 4)).save(buffer, "webp", lossless=True)
    return buffer.getvalue()


def unpacked(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as strip:
        return np.asarray(strip.convert("RGBA")).reshape(-1, SIZE, SIZE, 4)


@dataclass(frozen=True)
class MovingSet:
    strips: np.ndarray
    ends: np.ndarray
    records: list[dict[str, Any]]  # hexcode, style, label, tags, group, withheld, seconds

    @classmethod
    def load(cls, folder: Path, frames: int = FRAMES) -> MovingSet:
        file = folder / f"moving-{frames}.safetensors"
        if not file.exists():
            raise SystemExit(f"{file} is missing: run python -m training.video_data --out {folder} --frames {frames}")
        with safe_open(file, "numpy") as opened:
            records = json.loads(opened.metadata()["clips"])
            return cls(opened.get_tensor("strips"), opened.get_tensor("ends"), records)

    def rows(self, *, withheld: bool) -> list[int]:
        return [row for row, record in enumerate(self.records) if record["withheld"] == withheld]

    def layers(self, row: int) -> Tensor:
        """One loop, premultiplied: float (frames, 4, 128, 128) in 0..1."""
        start = int(self.ends[row - 1]) if row else 0
        pixels = torch.from_numpy(unpacked(self.strips[start : self.ends[row]].tobytes()).copy())
        pixels = pixels.permute(0, 3, 1, 2).float() / 255
        return torch.cat([pixels[:, :3] * pixels[:, 3:], pixels[:, 3:]], 1)


def write(file: Path, made: list[tuple[dict[str, Any], bytes]], credits: list[dict[str, Any]]) -> None:
    strips = np.frombuffer(b"".join(strip for _, strip in made), np.uint8)
    ends = np.cumsum([len(strip) for _, strip in made], dtype=np.int64)
    told = {"clips": [record for record, _ in made], "credits": credits}
    metadata = {name: json.dumps(value, ensure_ascii=False) for name, value in told.items()}
    save_file({"strips": strips, "ends": ends}, file, metadata)


def jobs(cache: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Every named file of the packages: its record, and the file."""
    things = {key(thing["hexcode"]): thing for thing in names(NAMES.fetch(cache))}
    for package in PACKAGES:
        for name, (data, _) in files(package.fetch(cache)).items():
            if thing := things.get(name):
                record = {name: thing.get(name, []) for name in ("hexcode", "label", "tags", "group")}
                yield record | {"style": STYLE, "withheld": withheld(thing["hexcode"], STYLE)}, data


def made(job: tuple[dict[str, Any], bytes, int]) -> tuple[dict[str, Any], bytes] | None:
    record, data, frames = job
    found = loop(data, frames)
    return None if found is None else (record | {"seconds": found.seconds}, packed(found.frames))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the file goes (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=FRAMES, help="of each loop (default: %(default)s)")
    args = parser.parse_args()
    work = [(record, data, args.frames) for record, data in jobs(args.out / "packages")]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        done = list(pool.map(made, work, chunksize=8))
    kept = [clip for clip in done if clip is not None]
    file = args.out / f"moving-{args.frames}.safetensors"
    write(file, kept, [asdict(package) for package in (NAMES, *PACKAGES)])
    held = sum(record["withheld"] for record, _ in kept)
    size = file.stat().st_size / 2**20
    print(
        f"{len(kept)} of {len(work)} files move ({held} withheld): {args.frames} frames each, {size:.0f} MiB, {file}"
    )


if __name__ == "__main__":
    main()
