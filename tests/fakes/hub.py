"""Repositories on a hub on this machine, as the real hub tells of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tests.fakes.web import Web

COMMIT = "a" * 40


def publish(
    web: Web,
    files: Mapping[str, bytes],
    branch: str = "main",
    commit: str = COMMIT,
    repo: str = "people/model",
    pipeline: str = "",
) -> None:
    """Let a branch of a repository be at this commit with these files; large ones are in LFS, as on the hub."""
    siblings = []
    for name, content in files.items():
        sibling: dict[str, object] = {"rfilename": name, "size": len(content)}
        if name.endswith(".safetensors"):
            sha256 = hashlib.sha256(content).hexdigest()
            sibling["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 130}
        sibling["blobId"] = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        siblings.append(sibling)
        web.files[f"/{repo}/resolve/{commit}/{name}"] = content
    told: dict[str, object] = {"id": repo, "sha": commit, "siblings": siblings}
    if pipeline:
        told["config"] = {"diffusers": {"_class_name": pipeline}}
    for revision in (branch, commit):
        web.files[f"/api/models/{repo}/revision/{revision}"] = json.dumps(told).encode()


def folder(path: Path) -> dict[str, bytes]:
    """The files of a folder, by name."""
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}
