"""The page with scripted models, as a program of its own: for what no real one can be asked to do, like mistakes.

`python -m tests.browser.scripted PORT` serves it until it is told to stop.
"""

from __future__ import annotations

import signal
import sys
import threading

import app
from pipelines.chat import MOST_PICTURES, ChatRequest
from pipelines.code import Coder
from pipelines.code_request import CodeRequest
from pipelines.events import Emit, Token
from pipelines.image_request import BUILT_IN
from pipelines.spec import Request
from pipelines.tasks import Tasks
from pipelines.tasks_request import TaskRequest
from tests.conftest import MODEL, Endless, a_step
from tests.fakes.animator import animate, animator
from tests.fakes.drawer import draw, drawer
from tests.fakes.shaper import shape, shaper
from tests.pipelines.fakes import engine, spec
from ui.settings import parse

WRONG = "```python\ndef first(:\n    return 1\n\n" + "".join(f"x{n} = {n}\n" for n in range(200)) + "```\nThat is it."
FIXED = "```python\ndef mean(values):\n    return sum(values) / len(values)\n```\nIt was **too long**."
ENDLESS = "Count, and never stop."
SUMMARY = "It tells of things that have numbers. " * 6


def script(request: Request, emit: Emit) -> str:
    """Mistakes for who wants a program, a correction for who has one, a summary for everybody else.

    Who asks for no end gets none, until it is stopped.
    """
    assert isinstance(request, ChatRequest)
    wants = request.message
    if ENDLESS in wants:
        return Endless()(request, emit)
    text = WRONG if wants.startswith("Write Python") else FIXED if wants.startswith("Find the mistakes") else SUMMARY
    pieces = text.splitlines(keepends=True) if text is not SUMMARY else text.split(" ")
    for number, piece in enumerate(pieces):
        emit(Token(piece if text is not SUMMARY else f"{piece} ", number, 1.0))
        for _ in range(10 if text is WRONG else 1):  # time enough to look at it and to stop it
            a_step()
    return text


def look(request: Request, emit: Emit) -> str:
    """Tells how many pictures came with each message."""
    assert isinstance(request, ChatRequest)
    words = " and ".join(
        f"{message.pictures} with “{message.content}”" for message in request.said if message.pictures
    )
    for number, word in enumerate(words.split(" ")):
        emit(Token(f"{word} ", number, 1.0))
        a_step()
    return words


def main() -> None:
    also = {CodeRequest: Coder(), TaskRequest: Tasks(2_048)}
    slow = shape(lambda step: [a_step() for _ in range(12)], steps=20)  # time enough to see it change
    seeing = spec("seeing", look, request=ChatRequest, also=also, limits={"pictures": MOST_PICTURES})
    others = shaper(slow), drawer(BUILT_IN, draw()), animator(animate(0.6, 64, own_steps=10))
    eng = engine(spec(MODEL, script, request=ChatRequest, also=also), seeing, *others)
    page = app.build(eng, ("chat", "write", "code", "image", "video", "3d"))
    url = app.launch(page, eng, parse(["--port", sys.argv[1]], {}))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(f"Polymuse is at {url}", flush=True)
    stop.wait()
    eng.close()
    page.close(verbose=False)


if __name__ == "__main__":
    main()
