"""The cache of finished weights: a folder appears in it complete and checked, or not at all.

    ready/KEY/        finished, with a manifest; the only folders that are ever handed out
    work/KEY/         what is being fetched or made; kept when interrupted, so that it resumes
    locks/KEY.lock    held while somebody works on KEY, across threads and processes
    commits/BRANCH    which commit a hub branch meant when it was fetched
    together/KEY/     links to the pieces of a model that come from several places

A KEY names one declaration, with a digest of everything that decides the content.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from pipelines.errors import DiskFull, format_bytes
from pipelines.events import Emit, Progress

MANIFEST = ".polymuse.json"


@dataclass(frozen=True)
class Manifest:
    """What a finished folder was made from, and what it must hold to be used."""

    source: str  # for a person
    revision: str  # for the recipe
    hashes: Mapping[str, str]  # of what was fetched
    files: Mapping[str, int] = field(default_factory=dict)  # in the folder, with their sizes


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """$POLYMUSE_CACHE, or polymuse in the user's cache folder."""
    if named := environ.get("POLYMUSE_CACHE"):
        return Path(named).expanduser()
    if os.name == "nt":
        return Path(environ["LOCALAPPDATA"]) / "polymuse"
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "polymuse"


class Cache:
    """Finished folders by key, and the one way to make one."""

    def __init__(self, root: Path, disk_free: Callable[[Path], int]) -> None:
        self.root = root.absolute()
        self._disk_free = disk_free

    def folder(self, key: str) -> Path:
        return self.root / "ready" / key

    def work(self, key: str) -> Path:
        return self.root / "work" / key

    def manifest(self, key: str) -> Manifest | None:
        """The manifest of a finished folder, or None: then nothing of that folder may be used."""
        folder = self.folder(key)
        try:
            manifest = Manifest(**json.loads((folder / MANIFEST).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        here = _sizes(folder)
        return manifest if all(here.get(name) == size for name, size in manifest.files.items()) else None

    def gather(self, parts: Mapping[str, Path], revision: str) -> Path:
        """A folder in which each of these folders is found under its name. Links; where those are not to be had, as
        on many a Windows, copies."""
        key = hashlib.sha256(f"{sorted(parts.items())} {revision}".encode()).hexdigest()[:16]
        folder = self.root / "together" / key
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in parts.items():
            place = folder / name
            if place.exists():
                continue
            fresh = folder / f".{name}.{uuid4().hex}"
            try:
                fresh.symlink_to(path, target_is_directory=True)
            except OSError:
                shutil.copytree(path, fresh)
            with suppress(OSError):  # somebody else was quicker
                fresh.replace(place)
        return folder

    def make(self, key: str, origin: Manifest, build: Callable[[Path], Path], what: str, emit: Emit) -> Manifest:
        """Make ready/KEY, unless somebody else does while we wait for them.

        `build` gets work/KEY and answers with a complete folder inside it, which is moved to ready/KEY in one step.
        """
        with self._locked(key, what, emit):
            if manifest := self.manifest(key):
                return manifest
            self.work(key).mkdir(parents=True, exist_ok=True)
            made = build(self.work(key))
            manifest = replace(origin, files=_sizes(made))
            (made / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1))
            target = self.folder(key)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():  # damaged since it was made: its manifest did not hold
                shutil.rmtree(target)
            made.replace(target)
            shutil.rmtree(self.work(key), ignore_errors=True)
            return manifest

    def free(self) -> int:
        """Bytes free where the cache lies, or will lie."""
        return self._disk_free(next(path for path in (self.root, *self.root.parents) if path.exists()))

    def require(self, needed: int, what: str) -> None:
        """Raise DiskFull unless this many bytes are free."""
        if (free := self.free()) < needed:
            raise DiskFull(
                f"{what} needs {format_bytes(needed)} of disk, but only {format_bytes(free)} are free at {self.root}. "
                "Make room there, or set the environment variable POLYMUSE_CACHE to a folder on a larger disk."
            )

    def commit(self, branch: str) -> str | None:
        """The commit that a hub branch meant when it was fetched; None when it has not been."""
        path = self.root / "commits" / branch
        return path.read_text() if path.exists() else None

    def remember_commit(self, branch: str, commit: str) -> None:
        path = self.root / "commits" / branch
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{branch}.{os.getpid()}.{threading.get_ident()}")
        fresh.write_text(commit)
        fresh.replace(path)

    @contextmanager
    def _locked(self, key: str, what: str, emit: Emit) -> Iterator[None]:
        """Hold KEY, waiting cancellably while another thread or process does."""
        path = self.root / "locks" / f"{key}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        while not lock.is_locked:
            try:
                lock.acquire(timeout=0.1, poll_interval=0.05)
            except Timeout:
                emit(Progress(label=f"Waiting: {what} is being fetched already"))
        try:
            yield
        finally:
            lock.release()


def _sizes(folder: Path) -> dict[str, int]:
    """Every file below the folder but the manifest, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    }
