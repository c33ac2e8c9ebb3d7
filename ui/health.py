"""GET /health: whether the server is up, and what it is busy with, without touching a model.

`launch(app_kwargs={"routes": [route(engine)]})` puts the route in front of gradio's own, so it answers from the moment
the server does. It needs no login: monitors have none, and it says nothing about visitors or what they asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from pipelines.engine import Engine


def health(engine: Engine) -> dict[str, Any]:
    """The state of the server as JSON values. Bytes are plain numbers; `queue` counts the jobs that wait."""
    status = engine.status()
    return {
        "status": "ok",
        "device": status.device.kind,
        "device_name": status.device.name,
        "memory": {"used": status.used, "budget": status.budget},
        "models": [
            {"id": model.id, "title": model.title, "bytes": model.resident, "in_use": model.leases > 0}
            for model in status.models
        ],
        "running": status.running,
        "queue": status.queued,
    }


def route(engine: Engine) -> Route:
    """The route. Its function is not async on purpose: Starlette runs it in a thread, and status() may take locks."""

    def answer(_: Request) -> JSONResponse:
        return JSONResponse(health(engine), headers={"cache-control": "no-store"})

    return Route("/health", answer)
