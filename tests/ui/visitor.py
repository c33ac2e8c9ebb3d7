"""One visitor of the page for the tests: posts what the page's script would post."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx

from tests.conftest import Server

PATIENCE_S = 300  # of a whole event; heartbeats keep a stream open for ever


class Visitor:
    """One visitor's session, without a browser: calls a tab's events by the names of their functions."""

    def __init__(self, server: Server, http: httpx.Client, session: str, tab: str) -> None:
        self._http = http
        self._session = session
        events = [(number, event.fn) for number, event in server.page.fns.items() if event.fn is not None]
        first = min(number for number, called in events if called.__module__ == tab)  # other tabs come before
        numbers = {called.__name__: number for number, called in reversed(events) if number >= first}
        self._number = numbers.__getitem__

    def body(self, event: str, *values: Any, data: Any = None) -> dict[str, Any]:
        return {
            "data": values,
            "fn_index": self._number(event),
            "session_hash": self._session,
            "event_data": data,
        }

    def call(self, event: str, *values: Any, data: Any = None) -> Any:
        """The outputs of an event that takes no place in the queue."""
        body = self.body(event, *values, data=data)
        return self._http.post("gradio_api/run/predict", json=body).raise_for_status().json()["data"]

    def upload(self, data: bytes, name: str = "sound.wav") -> dict[str, Any]:
        """A file of the visitor's, as an event takes it."""
        path = self._http.post("gradio_api/upload", files={"files": (name, data)}).raise_for_status().json()[0]
        return {"path": path, "meta": {"_type": "gradio.FileData"}}

    def join(self, event: str, *values: Any, data: Any = None) -> Iterator[dict[str, Any]]:
        """What the page is told until an event of this session ends.

        The stream is left one message later, which is the server's word that it ends too. One that is left before that
        takes with it, server-side, whatever the session joins next.
        """
        began, over = time.monotonic(), False
        self._http.post("gradio_api/queue/join", json=self.body(event, *values, data=data)).raise_for_status()
        with self._http.stream("GET", "gradio_api/queue/data", params={"session_hash": self._session}) as stream:
            for line in stream.iter_lines():
                assert time.monotonic() - began < PATIENCE_S, f"{event} does not end"
                if not line.startswith("data:"):
                    continue
                if over:
                    return
                message = json.loads(line.removeprefix("data:"))
                yield message
                over = message["msg"] == "process_completed"

    def ended(self, event: str, *values: Any, data: Any = None) -> dict[str, Any]:
        """The last message of an event that takes a place in the queue."""
        *_, last = self.join(event, *values, data=data)
        return last
