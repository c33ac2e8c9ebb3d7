"""A writing task under way, as the page sees it: one part after another, then the whole."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pipelines import text_file
from pipelines.engine import Engine
from pipelines.events import Progress, Recipe, Result, Text, Token
from pipelines.tasks_request import TaskRequest
from ui import code_view, files, states
from ui.place import Place
from ui.wire import Failed, Moment, Stopped, watch

EMPTY = (
    '<div class="pm-code-empty"><strong>Paste a text</strong><p>A long one is taken in parts, and you see each of '
    "them as it is read.</p></div>"
)


@dataclass
class Part:
    """One part of the task, as it is announced, and what has been written of it."""

    label: str
    text: str = ""


class Writing:
    """One request on its way."""

    def __init__(self, request: TaskRequest) -> None:
        self.request = request
        self.seed = request.seed
        self.links: dict[str, Path] = {}
        self._folder: Path | None = None
        self._parts: list[Part] = []
        self._step = Progress()
        self._remark = ""
        self._result: str | None = None
        self._over = False
        self._tokens = 0
        self._first = 0.0  # when the first token came: waiting and loading are not writing

    async def play(self, engine: Engine, user: str, shelf: Path) -> AsyncGenerator[str, None]:
        """Run, and yield the status line after each change. Files go into a folder of this run's on the shelf."""
        self._folder = shelf / secrets.token_urlsafe(9)
        async with aclosing(watch(engine, self.request, user)) as batches:
            async for batch in batches:
                if self._over:  # stopped: what comes now is not in its files
                    return
                lines = [await asyncio.to_thread(self._take, moment) for moment in batch]
                if line := next((line for line in reversed(lines) if line is not None), None):
                    yield line

    def keep(self) -> None:
        """Make a file of what there is of a text that was stopped."""
        self._over = True
        if not self.links and self.seen:
            recipe = files.unfinished(self.request)
            self._write(self._so_far(), recipe)

    def forget(self) -> None:
        """Remove its files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def seen(self) -> bool:
        """Whether there is anything to look at."""
        return any(part.text.strip() for part in self._parts) or bool(self.links)

    @property
    def text(self) -> str:
        """The result so far. Summaries of parts are none yet: they are still to be made into one."""
        if self._result is not None:
            return self._result
        if self.request.task == "summarise" and self._step.total and self._step.done < self._step.total - 1:
            return ""
        pieces = self._parts[-1:] if self.request.task == "summarise" else self._parts
        return "".join(part.text for part in pieces)

    @property
    def finished_parts(self) -> int:
        """How many parts are complete, of those that were announced."""
        return max(0, len(self._parts) - 1) if self._result is None else len(self._parts)

    def shown(self, writing: bool) -> tuple[str, str]:
        """The result so far, and the parts that it is made of."""
        return self.text, self._made_of(writing) + code_view.downloads(self.links)

    def _take(self, moment: Moment) -> str | None:
        match moment:
            case Progress(unit="parts", label=label):
                if moment != self._step:  # or a heartbeat: while nothing new comes, the last one is told again
                    self._step = moment
                    self._parts.append(Part(label))
                return states.working(moment)
            case Progress(unit="steps", total=0, label=label) if label and self._first == 0 and "passages" in label:
                self._remark = label
                return states.loading(label)
            case Token(text=text):
                self._tokens += 1
                self._first = self._first or time.monotonic()
                if not self._parts:
                    self._parts.append(Part(""))
                self._parts[-1].text += text
                return self._line()
            case Result(artifact=artifact):
                assert isinstance(artifact, Text)
                self._result = artifact.text
                self._write(artifact.text, moment.recipe)
                return states.done(self._summary(artifact))
            case Failed(message=message):
                return states.failed(message)
            case Stopped():
                return states.stopped()
            case _:
                return states.of(moment)

    def _line(self) -> str:
        if self._step.total:
            return states.working(self._step)
        return states.writing(self._tokens, self._took() if self._tokens > 1 else 0)

    def _made_of(self, writing: bool) -> str:
        """The parts of a summary to read; of other tasks they are the result itself. And how the text was read."""
        remark = f'<p class="pm-limits">{escape(self._remark)}.</p>' if self._remark else ""
        if self.request.task != "summarise" or not any(part.label for part in self._parts):
            return remark
        last = len(self._parts) - 1
        items = "".join(
            f'<details class="pm-part"{" open" if writing and n == last else ""}><summary>{escape(part.label)}'
            f"<span>{_words(part.text)}</span></summary><p>{escape(part.text.strip())}</p></details>"
            for n, part in enumerate(self._parts)
        )
        return f'{remark}<section class="pm-parts" aria-label="Parts">{items}</section>'

    def _so_far(self) -> str:
        """All that has been written: of a summary its parts, each under what it is called, where it has any."""
        if self.request.task != "summarise":
            return self.text
        return "\n\n".join(f"{part.label}\n\n{part.text.strip()}".strip() for part in self._parts if part.text.strip())

    def _write(self, text: str, recipe: Recipe) -> None:
        assert self._folder is not None
        folder = self._folder
        folder.mkdir(exist_ok=True)  # Stop may have come as the text ended
        name = f"polymuse-{self.request.task}.txt"
        data = text_file.text(text, recipe)
        self.links = {"Download as text": folder / name, "Recipe": folder / "polymuse-recipe.json"}
        (folder / name).write_bytes(data)
        self.links["Recipe"].write_bytes(text_file.recipe_of(data, recipe))

    def _summary(self, artifact: Text) -> str:
        parts = [states.written(self._tokens, self._took())]
        if artifact.stopped_by == "length":
            parts.append("something was cut at the longest answer allowed; raise it in the settings")
        return "; ".join(parts)

    def _took(self) -> float:
        return time.monotonic() - self._first if self._first else 0.0


def _words(text: str) -> str:
    count = len(text.split())
    return f"{count} word{'' if count == 1 else 's'}"


@dataclass
class Page(Place[Writing]):
    """One visitor's place in the write tab. What has been written stays until there is some of the next."""

    request: TaskRequest | None = None  # what was last asked for

    @property
    def writing(self) -> Writing | None:
        """What is being written, or was."""
        return self.run

    def stays(self, run: Writing) -> bool:
        return run.seen

    def begin(self, request: TaskRequest) -> None:
        """Something is going to be written."""
        self.request = request
        self.work_on(Writing(request))

    def stop(self) -> None:
        """It is stopped, or given up."""
        self.halt(states.stopped(self.kept()))
        if self.writing is not None:
            self.writing.keep()
        self.end()

    def give_up(self) -> None:
        self.stop()

    def shown(self) -> tuple[str, str]:
        """The result so far, and what is said of it."""
        if self.writing is None or not (self.busy or self.writing.seen):
            return "", EMPTY
        return self.writing.shown(self.busy)

    def kept(self) -> str:
        """What there is after a stop, in words."""
        if self.writing is None or not self.writing.seen:
            return ""
        parts = self.writing.finished_parts
        return f"{parts} finished part{'' if parts == 1 else 's'} kept" if parts else "what was written is kept"
