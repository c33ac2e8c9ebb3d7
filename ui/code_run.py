"""A task about code under way, as the page sees it: code and words told apart, parsed line by line, then compared."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines import text_file
from pipelines.code import Coder
from pipelines.code_blocks import Answer
from pipelines.code_languages import LANGUAGES
from pipelines.code_request import CURSOR, CodeRequest
from pipelines.code_syntax import Syntax, check
from pipelines.engine import Engine
from pipelines.events import Code, Recipe, Result, Token
from ui import code_view, files, states
from ui.place import Place
from ui.wire import Failed, Moment, Stopped, watch

GAP_LINE = re.compile(rf"^[ \t]*{CURSOR}[ \t]*(?:\n|\Z)", re.MULTILINE)  # with it goes what is no line of the program
COMPARED = ("complete", "fix")  # the other results are no new version of what came in


class Coding:
    """One request on its way."""

    def __init__(self, request: CodeRequest, coder: Coder) -> None:
        self.request = request
        self.seed = request.seed
        self.links: dict[str, Path] = {}
        self._coder = coder
        self._folder: Path | None = None
        self._text = ""
        self._tokens = 0
        self._first = 0.0  # when the first token came: waiting and loading are not writing
        self._finished = False
        self._answer = Answer("", "", False)
        self._syntax = Syntax("empty")
        self._parsed = -1

    async def play(self, engine: Engine, user: str, shelf: Path) -> AsyncGenerator[str, None]:
        """Run, and yield the status line after each change. Files go into a folder of this run's on the shelf."""
        self._folder = shelf / secrets.token_urlsafe(9)
        async with aclosing(watch(engine, self.request, user)) as batches:
            async for batch in batches:
                if self._finished:  # stopped: what comes now is not in its files
                    return
                if (line := await asyncio.to_thread(self._take_all, batch)) is not None:
                    yield line

    def end(self) -> None:
        """No more will come, wanted or not: what there is is all."""
        self._finished = True
        self._look()

    def keep(self) -> None:
        """Make a file of what there is of an answer that was stopped."""
        self.end()
        if not self.links and self.seen:
            recipe = files.unfinished(self.request)
            self._write(self._answer.code, self._answer.prose, recipe)

    def forget(self) -> None:
        """Remove its files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def seen(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self._answer.code or self._answer.prose or self.links)

    def shown(self, writing: bool) -> tuple[str, str, str]:
        """The code, the words about it, and what the parser and the comparison say."""
        code = self._answer.code
        report = code_view.syntax(self._syntax, code, self.request.language, writing) if code else ""
        if not writing and code and self.request.task in COMPARED:
            report += code_view.diff(GAP_LINE.sub("", self.request.code).replace(CURSOR, ""), code)
        if not writing and not code and self._answer.prose and self.request.task != "explain":
            report = code_view.NO_CODE
        return code, self._answer.prose, report + code_view.downloads(self.links)

    def _take_all(self, batch: list[Moment]) -> str | None:
        lines = [self._take(moment) for moment in batch]
        self._look()
        return next((line for line in reversed(lines) if line is not None), None)

    def _take(self, moment: Moment) -> str | None:
        match moment:
            case Token(text=text):
                self._tokens += 1
                self._first = self._first or time.monotonic()
                self._text += text
                return states.writing(self._tokens, self._took() if self._tokens > 1 else 0)
            case Result(artifact=artifact):
                assert isinstance(artifact, Code)
                self._finished = True
                self._write(artifact.code, artifact.text, moment.recipe)
                return states.done(self._summary(artifact))
            case Failed(message=message):
                return states.failed(message)
            case Stopped():
                return states.stopped()
            case _:
                return states.of(moment)

    def _look(self) -> None:
        """Take the answer apart, and parse it if a line has come since."""
        self._answer = self._coder.read(self.request, self._text, self._finished)
        whole = self._finished or self._answer.closed
        seen = -2 if whole else self._answer.code.count("\n")
        if seen != self._parsed or whole:
            self._syntax = check(self._answer.code, self.request.language, whole)
            self._parsed = seen

    def _write(self, code: str, words: str, recipe: Recipe) -> None:
        assert self._folder is not None
        folder = self._folder
        folder.mkdir(exist_ok=True)  # Stop may have come as the answer ended
        if code:
            name = f"polymuse-code.{LANGUAGES[self.request.language].extension}"
            data = text_file.code(code, self.request.language, recipe)
            self.links["Download " + name] = folder / name
        else:
            name, data = "polymuse-explanation.txt", text_file.text(words, recipe)
            self.links["Download as text"] = folder / name
        (folder / name).write_bytes(data)
        self.links["Recipe"] = folder / "polymuse-recipe.json"
        self.links["Recipe"].write_bytes(text_file.recipe_of(data, recipe))

    def _summary(self, artifact: Code) -> str:
        parts = [states.written(self._tokens, self._took())]
        if artifact.stopped_by == "length":
            parts.append("cut at the longest answer allowed; raise it in the settings")
        return "; ".join(parts)

    def _took(self) -> float:
        return time.monotonic() - self._first if self._first else 0.0


@dataclass
class CodeDesk(Place[Coding]):
    """One visitor's place in the code tab. What has been written stays until there is some of the next."""

    request: CodeRequest | None = None  # what was last asked for

    @property
    def coding(self) -> Coding | None:
        """What is being written, or was."""
        return self.run

    def stays(self, run: Coding) -> bool:
        return run.seen

    def begin(self, request: CodeRequest, coder: Coder) -> None:
        """Something is going to be written."""
        self.request = request
        self.work_on(Coding(request, coder))

    def end(self) -> None:
        if self.coding is not None:
            self.coding.end()
        super().end()

    def stop(self) -> None:
        """It is stopped, or given up."""
        self.halt(states.stopped("what was written is kept" if self.coding is not None and self.coding.seen else ""))
        if self.coding is not None:
            self.coding.keep()
        self.end()

    def give_up(self) -> None:
        self.stop()

    def shown(self) -> tuple[str, str, str]:
        """The code, the words about it, and what is said of both."""
        if self.coding is None or not (self.busy or self.coding.seen):
            return "", "", code_view.EMPTY
        return self.coding.shown(self.busy)

    def editor(self) -> dict[str, Any]:
        """How the editor of the result is to be: there if there is code or will be, in the right colours."""
        if self.coding is None:
            return gr.update(visible=False, value="")
        request = self.coding.request
        facts = LANGUAGES[request.language]
        code = self.shown()[0]
        there = request.task != "explain" and (self.busy or bool(code))
        return gr.update(value=code, language=facts.editor, label=facts.title, visible=there)
