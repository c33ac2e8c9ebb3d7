"""The one door in front of the page: what gradio leaves open and a public link must not.

A pure ASGI middleware for `launch(app_kwargs={"middleware": [Middleware(Guard)]})`. It buffers nothing, so server-sent
events pass as they are made. It closes, each with a sentence that says why:

- bodies of any size: gradio limits each uploaded file and nothing else. Declared lengths are refused at once, chunked
  bodies are counted as they come;
- every gradio route that this page does not need (deep links, monitoring, component functions, proxies, and whatever a
  later gradio adds): routes under /gradio_api are open by name only;
- `file=` with anything but an absolute local path: gradio would fetch the URL and hand it on;
- `run/`, which skips the queue and its limits, unless the blocks were queued with api_open=False;
- pages of other sites: gradio's CORS layer allows every origin with credentials when the host is not localhost, and it
  sits outside this one. So a request from another origin is refused here, whatever its method, and there is nothing
  left that such a page could read or set off;
- other host names (with `hosts`), which is how a rebound DNS name reaches a server on localhost.

What it is not: access control between users, or a rate limit. A private event can still be called by anyone who may
open the page, so every event must be safe to call with any input.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/gradio_api/"
MIB = 2**20

ROUTES = frozenset(
    {
        *("app_id", "info", "startup-events", "theme.css", "login_check"),
        *("queue", "call", "run", "cancel", "reset", "heartbeat"),
        *("upload", "upload_progress", "file", "stream"),
    }
)
"""First path segments under /gradio_api that the page and gradio_client use."""

CLOSED = ("/monitoring", "/svelte")
"""Top-level routes of gradio that are of no use here."""

LOCAL_FILE = re.compile(r"/(?!/)|[A-Za-z]:[\\/]")  # /tmp/..., C:\..., but neither //host nor a URL

CONTENT = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # gr.HTML builds its templates with new Function
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",  # a picture address in generated Markdown cannot carry anything off the page
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
SANDBOX = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'"
"""For files people uploaded or models made: opened by itself, such a file runs nothing and reaches nothing."""


@dataclass(frozen=True)
class Refusal:
    """Why a request ends here."""

    status: HTTPStatus
    reason: str

    async def __call__(self, send: Send) -> None:
        body = json.dumps({"detail": self.reason, "error": self.reason}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),  # what is left of the request's body is not read
        ]
        await send({"type": "http.response.start", "status": int(self.status), "headers": headers})
        await send({"type": "http.response.body", "body": body})


class _TooLarge(Exception):
    """Raised into whoever reads a body beyond its limit."""


@dataclass
class _Body:
    """A request's body, counted as it is read."""

    receive: Receive
    limit: int
    seen: int = field(default=0, init=False)

    @property
    def too_large(self) -> bool:
        return self.seen > self.limit

    async def __call__(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.request":
            self.seen += len(message.get("body", b""))
        if self.too_large:
            raise _TooLarge
        return message


class Guard:
    """See the module's docstring.

    `body_limit` and `upload_limit` are bytes per request. `frame_ancestors` are the CSP sources that may embed the
    page ("'self'"; on a Space also "https://huggingface.co"). `origins` are further origins whose pages may call this
    server, as "https://host[:port]". `hosts` are the host names this server answers to; None means any, as behind a
    proxy. `routes` are the segments under /gradio_api that are open.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        body_limit: int = 4 * MIB,
        upload_limit: int = 64 * MIB,
        frame_ancestors: Sequence[str] = ("'self'",),
        origins: Collection[str] = (),
        hosts: Collection[str] | None = None,
        routes: Collection[str] = ROUTES,
    ) -> None:
        self.app = app
        self.body_limit = body_limit
        self.upload_limit = upload_limit
        self.origins = frozenset(origins)
        self.hosts = None if hosts is None else frozenset(host.strip("[]") for host in hosts)  # an IPv6 address
        self.routes = frozenset(routes)
        self.headers = security_headers(frame_ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")).rstrip("/"))
        headers = Headers(scope=scope)
        body = _Body(receive, self.upload_limit if path.rstrip("/") == API + "upload" else self.body_limit)
        answered = False

        async def answer(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                if body.too_large:
                    return  # what the application makes of _TooLarge; the refusal below is clearer
                answered = True
                self._secure(path, MutableHeaders(scope=message))
            if answered:
                await send(message)

        refusal = (
            self._wrong_host(headers)
            or self._wrong_origin(headers)
            or self._closed_route(path, scope)
            or self._declared_too_large(headers, body.limit)
        )
        if refusal is None:
            try:
                await self.app(scope, body, answer)
            except Exception:
                if not body.too_large:
                    raise
            if not body.too_large or answered:
                return
            refusal = _too_large(body.limit)
        await refusal(self._always(path, send))

    def _wrong_host(self, headers: Headers) -> Refusal | None:
        host = urlsplit("//" + headers.get("host", "")).hostname
        if self.hosts is None or host in self.hosts:
            return None
        return Refusal(
            HTTPStatus.MISDIRECTED_REQUEST,
            f"This server does not answer to the name {host!r}, but to {', '.join(sorted(self.hosts))}.",
        )

    def _wrong_origin(self, headers: Headers) -> Refusal | None:
        """Browsers name the origin of whatever may read or change something; other clients have no origin to name.

        A browser's own word (Sec-Fetch-Site, which no page can forge) counts first: it is right behind proxies that
        change the host name. Without it, as on plain http, the origin must be the host that was asked.
        """
        origin = headers.get("origin")
        if origin is None or origin in self.origins or headers.get("sec-fetch-site") == "same-origin":
            return None
        if "://" in origin and urlsplit(origin).netloc == headers.get("host"):
            return None
        return Refusal(HTTPStatus.FORBIDDEN, f"Pages of {origin} may not call this server. Open its own page instead.")

    def _closed_route(self, path: str, scope: Scope) -> Refusal | None:
        if path.startswith(CLOSED):
            return Refusal(HTTPStatus.NOT_FOUND, "There is nothing here.")
        _, api, route = path.partition(API)
        if not api:
            return None
        name = re.split("[/=]", route, maxsplit=1)[0]
        if name not in self.routes or route.startswith("file/"):
            return Refusal(HTTPStatus.NOT_FOUND, f"{name!r} is not open on this server.")
        if route.startswith("file=") and not LOCAL_FILE.match(route.removeprefix("file=")):
            return Refusal(HTTPStatus.FORBIDDEN, "Only files made or uploaded here are served, not other addresses.")
        if name == "run" and scope["app"].get_blocks().api_open:
            return Refusal(HTTPStatus.FORBIDDEN, "Calls go through the queue: use /gradio_api/call/ or gradio_client.")
        return None

    def _declared_too_large(self, headers: Headers, limit: int) -> Refusal | None:
        length = headers.get("content-length", "0")
        return _too_large(limit) if not length.isdecimal() or int(length) > limit else None

    def _always(self, path: str, send: Send) -> Send:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._secure(path, MutableHeaders(scope=message))
            await send(message)

        return secured

    def _secure(self, path: str, headers: MutableHeaders) -> None:
        headers.update(self.headers)
        if API + "file=" in path:
            headers["content-security-policy"] = SANDBOX
        if headers.get("content-type", "").startswith("text/event-stream"):
            headers["x-accel-buffering"] = "no"  # nginx would collect the events otherwise


def security_headers(frame_ancestors: Sequence[str]) -> dict[str, str]:
    """The headers of every response. X-Frame-Options knows no list of sites: it is left out where it would lie."""
    headers = {
        "content-security-policy": f"{CONTENT}; frame-ancestors {' '.join(frame_ancestors)}",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=(), serial=(), midi=()",
        "cross-origin-resource-policy": "same-origin",
    }
    if tuple(frame_ancestors) in (("'self'",), ("'none'",)):
        headers["x-frame-options"] = "SAMEORIGIN" if frame_ancestors[0] == "'self'" else "DENY"
    return headers


def _too_large(limit: int) -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The request is larger than the {limit / MIB:.3g} MiB this server takes. Send less text or a smaller file.",
    )
