"""The only place that connects the page to the engine, and the only one where errors become messages.

A job is watched as batches of moments: the engine's events, then, where it did not end with a Result, one Failed or
Stopped. Per-run state lives in the generator that watches; when the visitor leaves or presses Stop, gradio closes it
and its job is cancelled. Nothing here waits or frees anything: gradio runs these generators on the server's event
loop.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.engine import Engine
from pipelines.errors import PolymuseError
from pipelines.events import (
    Artifact,
    Audio,
    Cancelled,
    Clip,
    Code,
    Enhanced,
    Event,
    Frames,
    Music,
    Notes,
    Pictures,
    Preview,
    Progress,
    Queued,
    Result,
    Solid,
    Sound,
    Text,
    Token,
)
from pipelines.spec import Request, validate
from ui import fields, files

MISSING = "Something is missing"  # the title of a refusal
PACE_S = 0.08  # a page is redrawn at most a dozen times a second; each redraw costs the server about two milliseconds


QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
"""How the page's own events are wired: no place in the queue, no spinner, not part of the API."""


def refusing(button: gr.Button) -> dict[str, Any]:
    """How an event is wired that may refuse. A refusal is a toast, which takes the queue; on a button, since gradio
    writes a large "Error" over whatever component an event shows its progress on, and a button shows none."""
    return {**QUIET, "queue": True, "concurrency_limit": None, "show_progress_on": button}


@dataclass(frozen=True)
class Failed:
    """The job ended with this message, which is meant to be read."""

    message: str


@dataclass(frozen=True)
class Stopped:
    """The job was cancelled from elsewhere."""


Moment = Event | Failed | Stopped


def user_of(http: gr.Request) -> str:
    """Whose job it is: the account, or the browser session."""
    return http.username or http.session_hash or "anonymous"


async def watch(
    engine: Engine, request: Request, user: str, pace: float = PACE_S
) -> AsyncGenerator[list[Moment], None]:
    """Run a request and yield all that is new, at most once every `pace` seconds; cancelled when it is closed."""
    try:
        job = engine.submit(request.model, request, user)
    except PolymuseError as error:
        yield [Failed(str(error))]
        return
    try:
        async for events in job.batches(pace):
            yield list(events)
    except PolymuseError as error:
        yield [Failed(str(error))]
    except Cancelled:
        yield [Stopped()]
    finally:
        job.cancel()


def refusal(message: str, title: str = "Not now") -> gr.Error:
    """To raise where an event is answered with a message on the page, and nothing has changed."""
    return gr.Error(message, title=title, print_exception=False)


@contextmanager
def refusals() -> Iterator[None]:
    """What is refused within becomes a message on the page."""
    try:
        yield
    except PolymuseError as error:
        raise gr.Error(str(error), title="Please check the settings", duration=12, print_exception=False) from None


def request_from(kind: type[Request], values: Mapping[str, Any]) -> Request:
    """A Request from form values, or a message on the page that says which field is wrong."""
    with refusals():
        return validate(kind, values)


def endpoint(engine: Engine, kind: type[Request], api_name: str) -> None:
    """A public API endpoint /api_name for one kind of job: keyword arguments named as the Request's fields.

    Streams two outputs: `update`, the event as JSON, and `file`, empty until the end. Call it inside the Blocks.
    """

    async def run(*values: Any) -> AsyncIterator[tuple[dict[str, Any], dict[str, Any] | None]]:
        *given, http = values
        request = request_from(kind, dict(zip(kind.model_fields, given, strict=True)))
        async with aclosing(watch(engine, request, user_of(http), pace=0)) as batches:
            async for moments in batches:
                for moment in moments:
                    with refusals():
                        file = await asyncio.to_thread(_file, moment) if isinstance(moment, Result) else None
                    yield as_json(moment), file

    run.__doc__ = f"{inspect.getdoc(kind)} Streams `update` events; the last one carries the result and its recipe."
    run.__annotations__ = {"http": gr.Request}  # gradio fills it in; the rest are the fields
    names = {name: None if field.default is None else ... for name, field in kind.model_fields.items()}
    parameters = [  # None makes one optional for clients; the other defaults are those of the inputs
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
        for name, default in (names | {"http": ...}).items()
    ]
    parameters[-1] = parameters[-1].replace(annotation=gr.Request)
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    inputs = [fields.hidden(name, field) for name, field in kind.model_fields.items()]
    outputs = [gr.JSON(visible=False, label="update"), gr.File(visible=False, label="file")]
    gr.Button(visible=False).click(
        run, inputs, outputs, api_name=api_name, concurrency_limit=None, show_progress="hidden", postprocess=False
    )  # gradio would hand each output of each update to a thread


def _file(result: Result) -> dict[str, Any] | None:
    """A result's file, as gr.File would describe it."""
    path = files.written(result)
    if path is None:
        return None
    return gr.FileData(path=path, orig_name=Path(path).name, size=Path(path).stat().st_size).model_dump()


def as_json(moment: Moment) -> dict[str, Any]:
    """An event as the API sends it: its type in lower case, and its fields. A failure becomes the call's error."""
    match moment:
        case Result(artifact=artifact, recipe=recipe):
            return {"type": "result", **_described(artifact), "recipe": asdict(recipe)}
        case Preview(image=image, step=step, total=total, noisy=noisy):
            given = None if noisy is None else data_uri(noisy)
            return {"type": "preview", "image": data_uri(image), "noisy": given, "step": step, "total": total}
        case Frames(images=images, step=step, total=total):
            return {"type": "preview", "images": [data_uri(image) for image in images], "step": step, "total": total}
        case Sound(samples=samples, rate=rate, caption=caption):
            heard = {"samples": base64.b64encode(samples.tobytes()).decode(), "rate": rate}
            return {"type": "sound", **heard, "caption": None if caption is None else asdict(caption)}
        case Notes(notes=notes, head=head, step=step, total=total):
            written = {"notes": [asdict(note) for note in notes], "head": asdict(head)}
            return {"type": "preview", **written, "step": step, "total": total}
        case Queued() | Progress() | Token():
            return {"type": type(moment).__name__.lower(), **asdict(moment)}
        case Failed(message=message):
            raise gr.Error(message, print_exception=False)
        case Stopped():
            raise gr.Error("The job was cancelled.", print_exception=False)


def _described(artifact: Artifact) -> dict[str, Any]:
    """What an artifact is, in JSON; of pictures and sound that is what is in the file, not the file."""
    match artifact:
        case Text() | Code():
            return asdict(artifact)
        case Pictures():
            seeds = [picture.seed for picture in artifact.pictures]
            drawn_from = [{"name": r.name, "style": r.style, "score": r.score} for r in artifact.references]
            return {"seeds": seeds, "drawn_from": drawn_from}
        case Audio(samples=samples, rate=rate, captions=captions):
            return {"rate": rate, "seconds": len(samples) / rate, "captions": [asdict(one) for one in captions]}
        case Music(score=score, samples=samples, rate=rate):
            return {"rate": rate, "seconds": len(samples) / rate, **asdict(score)}
        case Enhanced(samples=samples, rate=rate):
            measured = {"was": artifact.was, "loudness": artifact.loudness, "peak": artifact.peak}
            return {"rate": rate, "seconds": len(samples) / rate, **measured, "remarks": [*artifact.remarks]}
        case Clip(frames=frames, fps=fps, loop=loop, remarks=remarks):
            count, height, width = frames.shape[:3]
            size = {"width": width, "height": height, "frames": count, "fps": fps, "seconds": count / fps}
            return {**size, "loop": loop, "remarks": [*remarks]}
        case Solid(distance=distance, remarks=remarks):
            return {"side": len(distance), "remarks": [*remarks]}


def data_uri(image: Any) -> str:
    """A small JPEG, as measured the cheapest way to show a preview: no file, no second request. WebP where one can see
    through it."""
    buffer = io.BytesIO()
    if image.mode == "RGBA":
        image.save(buffer, "WEBP", quality=80, method=0)
        return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
    image.convert("RGB").save(buffer, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
