"""The rules that keep the pieces apart: app -> ui -> pipelines <- training, benchmarks. Nothing points back."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
OURS = {"app", "ui", "pipelines", "training", "benchmarks", "tests"}
MAY_IMPORT = {
    "pipelines": {"pipelines"},
    "ui": {"ui", "pipelines"},
    "training": {"training", "pipelines"},
    "benchmarks": {"benchmarks", "pipelines", "training", "app", "ui"},
}
NEVER = {"pipelines": {"gradio"}, "ui": {"torch", "diffusers", "transformers"}, "training": {"gradio"}}
HEAVY = {"torch", "diffusers", "transformers"}
LONGEST = 350


def sources(*folders: str) -> list[Path]:
    return [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]


def imports(file: Path, everywhere: bool = True) -> Iterator[str]:
    """The top-level packages that a file imports, inside functions too if `everywhere`; type-checking ones are not."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute here"
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        elif everywhere or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += ast.iter_child_nodes(node)


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_follow_the_arrows(folder: str) -> None:
    for file in sources(folder):
        wrong = (set(imports(file)) & OURS) - MAY_IMPORT[folder]
        assert not wrong, f"{name(file)} imports {wrong}"


@pytest.mark.parametrize("folder", NEVER)
def test_each_side_stays_clear_of_the_others_libraries(folder: str) -> None:
    for file in sources(folder):
        wrong = set(imports(file)) & NEVER[folder]
        assert not wrong, f"{name(file)} imports {wrong}"


def test_importing_the_app_loads_no_model_library() -> None:
    code = f"import sys, app; sys.exit(', '.join(set(sys.modules) & {HEAVY!r}) or None)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_files_hold_one_idea() -> None:
    """350 lines at most: past that, a file has two."""
    long = {name(file): n for file in product() if (n := len(file.read_text("utf-8").splitlines())) > LONGEST}
    assert not long, f"split by idea: {long}"


def product() -> list[Path]:
    return [ROOT / "app.py", *sources("pipelines", "ui", "training", "benchmarks")]


def test_there_is_no_drawer_for_leftovers() -> None:
    for file in product():
        assert file.stem not in {"utils", "util", "common", "shared", "helpers", "misc"}, name(file)


def test_every_module_says_what_it_is_for() -> None:
    for file in product():
        assert ast.get_docstring(ast.parse(file.read_text("utf-8"))), f"{name(file)} has no docstring"


def test_nothing_reads_pickles_or_runs_code_from_a_repository() -> None:
    """Weights are data. convert.py alone unpickles: what this process itself hands to its own child, and there what
    torch makes sure to be tensors."""
    for file in [ROOT / "app.py", *sources("pipelines", "ui")]:
        text = file.read_text("utf-8")
        for forbidden in ("trust_remote_code=True", "pickle.load", "torch.load(", "weights_only=False", "shell=True"):
            allowed = {("convert.py", "pickle.load"), ("convert.py", "torch.load(")}
            assert forbidden not in text or (file.name, forbidden) in allowed, name(file)
    loads = (ROOT / "pipelines" / "convert.py").read_text("utf-8")
    assert loads.count("torch.load(") == loads.count("weights_only=True") == 1


def test_every_file_of_the_product_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    missing = [name(file) for file in product() if file.name != "__init__.py" and file.name not in readme]
    assert not missing, f"give each one line in README.md: {missing}"


def test_nothing_that_is_required_brings_matplotlib() -> None:
    """Where it is installed, gradio imports it with the first visitor's first press: a second or two of waiting.

    music21 brings it. Training names it in training/requirements.txt; a test that opens files with it begins with
    pytest.importorskip, and .ci/run installs it without what it brings.
    """
    found: set[str] = set()
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    todo = [Requirement(line) for line in lines if line and not line.startswith("#")]
    while todo:
        required = todo.pop()
        wanted = required.marker is None or required.marker.evaluate({"extra": ""})
        if wanted and required.name.lower() not in found:
            found.add(required.name.lower())
            todo += [Requirement(more) for more in metadata.requires(required.name) or ()]
    assert "gradio" in found and "matplotlib" not in found
