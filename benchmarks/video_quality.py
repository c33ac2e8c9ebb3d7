"""Whether the built-in video model's clips show what was asked for.

    python -m benchmarks.video_quality [--count N] [--real] [--sheet FILE] [--card FILE]

* Motions: prompts for pairs of thing and motion that were withheld from all training, N of each; what a clip shows
  is read off its frames (benchmarks.video_motion, which is right about 99 % of clips whose motion is exact).
* Things: a probe (training.probe) names what is seen in the middle of the clip, made as large as in the pictures that
  it knows, and in the still picture that the clip was made from: what the image model drew, or with --real the
  picture itself. What spins stands on its head by then, and the probe knows only what stands upright: it is turned
  back by as far as it is seen to have turned. The same without turning back is reported beside it.
* Flicker: how much pixels change from frame to frame where nothing should move, in levels of 255.
* First frame: how near a clip from a picture begins to that picture, PSNR.

--real takes the pictures themselves in place of drawn ones: the motion alone is judged, in a fraction of the time.
--sheet draws 48 clips to look at. --card writes the table into the model's card.
"""

from __future__ import annotations

import argparse
import io
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.card import Card, Figure
from benchmarks.report import Goal, Watch, finish, table
from benchmarks.video_motion import apart, judge, measure
from pipelines import video
from pipelines.device import detect
from pipelines.events import Clip, Emit, Picture, Pictures
from pipelines.image_request import ImageRequest
from pipelines.video_motions import ALIVE, BY_ITSELF, PASSING, PHRASES, TOGETHER
from pipelines.video_request import VideoRequest
from pipelines.video_things import SIDE
from pipelines.weights import ASSETS, MINILM, Bundled, Store, Together
from training.captions import STYLES, article
from training.emoji_data import FOLDER, MARGIN
from training.motion import MOTIONS, TURNING, withheld_motion
from training.motion_captions import MotionCaptions
from training.pictures import PictureSet, on
from training.probe_model import Probe, accuracy, numbers

RIGHT, KEPT, PSNR = 0.85, 0.9, 26.0
SHEET, SHOWN = 48, 8  # clips, and frames of each
WHOLE = {"flies off": 0, "fades in": -1}  # the frame in which the thing is seen, if not the middle one


class FromSet:
    """Draws like the image model, but perfectly: the very pictures that are asked for, one after the other."""

    def __init__(self, pictures: PictureSet) -> None:
        self._pictures = pictures
        self.rows: list[int] = []

    def run(self, request: ImageRequest, emit: Emit) -> Pictures:
        row = self.rows[request.seed % 2 if len(self.rows) > 1 else 0]
        return Pictures((Picture(still(self._pictures, row), request.seed),))


def still(pictures: PictureSet, row: int) -> Image.Image:
    """A picture of the set on white."""
    shown = on(pictures.layers(torch.tensor([row])), torch.ones(1, 3))[0]
    return Image.fromarray(((shown + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())


def prompts(captions: MotionCaptions, motion: str, count: int) -> list[tuple[str, tuple[int, ...]]]:
    """What is asked for, and the pictures that show it; things that were never seen so."""
    records, rng = captions.pictures.records, Random(motion)
    rows = [row for row, record in enumerate(records) if withheld_motion(record["hexcode"], motion)]
    rng.shuffle(rows)
    fit = (row for row in rows if motion not in TURNING or captions.shows_turning(row))
    found: list[tuple[str, tuple[int, ...]]] = []
    while len(found) < count:
        try:
            some: tuple[int, ...] = (next(fit), next(fit)) if motion == PASSING else (next(fit),)
        except StopIteration:
            break
        names = " and ".join(article(records[row]["label"]) for row in some)
        style = STYLES[records[some[0]]["style"]][0]
        phrase = rng.choice(TOGETHER if motion == PASSING else [each for each in PHRASES[motion] if "{" not in each])
        found.append((f"{names}, {style}, {phrase}", some))
    return found


class Quality:
    """Everything that is measured, one method for each kind of figure."""

    def __init__(self, pipeline: video.VideoPipeline, pictures: PictureSet, drawn: FromSet | None, count: int) -> None:
        self._pipeline, self._drawn, self._count = pipeline, drawn, count
        self._captions = MotionCaptions(pictures)
        self._pictures = pictures

    def clip(self, rows: tuple[int, ...], **values: Any) -> Clip:
        if self._drawn is not None:
            self._drawn.rows = list(rows)
        return self._pipeline.run(VideoRequest.model_validate({"upscale": 1, **values}), lambda update: None)

    def figures(self, probe: Probe | None) -> list[Figure]:
        shares, figures, moving, upright, before, rows = [], [], [], [], [], []
        for motion in MOTIONS:
            asked = prompts(self._captions, motion, self._count)
            taken: Counter[str] = Counter()
            for seed, (prompt, things) in enumerate(asked):
                frames = tensor(self.clip(things, prompt=prompt, seed=2 * seed))
                taken[judge(frames)] += 1
                middle = WHOLE.get(motion, len(frames) // 2)
                moving.append(filling(frames[middle]))
                upright.append(filling(turned_back(frames, middle)) if motion in TURNING else moving[-1])
                before.append(filling(frames[-1 if motion == "fades in" else 0]))  # as the still picture is
                rows.append(things[0])
            shares.append(taken[motion] / len(asked))
            others = ", ".join(f"{name} {n}" for name, n in taken.most_common() if name != motion)
            print(f"{motion}: {shares[-1]:.0%} right; {others}", flush=True)
            figures.append(Figure(f"right_{motion}", f"“{motion}”, {len(asked)} withheld pairs", shares[-1]))
        mean = Figure("right", "all motions, withheld pairs: the one asked for", float(np.mean(shares)), None, RIGHT)
        return [
            mean,
            *figures,
            *self.kept(probe, torch.stack(upright), torch.stack(moving), torch.stack(before), rows),
            self.flicker(),
            self.first_frame(),
        ]

    def kept(
        self, probe: Probe | None, upright: Tensor, moving: Tensor, before: Tensor, rows: list[int]
    ) -> list[Figure]:
        """How often the thing is still named rightly once it moves."""
        if probe is None:
            return []
        records = [self._pictures.records[row] for row in rows]
        right = numbers(probe, *([record[key] for record in records] for key in ("hexcode", "style")))
        turned, as_shown, still = (accuracy(probe.look(seen), *right).top5 for seen in (upright, moving, before))
        title = "the thing among five in mid-motion, of the still picture's"
        return [
            Figure("kept", title, turned / max(still, 1e-6), None, KEPT),
            Figure("kept_as_shown", "the same, what spins on its head", as_shown / max(still, 1e-6)),
        ]

    def flicker(self) -> Figure:
        """Of things that stay still: 0 in a real clip of one."""
        changes = []
        for seed, (prompt, things) in enumerate(prompts(self._captions, "stays still", self._count)):
            frames = self.clip(things, prompt=prompt, seed=2 * seed).frames.astype(np.float32)
            changes.append(np.abs(np.diff(frames, axis=0)).mean())
        return Figure(
            "flicker", "what changes between frames of “stays still”", float(np.mean(changes)), 0.0, unit="of 255"
        )

    def first_frame(self) -> Figure:
        """Of clips from pictures, all motions but the one that begins with nothing."""
        found, rng = [], Random(0)
        for motion in (name for name in PHRASES if name != "fades in"):
            row = rng.randrange(len(self._pictures.records))
            sent, buffer = still(self._pictures, row), io.BytesIO()
            sent.save(buffer, "PNG")
            clip = self.clip((row,), image=buffer.getvalue(), motion=motion)
            error = np.square(clip.frames[0].astype(np.float32) - np.asarray(sent)).mean()
            found.append(10 * np.log10(255**2 / max(error, 0.05)))
        return Figure(
            "first_frame", "first frame against the picture sent, PSNR", float(np.mean(found)), None, PSNR, "dB"
        )

    def sheet(self) -> Image.Image:
        """Clips to look at, two in a row: every motion, then things that move by themselves."""
        asked = [(motion, one) for motion in MOTIONS for one in prompts(self._captions, motion, 2)]
        rng = Random(1)
        while len(asked) < SHEET:
            row = rng.randrange(len(self._pictures.records))
            record = self._pictures.records[row]
            prompt = BY_ITSELF[1].format(f"{article(record['label'])}, {STYLES[record['style']][0]}")
            asked.append((ALIVE, (prompt, (row,))))
        page = Image.new("RGB", (2 * SHOWN * SIDE // 2, SHEET // 2 * SIDE // 2), "white")
        for number, (_, (prompt, things)) in enumerate(asked):
            clip = self.clip(things, prompt=prompt, seed=2 * number)
            print(f"{number + 1}: {prompt}", flush=True)
            for place, frame in enumerate(np.linspace(0, len(clip.frames) - 1, SHOWN).round().astype(int)):
                small = Image.fromarray(clip.frames[frame]).resize((SIDE // 2, SIDE // 2))
                page.paste(small, ((number % 2 * SHOWN + place) * SIDE // 2, number // 2 * SIDE // 2))
        return page


def turned_back(frames: Tensor, number: int) -> Tensor:
    """One of the frames (n, 3, h, w) in -1..1, turned around its middle by as far as it is seen to have turned."""
    angle = measure(frames).angle[number].deg2rad()
    cos, sin, none = angle.cos(), angle.sin(), torch.zeros(())
    theta = torch.stack([cos, -sin, none, sin, cos, none]).view(1, 2, 3)
    frame = frames[number][None]
    grid = torch.nn.functional.affine_grid(theta, list(frame.shape), align_corners=False)
    return torch.nn.functional.grid_sample(
        frame, grid, mode="bicubic", padding_mode="reflection", align_corners=False
    )[0].clamp(-1, 1)


def filling(frame: Tensor) -> Tensor:
    """A frame (3, h, w) in -1..1 with what is seen in it as large as the pictures are that the probe knows."""
    seen = (apart(frame[None])[0].abs().amax(0) > 0).nonzero()
    if not len(seen):
        return frame
    (top, left), (bottom, right) = seen.amin(0).tolist(), (seen.amax(0) + 1).tolist()
    longest = max(bottom - top, right - left)
    side = longest + 2 * max(1, round(longest * MARGIN / (SIDE - 2 * MARGIN)))  # the same to both sides
    up, before = (top + bottom - side) // 2, (left + right - side) // 2
    whole = torch.nn.functional.pad(frame[None], (SIDE, SIDE, SIDE, SIDE), mode="replicate")
    part = whole[..., up + SIDE : up + SIDE + side, before + SIDE : before + SIDE + side]
    return torch.nn.functional.interpolate(part, (SIDE, SIDE), mode="bicubic", antialias=True)[0].clamp(-1, 1)


def tensor(clip: Clip) -> Tensor:
    """RGB in -1..1, (n, 3, h, w)."""
    return torch.from_numpy(clip.frames).permute(0, 3, 1, 2).float() / 127.5 - 1


def load(model: Path) -> video.VideoPipeline:
    """As the server does, with these weights of the motion."""
    pieces = (("pictures", Bundled("emoji")), ("text", MINILM), ("upscaler", Bundled("realesrgan-x4-anime")))
    folder = Store().fetch(Together(pieces), lambda update: None).path
    return video.load(detect("cpu"), folder, model)


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.video_quality", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--model", type=Path, default=ASSETS / "motion", help="what training.video exported (%(default)s)")
    add("--data", type=Path, default=FOLDER, help="what the data recipes wrote (%(default)s)")
    add("--probe", type=Path, default=ASSETS / "emoji-probe", help="what training.probe exported (%(default)s)")
    add("--count", type=int, default=100, help="prompts of each motion (%(default)s)")
    add("--real", action="store_true", help="move the pictures themselves, not drawn ones")
    add("--sheet", type=Path, metavar="FILE", help="where to put 48 clips to look at; nothing else is done")
    add("--card", type=Path, metavar="FILE", help="a model card to write the table into")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    card = Card(options.card, "video_quality") if options.card else None
    pictures = PictureSet.load(options.data)
    pipeline, drawn = load(options.model), FromSet(pictures) if options.real else None
    if drawn is not None:
        pipeline = pipeline.drawing_with(drawn)
    quality = Quality(pipeline, pictures, drawn, options.count)
    if options.sheet:
        quality.sheet().save(options.sheet)
        return
    probe = None
    if options.probe.exists():
        probe = Probe.from_pretrained(options.probe, torch_dtype=torch.float32).eval()
    else:
        print(f"Things are left out: there is no probe in {options.probe}.")
    watch = Watch()
    with torch.no_grad():
        figures = watch.measure(partial(quality.figures, probe))
    settings = {"prompts of each motion": options.count, "pictures": "real" if options.real else "drawn"}
    if card:
        card.write(HEAD, [figure.cells() for figure in figures], settings)
    print(table(HEAD, (figure.cells() for figure in figures)))
    goals = [Goal(one.title, one.value, one.bound, at_least=True) for one in figures if one.bound is not None]
    finish("video_quality", {"settings": settings, **{one.key: one.value for one in figures}}, goals, watch)


HEAD = ("", "made", "real", "goal")

if __name__ == "__main__":
    main()
