"""Bytes from a URL into a file: resumed where they were cut off, counted on the way, checked before they are used.

A file is identified by its declared size and digest, never by what a server says about it. So a partial file may be
continued from any server that has the file (no ETag is kept): should the pieces not belong together, the digest
tells, and the file is fetched once more from its beginning.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.errors import BadWeights, DownloadFailed, format_bytes
from pipelines.events import Emit, Progress

TIMEOUT_S = 20.0

_ASK = "If a mirror or proxy is in use, ask whoever runs it; otherwise report this to Polymuse."


class Refused(DownloadFailed):
    """Nothing came: the server said no (`status` is its HTTP status), or no connection could be made (0)."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Meter:
    """Byte progress, told at most ten times a second; the first and the last count are always told."""

    def __init__(
        self, emit: Emit, label: str, total: int, done: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.done = done
        self._emit, self._label, self._total, self._clock = emit, label, total, clock
        self._tell()

    def add(self, count: int) -> None:
        """Count bytes that came; a negative count takes back those that have to come again."""
        self.done += count
        if self._clock() >= self._next or self.done == self._total:
            self._tell()

    def _tell(self) -> None:
        self._next = self._clock() + 0.1
        self._emit(Progress(self.done, self._total, self._label, "bytes"))


def fetch_file(
    url: str,
    target: Path,
    size: int,
    digest: str,
    meter: Meter,
    tick: Callable[[], None],
    headers: Mapping[str, str] | None = None,
) -> None:
    """Make `target` the file of this size and digest ("sha256:…" or "git:…"), or raise and leave no target.

    What has come so far stays in `target.part` for the next call, unless it turned out to be wrong. `tick` is called
    while the digest is computed.
    """
    part = part_of(target)
    part.parent.mkdir(parents=True, exist_ok=True)
    part.touch()  # there are files of no bytes, of which nothing comes
    while True:
        resumed = have(part) > 0
        _transfer(url, part, size, meter, headers or {})
        if matches(part, digest, tick):
            part.replace(target)
            return
        part.unlink()
        if not resumed:
            raise BadWeights(
                f"{_file(url)} from {_host(url)} is not the file that was declared (its digest is not {digest}) and "
                f"was deleted. {_ASK}"
            )
        meter.add(-size)


def part_of(target: Path) -> Path:
    """Where the bytes of `target` gather until they are complete and checked."""
    return target.with_name(target.name + ".part")


def have(path: Path) -> int:
    """Bytes in the file; none when there is no file."""
    return path.stat().st_size if path.exists() else 0


def matches(path: Path, digest: str, tick: Callable[[], None]) -> bool:
    """Whether the file has this digest: "sha256:…" of its bytes, or "git:…", the id git gives a file."""
    kind, _, expected = digest.partition(":")
    state = hashlib.sha256() if kind == "sha256" else hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while chunk := file.read(1 << 24):
            state.update(chunk)
            tick()
    return state.hexdigest() == expected


def _transfer(url: str, part: Path, size: int, meter: Meter, headers: Mapping[str, str]) -> None:
    """Bring `part` to `size` bytes, going on after an interruption for as long as every attempt brings something."""
    import httpx2

    first = have(part)
    while (start := have(part)) < size:
        reason = "the connection was closed early"
        try:
            _stream(url, part, size, meter, headers)
        except httpx2.ConnectError as error:
            if start == first:
                raise _refusal(url, 0, str(error)) from error
            reason = str(error)
        except httpx2.RequestError as error:
            reason = str(error) or type(error).__name__
        if have(part) <= start:
            raise DownloadFailed(
                f"Fetching {_file(url)} from {_host(url)} stopped after {format_bytes(have(part))} of "
                f"{format_bytes(size)}: {reason}. Check the network and try again: what has come is kept and resumed."
            )
    if have(part) > size:
        part.unlink()
        raise BadWeights(
            f"{_file(url)} from {_host(url)} is longer than the {size} bytes declared, so it was deleted. {_ASK}"
        )


def _stream(url: str, part: Path, size: int, meter: Meter, headers: Mapping[str, str]) -> None:
    """One request, appended to `part`; a server that cannot start in the middle starts it over."""
    import httpx2

    start = have(part)
    asked = {**headers, "Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with httpx2.stream("GET", url, headers=asked, follow_redirects=True, timeout=TIMEOUT_S) as response:
        if response.status_code == 416:
            part.unlink()
            raise BadWeights(
                f"{_file(url)} at {_host(url)} has no more than {start} bytes where {size} were declared, so they "
                f"were deleted. {_ASK}"
            )
        if response.status_code not in (200, 206):
            raise _refusal(url, response.status_code, f"HTTP {response.status_code}")
        whole = response.status_code == 200
        if whole:
            meter.add(-start)
        with part.open("wb" if whole else "ab", buffering=0) as file:
            for chunk in response.iter_raw():
                file.write(chunk)
                meter.add(len(chunk))
                if file.tell() > size:
                    return


def _refusal(url: str, status: int, reason: str) -> Refused:
    what = f"{_host(url)} did not give {_file(url)}: {reason}"
    return Refused(f"{what}. Check the network, the address and your access there.", status)


def _host(url: str) -> str:
    return urlsplit(url).hostname or "this machine"


def _file(url: str) -> str:
    return urlsplit(url).path.rsplit("/", 1)[-1]
