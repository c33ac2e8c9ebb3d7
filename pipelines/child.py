"""A child process that is watched while it works and does not outlive the job that wanted it.

The caller's `tick` runs about ten times a second, in the caller's thread: it can emit progress, and whatever it
raises (Cancelled, usually) ends the child and passes on. Output goes to a file, so a full pipe can never stall it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TICK_S = 0.1


def run(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], tick: Callable[[], None], stdin: bytes = b""
) -> tuple[int, str]:
    """Run the command to its end; returns its exit code and what it said on both outputs."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as heard:
        heard.write(stdin)
        heard.seek(0)
        process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **env}, stdin=heard, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            code = _wait(process, tick)
        finally:
            process.kill()  # nothing to do for one that has ended
            process.wait()
        said.seek(0)
        return code, said.read().decode(errors="replace")


def _wait(process: subprocess.Popen[bytes], tick: Callable[[], None]) -> int:
    while True:
        tick()
        try:
            return process.wait(timeout=TICK_S)
        except subprocess.TimeoutExpired:
            continue
