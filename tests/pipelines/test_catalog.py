"""The catalog: what it says of each model is complete, and a file can change it without touching code."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import pytest
from PIL import Image

from pipelines import catalog, catalog_file
from pipelines.chat import MOST_PICTURES, ChatRequest
from pipelines.decode_prefixes import PREFIXES
from pipelines.device import Device
from pipelines.errors import BadRequest, CatalogError, UnknownModel
from pipelines.image_catalog import PATTERNS, LoadImage
from pipelines.image_families import MadeFor
from pipelines.image_lora import Lora
from pipelines.memory import Memory
from pipelines.spec import Registry
from pipelines.weights import Hub, Local, Store, Together

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


IMAGE = """
[[image]]
id = "painter"
title = "Painter"
repo = "org/painter"
revision = "v2"
licence = "MIT"
parameters = [3_000_000, 1_000_000]
steps = 8
guidance = 0
side = 512
pixels = 1_048_576
upscale = 4
"""
LORA = """
[[lora]]
id = "inks"
title = "Inks"
repo = "org/inks"
file = "ink.safetensors"
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
    on_cpu, on_gpu = (Registry(catalog.models(device))["smollm3-3b"] for device in (CPU, GPU))
    assert on_cpu.resident == 2 * on_gpu.resident


def test_what_is_kept_of_prompts_counts_where_a_decoder_for_cpus_keeps_it() -> None:
    on_cpu, on_gpu = (Registry(catalog.models(device))["smollm2-135m"] for device in (CPU, GPU))
    assert PREFIXES < on_cpu.resident < PREFIXES + on_gpu.resident
    assert "earlier prompts" in on_cpu.sized_by and "earlier prompts" not in on_gpu.sized_by


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
    registry = Registry(catalog.models(CPU)).extended(catalog_file.read(write(tmp_path, ENTRY), CPU).models)
    mine = registry["mine"]
    assert mine.weights == Hub("org/name", "main") and mine.resident == 4_000_000 and mine.modality == "chat"
    assert mine.working == 2 * 2 * 2 * 8 * 4 * 1024 + catalog.SLACK


def test_a_file_adds_models_that_see(tmp_path: Path) -> None:
    seeing = ENTRY.replace("layers", "patches = 64\npatch_width = 32\nlayers")
    mine, blind = (catalog_file.read(write(tmp_path, text), CPU).models[0] for text in (seeing, ENTRY))
    assert mine.limits == {"context": 1024, "pictures": MOST_PICTURES} and "pictures" not in blind.limits
    assert mine.working == blind.working + 4 * MOST_PICTURES * 64 * 32 * 4
    assert mine.settle is None and mine.load == catalog.LoadChat(1024, sees=True)


def test_a_file_replaces_models_in_their_place(tmp_path: Path) -> None:
    text = ENTRY.replace('"mine"', '"smollm2-135m"').replace('repo = "org/name"', 'path = "/a/folder"')
    registry = Registry(catalog.models(CPU)).extended(catalog_file.read(write(tmp_path, text), CPU).models)
    assert next(iter(registry)).title == "Mine" and registry["smollm2-135m"].weights == Local("/a/folder")
    assert len(list(registry)) == len(catalog.models(CPU))


def test_a_file_adds_image_models(tmp_path: Path) -> None:
    (spec,) = catalog_file.read(write(tmp_path, IMAGE), GPU).models
    assert (spec.id, spec.modality, spec.limits["steps"]) == ("painter", "image", 8)
    assert isinstance(spec.weights, Together) and isinstance(spec.load, LoadImage)
    assert dict(spec.weights.parts)["model"] == Hub("org/painter", "v2", PATTERNS)
    assert spec.load.parts == (3_000_000, 1_000_000)
    assert spec.load.made_for == MadeFor(8, 0, 512, 1_048_576, 4)
    in_one = IMAGE.replace("[3_000_000, 1_000_000]", "4_000_000")
    assert catalog_file.read(write(tmp_path, in_one), GPU).models[0].resident == spec.resident


def test_a_file_adds_loras_from_the_hub_or_from_this_machine(tmp_path: Path) -> None:
    here = LORA.replace('repo = "org/inks"\nfile = "ink.safetensors"', 'path = "/a/ink.safetensors"')
    added = catalog_file.read(write(tmp_path, LORA + here.replace("inks", "mine")), CPU)
    assert added.loras == (
        Lora("inks", "Inks", Hub("org/inks", "main", ("ink.safetensors",))),
        Lora("mine", "Inks", Local("/a/ink.safetensors")),
    )


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        (IMAGE, ("upscale = 4", "upscale = 2"), "[[image]] “painter”, “upscale”: Input should be 1 or 4"),
        (IMAGE, ("upscale = 4", "vae = 4"), "[[image]] “painter” has an unknown key “vae”"),
        (IMAGE, ("steps = 8", ""), "[[image]] “painter” lacks “steps”"),
        (IMAGE, ("side = 512", "side = 2048"), "“pixels” is less than a square of 2048 has: 4_194_304"),
        (IMAGE, ("[3_000_000, 1_000_000]", "[]"), "[[image]] “painter”, “parameters"),
        (LORA, ("ink.safetensors", "ink.bin"), "[[lora]] “inks”, “file”"),
        (LORA, ("file =", "scale ="), "[[lora]] “inks” has an unknown key “scale”"),
    ],
)
def test_a_wrong_table_of_any_kind_is_refused_by_entry_and_key(
    tmp_path: Path, text: str, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(CatalogError) as error:
        catalog_file.read(write(tmp_path, text.replace(*change)), CPU)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("layers = 2", "layers = 2\ncolour = 'red'"), "[[chat]] “mine” has an unknown key “colour”"),
        (("layers = 2\n", ""), "[[chat]] “mine” lacks “layers”"),
        (("layers = 2", "layers = 'two'"), "[[chat]] “mine”, “layers”"),
        (("layers = 2", "layers = 0"), "greater than 0"),
        (("layers = 2", "layers = 2\npatches = 9"), "give both “patches” and “patch_width”"),
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


def test_models_that_see_are_known_by_name_and_others_refuse_pictures_before_they_are_fetched() -> None:
    specs = catalog.chat_models(GPU)
    assert tuple(spec.id for spec in specs if "pictures" in spec.limits) == catalog.SEEING
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    shown, plain = ChatRequest(message="look", images=(buffer.getvalue(),)), ChatRequest(message="hi")
    for spec in specs:
        if spec.settle is None:
            assert spec.id in catalog.SEEING
            continue
        assert spec.settle(spec, plain, Store(), print) is spec
        with pytest.raises(BadRequest, match=f"{spec.title} cannot see pictures.*smolvlm-256m"):
            spec.settle(spec, shown, Store(), print)


def test_a_model_that_sees_has_room_for_as_many_pictures_as_it_may_be_shown() -> None:
    smol = next(spec for spec in catalog.chat_models(CPU) if spec.id == "smolvlm-256m")
    one_layer = 5 * 1_024 * 3_072 * 4  # five tiles of 1,024 patches, 3,072 wide, in four bytes
    assert smol.working > 4 * 4 * one_layer
