"""Weights from the Hugging Face hub: a branch becomes a commit, whose files are fetched and checked.

huggingface_hub asks the hub (so its endpoint, token and offline settings apply); the bytes come through our own
download, which resumes, counts and can be cancelled. Files that huggingface_hub's own cache already holds are linked
rather than fetched. Formats that can run code are never fetched, whatever the patterns say.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines.download import Meter, Refused, fetch_file, have, part_of
from pipelines.errors import BadWeights, DownloadFailed, WeightsError
from pipelines.events import Emit, Progress
from pipelines.formats import can_run_code, is_safe

if TYPE_CHECKING:
    from pipelines.weights import Hub

TIMEOUT_S = 20.0


@dataclass(frozen=True)
class File:
    """One file of a commit, as the hub declares it."""

    name: str
    size: int
    digest: str


@dataclass(frozen=True)
class Snapshot:
    """A commit, and those of its files that are wanted."""

    repo: str
    commit: str
    files: tuple[File, ...]
    pipeline: str = ""  # the class of diffusers that the hub knows it for

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def resolve(hub: Hub, endpoint: str | None) -> Snapshot:
    """Ask the hub which commit the revision means and what of it is to be fetched."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        info = HfApi(endpoint=endpoint).model_info(
            hub.repo, revision=hub.revision, files_metadata=True, timeout=TIMEOUT_S
        )
    except HFValidationError as error:
        raise BadWeights(f"“{hub.repo}” is not a hub repository; it should read “organisation/name”.") from error
    except HfHubHTTPError as error:
        raise _refused(
            hub, endpoint, error.response.status_code, error.response.headers.get("X-Error-Code")
        ) from error
    except (httpx2.RequestError, OfflineModeIsEnabled, ValueError) as error:  # ValueError: an answer that is no JSON
        raise DownloadFailed(
            f"The hub could not be asked for {hub.repo} ({error}). Check the network, or use a model that is already "
            "here; HF_ENDPOINT names a mirror, if there is one."
        ) from error
    files = tuple(
        File(each.rfilename, each.size, f"sha256:{each.lfs.sha256}" if each.lfs else f"git:{each.blob_id}")
        for each in info.siblings or ()
        if wanted(each.rfilename, hub.patterns) and each.size is not None
    )
    if not any(is_safe(file.name) for file in files):
        others = sorted({each.rfilename for each in info.siblings or () if can_run_code(each.rfilename)})
        raise BadWeights(
            f"{hub.repo} at {hub.revision} has no safetensors, GGUF or ONNX weights that match "
            f"{', '.join(hub.patterns)}{f' (only formats that can run code, such as {others[0]})' if others else ''}. "
            "Choose a repository or revision that has safetensors."
        )
    pipeline = ((info.config or {}).get("diffusers") or {}).get("_class_name", "")
    return Snapshot(hub.repo, str(info.sha), files, pipeline)


def header(hub: Hub, snapshot: Snapshot, name: str, endpoint: str | None) -> int:
    """How many parameters a safetensors file holds, by its first bytes alone."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, SafetensorsParsingError

    try:
        told = HfApi(endpoint=endpoint).parse_safetensors_file_metadata(
            hub.repo, name, revision=snapshot.commit, timeout=TIMEOUT_S
        )
    except SafetensorsParsingError as error:
        raise BadWeights(f"{name} of {hub.repo} is not a safetensors file, whatever its name says.") from error
    except HfHubHTTPError as error:
        raise _refused(
            hub, endpoint, error.response.status_code, error.response.headers.get("X-Error-Code")
        ) from error
    except httpx2.RequestError as error:
        raise DownloadFailed(f"The hub stopped answering for {hub.repo} ({error}). Try again.") from error
    return sum(told.parameter_count.values())


def wanted(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a file matches a pattern and none that begins with "!", stays in its folder, and cannot run code."""
    inside = not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts and "\\" not in name
    chosen = any(fnmatch(name, pattern) for pattern in patterns if not pattern.startswith("!"))
    barred = any(fnmatch(name, pattern[1:]) for pattern in patterns if pattern.startswith("!"))
    return inside and chosen and not barred and not can_run_code(name)


def build(
    hub: Hub, snapshot: Snapshot, work: Path, endpoint: str | None, require: Callable[[int], None], emit: Emit
) -> Path:
    """The finished folder, made below `work`, in which files stay when this is interrupted."""
    from huggingface_hub import get_token, hf_hub_url

    headers = {"Authorization": f"Bearer {token}"} if (token := get_token()) else {}
    folder = work / "files"
    for file in snapshot.files:
        if not (folder / file.name).exists():
            _link_from_hub_cache(snapshot, file, part_of(folder / file.name))
    done = snapshot.size - missing(snapshot, folder)
    require(snapshot.size - done)
    meter = Meter(emit, f"Fetching {hub.repo}", snapshot.size, done)
    for file in snapshot.files:
        if (folder / file.name).exists():
            continue
        url = hf_hub_url(hub.repo, file.name, revision=snapshot.commit, endpoint=endpoint)
        checking = Progress(label=f"Checking {hub.repo} {file.name}")
        try:
            fetch_file(
                url,
                folder / file.name,
                file.size,
                file.digest,
                meter,
                lambda checking=checking: emit(checking),  # type: ignore[misc]
                headers,
            )
        except Refused as refusal:
            if not refusal.status:
                raise
            raise _refused(hub, endpoint, refusal.status, None) from refusal
    return folder


def missing(snapshot: Snapshot, folder: Path) -> int:
    """Bytes still to fetch."""
    paths = [(file, folder / file.name) for file in snapshot.files]
    return sum(file.size - max(have(path), have(part_of(path))) for file, path in paths)


def _link_from_hub_cache(snapshot: Snapshot, file: File, part: Path) -> None:
    """Take a file over from huggingface_hub's cache as a download that came whole; it is checked like any other."""
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(snapshot.repo, file.name, revision=snapshot.commit)
    if isinstance(cached, str) and have(Path(cached)) == file.size:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        try:
            os.link(Path(cached).resolve(), part)
        except OSError:
            return  # on another disk, or one without links: it is fetched


def _refused(hub: Hub, endpoint: str | None, status: int, code: str | None) -> WeightsError:
    """What to do about the hub's no."""
    page = f"{endpoint or 'https://huggingface.co'}/{hub.repo}"
    if code == "RevisionNotFound":
        return BadWeights(f"{hub.repo} has no revision “{hub.revision}”. Look at {page}/commits for those it has.")
    if code == "GatedRepo" or (status == 403 and code is None):
        return DownloadFailed(
            f"{hub.repo} is for people who accepted its licence. Accept it at {page}, log in here with "
            "“hf auth login”, and try again."
        )
    if status in (401, 403, 404):
        return DownloadFailed(
            f"{hub.repo} is not on the hub, or is private or gated. Check the name at {page}; for a private or gated "
            "one, ask for access there and log in here with “hf auth login”."
        )
    if status == 429 or status >= 500:
        return DownloadFailed(f"The hub is busy (HTTP {status} for {hub.repo}). Try again in a few minutes.")
    return DownloadFailed(f"The hub refused {hub.repo} (HTTP {status}). Look at {page}, and try again.")
