"""The catalog: what it says of each model is complete, and a file can change it without touching code."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from pipelines import catalog, catalog_file
from pipelines.device import Device
from pipelines.errors import CatalogError, UnknownModel
from pipelines.memory import Memory
from pipelines.spec import Registry
from pipelines.weights import Hub, Local

GIB = 2**30
CPU = Device("cpu", "a CPU", 16 * GIB, half=False)
GPU = Device("cuda", "a GPU", 8 * GIB, half=True)

ENTRY = """
[[chat]]
id = "mine"
title = "Mine"
repo = "org/name"
licence = "MIT"
parameters = 1_000_000
layers = 2
kv_heads = 2
head_dim = 8
context = 1024
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "models.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("device", [CPU, GPU])
def test_every_entry_states_its_facts(device: Device) -> None:
    for spec in Registry(catalog.models(device)):
        assert spec.title and spec.licence and spec.card and spec.sized_by
        assert spec.resident > 0 and spec.working > 0
        assert "model" in spec.request.model_fields and "seed" in spec.request.model_fields


def test_a_model_takes_half_the_bytes_where_the_device_has_16_bit_floats() -> None:
    on_cpu, on_gpu = (Registry(catalog.models(device))["smollm2-135m"] for device in (CPU, GPU))
    assert on_cpu.resident == 2 * on_gpu.resident


def test_the_built_in_chat_model_comes_first_and_is_the_default() -> None:
    first = Registry(catalog.models(CPU)).of("chat")[0]
    assert first.request.model_fields["model"].default == first.id == "smollm2-135m"


@pytest.mark.parametrize("gib", [8, 16, 24, 80])
def test_there_is_a_chat_model_from_the_hub_for_each_size_of_gpu(gib: int) -> None:
    """The largest that fits 90 % of the memory uses at least half of it."""
    memory = Memory(int(0.9 * gib * GIB), lambda: gib * GIB)
    fitting = [spec for spec in catalog.chat_models(GPU) if isinstance(spec.weights, Hub) and memory.fits(spec)]
    assert max(spec.resident + spec.working for spec in fitting) > 0.5 * gib * GIB


def test_specs_travel_to_other_processes() -> None:
    for spec in catalog.models(CPU):
        assert pickle.loads(pickle.dumps(spec)) == spec


def test_two_entries_of_one_id_are_refused_by_name() -> None:
    spec = catalog.chat_models(CPU)[0]
    with pytest.raises(CatalogError, match="smollm2-135m"):
        Registry([spec, spec])


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownModel, match=r"“nope”.*smollm2-135m"):
        Registry(catalog.models(CPU))["nope"]


def test_a_file_adds_models(tmp_path: Path) -> None:
    registry = Registry(catalog.models(CPU)).extended(catalog_file.read(write(tmp_path, ENTRY), CPU))
    mine = registry["mine"]
    assert mine.weights == Hub("org/name", "main") and mine.resident == 4_000_000 and mine.modality == "chat"
    assert mine.working == 2 * 2 * 2 * 8 * 4 * 1024 + catalog.SLACK


def test_a_file_replaces_models_in_their_place(tmp_path: Path) -> None:
    text = ENTRY.replace('"mine"', '"smollm2-135m"').replace('repo = "org/name"', 'path = "/a/folder"')
    registry = Registry(catalog.models(CPU)).extended(catalog_file.read(write(tmp_path, text), CPU))
    assert next(iter(registry)).title == "Mine" and registry["smollm2-135m"].weights == Local("/a/folder")
    assert len(list(registry)) == len(catalog.models(CPU))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("layers = 2", "layers = 2\ncolour = 'red'"), "[[chat]] “mine” has an unknown key “colour”"),
        (("layers = 2\n", ""), "[[chat]] “mine” lacks “layers”"),
        (("layers = 2", "layers = 'two'"), "[[chat]] “mine”, “layers”"),
        (("layers = 2", "layers = 0"), "greater than 0"),
        (("org/name", "../etc"), "“repo”"),
        (('repo = "org/name"', ""), "give either “repo” or “path”"),
        (("[[chat]]", "[[chats]]"), "[[chats]] has an unknown key “chats”"),
        (("[[chat]]", "[[chat"), "not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_entry_and_key(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(CatalogError) as error:
        catalog_file.read(write(tmp_path, ENTRY.replace(*change)), CPU)
    assert message in str(error.value) and "models.toml" in str(error.value)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"nowhere\.toml cannot be read"):
        catalog_file.read(tmp_path / "nowhere.toml", CPU)
