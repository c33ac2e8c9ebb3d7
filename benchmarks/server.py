"""Programs that serve a page, started as a person would start them, timed from the start of the process."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
POLL_S = 0.01


@dataclass(frozen=True)
class Server:
    """A program that runs and will serve a page."""

    process: subprocess.Popen[str]
    port: int
    began: float  # time.monotonic() just before the process was started

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def seconds_until(self, path: str, patience: float = 120.0) -> float:
        """Seconds from the start of the process to the first successful GET; asks every hundredth of a second."""
        while not self._answers(path):
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args!r} ended with status {self.process.returncode}")
            if time.monotonic() - self.began > patience:
                raise TimeoutError(f"{self.url}{path} did not answer in {patience:.0f} seconds")
            time.sleep(POLL_S)
        return time.monotonic() - self.began

    def _answers(self, path: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            return response.status == 200
        except OSError:
            return False
        finally:
            connection.close()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Stop the process for the length of the block: even an idle gradio wakes up a thousand times a second."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def serving(program: Sequence[str], environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Run a Python program with a free port as its last argument, from the repository's folder; ends it afterwards."""
    port = free_port()
    env = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"} | (environment or {})
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *program, str(port)], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, text=True
    )
    try:
        yield Server(process, port, began)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def end_children_when_told_to_stop() -> None:
    """Make SIGTERM leave the `with` blocks, as Ctrl-C does, so that no server outlives its benchmark."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
