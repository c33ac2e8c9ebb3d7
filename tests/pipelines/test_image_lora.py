"""LoRAs: merged into a model of its own, found by name, and refused where they could do harm or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines import image, image_lora
from pipelines.errors import BadRequest, BadWeights, PolymuseError
from pipelines.image import ImagePipeline
from pipelines.image_lora import Lora
from pipelines.image_request import ImageRequest
from pipelines.weights import Hub, Local, Store
from tests.pipelines import tiny_image
from tests.pipelines.fakes import CPU

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # in diffusers
]
OFFERED = {"inks": Lora("inks", "Inks", Hub("people/inks", patterns=("ink.safetensors",)))}


@pytest.fixture(scope="module")
def sd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_image.save(tmp_path_factory.mktemp("sd"))


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_image.save_lora(tmp_path_factory.mktemp("lora"))


def drawn(pipeline: ImagePipeline, **settings: Any) -> bytes:
    request = ImageRequest(prompt="a red cat", steps=3, width=64, height=64, **settings)
    return pipeline.run(request, lambda update: None).pictures[0].image.tobytes()


def takes_loras() -> list[str]:
    import diffusers

    return [name for name, kind in tiny_image.CLASSES.items() if hasattr(getattr(diffusers, kind, None), "fuse_lora")]


@pytest.mark.parametrize("family", takes_loras())
def test_a_lora_changes_the_picture_the_more_the_heavier_and_at_no_weight_not_by_a_bit(
    family: str, tmp_path: Path
) -> None:
    folder = tiny_image.save(tmp_path / "model", family)
    file = tiny_image.save_lora(tmp_path / "lora", family)
    plain, nothing, some, all_of_it = (
        drawn(image.load(CPU, folder, lora=lora)) for lora in (None, (file, 0.0), (file, 0.5), (file, 1.0))
    )
    assert nothing == plain
    assert len({plain, some, all_of_it}) == 3


def test_a_merged_lora_draws_what_diffusers_draws_with_it(sd: Path, lora: Path) -> None:
    import torch
    from diffusers import DiffusionPipeline

    plain = DiffusionPipeline.from_pretrained(sd, use_safetensors=True)
    plain.load_lora_weights(lora.parent, weight_name=lora.name)
    plain.set_adapters(plain.get_active_adapters(), 0.7)
    theirs = plain(
        "a red cat", num_inference_steps=3, width=64, height=64, generator=torch.Generator().manual_seed(0)
    ).images[0]
    ours = drawn(image.load(CPU, sd, lora=(lora, 0.7)))
    assert max(abs(a - b) for a, b in zip(ours, theirs.tobytes(), strict=True)) <= 1


def test_nothing_of_the_adapter_stays_on_the_model(sd: Path, lora: Path) -> None:
    kinds = [
        {type(module).__name__ for module in image.load(CPU, sd, lora=each)._views["draw"].unet.modules()}
        for each in (None, (lora, 1.0))
    ]
    assert kinds[0] == kinds[1]


def test_a_lora_for_another_model_is_refused(sd: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="does not fit: Stable Diffusion 1 and 2 is another kind of model"):
        image.load(CPU, sd, lora=(tiny_image.save_lora(tmp_path, "sdxl"), 1.0))
    with pytest.raises(BadRequest, match="does not fit"):
        image.load(CPU, sd, lora=(tiny_image.save_lora(tmp_path, "flux"), 1.0))


def test_a_family_that_takes_none_says_so(tmp_path: Path, lora: Path) -> None:
    with pytest.raises(BadRequest, match="PixArt-Σ takes no LoRA"):
        image.load(CPU, tiny_image.save(tmp_path, "pixart"), lora=(lora, 1.0))


def test_a_file_that_only_says_it_is_safetensors_is_refused(sd: Path, tmp_path: Path) -> None:
    file = tmp_path / "style.safetensors"
    file.write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(BadWeights, match=r"style.safetensors is not a safetensors file"):
        image.load(CPU, sd, lora=(file, 1.0))


def test_a_request_with_a_lora_is_not_answered_without_it(sd: Path) -> None:
    with pytest.raises(BadRequest, match="offers no LoRAs"):
        drawn(image.load(CPU, sd), lora="people/inks")
    assert drawn(image.load(CPU, sd), lora="people/inks", lora_scale=0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/etc/passwd", "There is no LoRA “/etc/passwd” here. This server has: inks. Name one as “organisation/name”"),
        ("../../secret/file.safetensors", "There is no LoRA"),
        ("people/../file", "There is no LoRA"),
        ("people/inks:../../x.safetensors", "There is no LoRA"),
        ("file:///x", "There is no LoRA"),
        ("https://example.org/x.safetensors", "There is no LoRA"),
        ("people/inks:*.safetensors", "There is no LoRA"),
        ("people/inks:ink.bin", "“ink.bin” is refused: a LoRA is read from .safetensors files only"),
        ("people/inks:ink.ckpt", "“ink.ckpt” is refused"),
    ],
)
def test_only_names_on_the_hub_and_safe_files_can_be_typed(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(PolymuseError) as error:
        image_lora.find(name, OFFERED, True, Store(tmp_path, offline=True), lambda update: None)
    assert message in str(error.value)


def test_what_is_typed_names_a_file_without_asking_anybody(tmp_path: Path) -> None:
    store = Store(tmp_path, offline=True)
    typed = image_lora.find("people/inks:sub/ink 2.safetensors", {}, True, store, lambda update: None)
    assert typed == Hub("people/inks", patterns=("sub/ink 2.safetensors",))
    assert image_lora.find("inks", OFFERED, False, store, lambda update: None) == OFFERED["inks"].weights
    mine = {"mine": Lora("mine", "Mine", Local("/a/file.safetensors"))}
    assert image_lora.find("mine", mine, False, store, lambda update: None) == Local("/a/file.safetensors")


def test_where_nothing_may_be_typed_only_the_servers_own_are_to_be_had(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"There is no LoRA “people/inks” here. This server has: inks.$"):
        image_lora.find("people/inks", OFFERED, False, Store(tmp_path, offline=True), lambda update: None)
