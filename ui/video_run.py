"""A clip being made, as the page sees it: all its frames as they come out of the noise, then files to keep."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from pipelines import video_file
from pipelines.engine import Engine
from pipelines.errors import MissingCodec
from pipelines.events import Clip, Frames, Progress, Result
from pipelines.video_request import VideoRequest
from ui import files, states
from ui.video_pace import LONG_S, Clock, Pace
from ui.video_strip import strip
from ui.wire import Failed, Moment, Stopped, data_uri, watch

EMPTY: dict[str, Any] = {
    "run": "", "state": "empty", "strip": None, "step": 0, "total": 0, "fps": 8, "note": "", "clip": None,
    "facts": [], "downloads": [],
}  # fmt: skip
TITLES: dict[video_file.Format, str] = {"mp4": "MP4", "webp": "WebP", "gif": "GIF"}
NAME = "polymuse-clip"
PREVIEW_S = 2  # in which the frames in the making are played through, whatever the clip's own speed will be


class Take:
    """One request on its way. `shown` is what the page is told of it; `last` is its last frame, as a file."""

    def __init__(self, request: VideoRequest, pace: Pace) -> None:
        self.shown: dict[str, Any] = EMPTY | {"run": secrets.token_urlsafe(9)}
        self.prompt, self.seed = request.prompt, request.seed
        self.last: Path | None = None
        self._request: VideoRequest | None = request
        self._pace = pace
        self._clock = Clock()
        self._counted = 0, 0  # frames and steps, as the model tells them
        self._folder: Path | None = None
        self._made: Result | None = None

    @property
    def seen(self) -> bool:
        """Whether there is anything to look at."""
        return self.shown["strip"] is not None

    @property
    def finished(self) -> bool:
        return self.shown["clip"] is not None

    async def play(self, engine: Engine, user: str, shelf: Path) -> AsyncGenerator[str, None]:
        """Make it, and yield the status line after each change. Files go into a folder on the shelf."""
        request, self._request = self._request, None  # a session that is over need not hold its picture
        assert request is not None
        expected = self._pace.expected(request, engine.registry[request.model].limits)
        if expected is not None and expected > LONG_S:
            self.shown = self.shown | {
                "note": f"At these settings a clip takes about {states.duration(expected)} here."
            }
            yield states.loading("Starting")
        self._folder = shelf / self.shown["run"]
        await asyncio.to_thread(self._folder.mkdir)
        async with aclosing(watch(engine, request, user)) as batches:
            async for batch in batches:
                line = None
                for moment in _latest(batch):
                    line = await asyncio.to_thread(self._take, moment) or line
                if line is not None:
                    yield line
        if self._made is not None:
            if all(self._counted):
                self._pace.learn(request, *self._counted, self._clock.took)
            yield await asyncio.to_thread(self._more_files, self._made)
            self._made = None

    def forget(self) -> None:
        """Remove its files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _take(self, moment: Moment) -> str | None:
        match moment:
            case Frames(images=images, step=step, total=total):
                made = strip(images)
                now = {"strip": made.told(data_uri(made.sheet)), "step": step, "total": total}
                self.shown = self.shown | now | {"fps": made.count / PREVIEW_S}
                left = self._clock.left(step, total)
                return states.working(Progress(step, total, f"Making {len(images)} frames"), left)
            case Result(artifact=artifact):
                assert isinstance(artifact, Clip)
                self._made = moment
                self._play_it(artifact, moment)
                return states.loading("Writing files")
            case Failed(message=message):
                return states.failed(message)
            case Stopped():
                return states.stopped()
            case Progress(total=total, unit="steps") if total:
                self._clock.begin()
        return states.of(moment)

    def _play_it(self, clip: Clip, result: Result) -> None:
        """The finished clip takes the place of its previews: as an MP4, or as a WebP where there can be none."""
        from PIL import Image as images

        made = strip([images.fromarray(frame) for frame in clip.frames])
        remarks, kind = [*clip.remarks], "mp4"
        try:
            played = self._write("mp4", result)
        except MissingCodec as error:
            remarks.append(str(error))
            kind, played = "webp", self._write("webp", result)
        assert self._folder is not None
        made.sheet.save(self._folder / "strip.jpg", "JPEG", quality=85)
        self.last = self._folder / "last.png"
        self.last.write_bytes(video_file.png(clip, result.recipe))
        height, width = clip.frames.shape[1:3]
        count = len(clip.frames)
        self._counted = clip.settings.get("frames", 0), clip.settings.get("steps", 0)
        self.shown = self.shown | {
            "strip": made.told(files.address(self._folder / "strip.jpg")),
            "fps": made.count * clip.fps / count,
            "note": "",
            "clip": {"src": files.address(played), "kind": kind, "size": [width, height], "loop": clip.loop},
            "facts": [
                f"{count} frame{'' if count == 1 else 's'}, {clip.fps:.4g} a second, {width} x {height} pixels, "
                f"seed {result.recipe.seed}",
                *remarks,
            ],
            "downloads": [_link(played)],
        }

    def _more_files(self, result: Result) -> str:
        """The other formats, while the clip is being watched already; returns the last line."""
        assert self._folder is not None and isinstance(result.artifact, Clip)
        there = {self.shown["clip"]["kind"]}
        for kind in TITLES:
            if kind != "mp4" and kind not in there:
                self._write(kind, result)
                there.add(kind)
        links = [_link(self._folder / f"{NAME}.{kind}") for kind in TITLES if kind in there]
        self.shown = self.shown | {"downloads": links}
        seconds = len(result.artifact.frames) / result.artifact.fps
        return states.done(f"{states.duration(seconds)} of video in {states.duration(self._clock.took)}")

    def _write(self, kind: video_file.Format, result: Result) -> Path:
        assert self._folder is not None and isinstance(result.artifact, Clip)
        path = self._folder / f"{NAME}.{kind}"
        path.write_bytes(video_file.video(result.artifact, result.recipe, kind))
        return path


def _link(path: Path) -> dict[str, str]:
    title = next(title for kind, title in TITLES.items() if path.suffix == f".{kind}")
    return {"href": files.address(path), "name": path.name, "title": title}


def _latest(batch: list[Moment]) -> list[Moment]:
    """The batch without the previews that are out of date already."""
    last = max((number for number, one in enumerate(batch) if isinstance(one, Frames)), default=-1)
    return [one for number, one in enumerate(batch) if number == last or not isinstance(one, Frames)]
