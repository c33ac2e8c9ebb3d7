"""A running server from the side that asks, as another program would: with gradio_client, timing what arrives."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradio_client import Client  # type: ignore[import-untyped, unused-ignore]

from benchmarks.server import Server

POLL_S = 0.002


@dataclass(frozen=True)
class Heard:
    """What an endpoint sent: when, in seconds from the question, it began to work on it, updates of the wanted type
    came, and the end."""

    times: tuple[float, ...]
    seconds: float
    began: float
    last: dict[str, Any]


class Asker:
    """Waits until the server is there.

    Without ssl_verify=False gradio_client prepares for TLS twice in each call, a tenth of a second of its own work,
    though the address is http. What remains is its habit of looking for news every 50 ms.
    """

    def __init__(self, server: Server) -> None:
        server.seconds_until("/health")
        self._client = Client(server.url, analytics_enabled=False, verbose=False, ssl_verify=False)

    def ask(self, endpoint: str, wanted: str, values: Mapping[str, Any], poll: float = POLL_S) -> Heard:
        """Ask once; returns when the stream has ended. Looks for news every `poll` seconds.

        Not by iterating over the client's job: that holds the job's lock while it sleeps, and the thread that reads
        the stream has to wait for it.
        """
        began = time.perf_counter()
        job = self._client.submit(**values, api_name=endpoint)
        times: list[float] = []
        working: float | None = None
        seen = 0
        done = False
        while not done:
            time.sleep(poll)
            done = job.done()
            updates = job.outputs()
            now = time.perf_counter() - began
            if working is None and any(update["type"] != "queued" for update, _ in updates[seen:]):
                working = now
            times += [now for update, _ in updates[seen:] if update["type"] == wanted]
            seen = len(updates)
        job.result()  # raises what the server said, if it said no
        return Heard(tuple(times), now, now if working is None else working, updates[-1][0])
