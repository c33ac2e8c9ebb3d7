"""A web server on this machine that serves what a test puts into it, and fails where the test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    path: str
    range: str
    headers: dict[str, str]


@dataclass
class Web:
    """Serves `files` by path. `cuts` ends a path's next answers after so many bytes; `refuse` may give a status."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    cuts: dict[str, list[int]] = field(default_factory=dict)
    refuse: Callable[[Asked], int] = lambda asked: 0
    error_headers: dict[str, str] = field(default_factory=dict)
    redirect: dict[str, str] = field(default_factory=dict)
    halfway: Callable[[Asked], object] = lambda asked: None  # called when half of a file is out
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Web:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web._answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def served(self, path: str) -> list[str]:
        """The Range headers of the requests for a path, in order."""
        return [asked.range for asked in self.asked if asked.path == path]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        asked = Asked(path, handler.headers.get("Range", ""), dict(handler.headers.items()))
        self.asked.append(asked)
        if status := self.refuse(asked) or (path not in self.files and path not in self.redirect and 404):
            handler.send_response(status)
            for name, value in self.error_headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if path in self.redirect:
            handler.send_response(302)
            handler.send_header("Location", self.redirect[path])
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        content = self.files[path]
        first, _, last = asked.range.removeprefix("bytes=").partition("-") if self.ranges else ("", "", "")
        start, end = int(first or 0), min(int(last or len(content)) + 1, len(content))
        if start >= len(content):
            handler.send_error(416)
            return
        partial = bool(start or last)
        handler.send_response(206 if partial else 200)
        if partial:
            handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        handler.send_header("Content-Type", "text/html" if path.endswith("/") else "application/octet-stream")
        handler.send_header("Content-Length", str(end - start))
        handler.end_headers()
        self._send(handler, asked, content[start:end])

    def _send(self, handler: BaseHTTPRequestHandler, asked: Asked, body: bytes) -> None:
        if cuts := self.cuts.get(asked.path):
            handler.wfile.write(body[: cuts.pop(0)])
            return
        try:
            handler.wfile.write(body[: len(body) // 2])
            self.halfway(asked)
            handler.wfile.write(body[len(body) // 2 :])
        except OSError:
            pass  # the client went away: the test meant it to
