"""The hub's image models: complete, sized for what they need, and fetched without what nothing loads."""

from __future__ import annotations

import pickle
import re

import pytest

from pipelines.device import Device
from pipelines.hub import wanted
from pipelines.image_catalog import PATTERNS, UPSCALER, image_models
from pipelines.image_request import BUILT_IN
from pipelines.image_sizes import Sizes
from pipelines.spec import Registry
from pipelines.weights import Hub, Together, is_built_in

GIB = 2**30
GPU = Device("cuda", "a GPU", 80 * GIB, half=True)
MODELS = Registry(image_models(GPU))


@pytest.mark.parametrize("id", [spec.id for spec in MODELS])
def test_every_entry_states_its_facts(id: str) -> None:
    spec = MODELS[id]
    assert spec.title and spec.licence and spec.card and spec.sized_by
    assert isinstance(spec.weights, Together)
    pieces = dict(spec.weights.parts)
    assert pieces["upscaler"] == UPSCALER
    if id == BUILT_IN:
        assert is_built_in(spec.weights)
    else:
        assert isinstance(pieces["model"], Hub) and pieces["model"].size > spec.resident * 0.9
    assert pickle.loads(pickle.dumps(spec)) == spec
    made_for = spec.load.made_for  # type: ignore[attr-defined]
    Sizes(16, made_for.most).check(made_for.side, made_for.side)
    assert made_for.upscale == 1 or id == BUILT_IN
    spec.request(prompt="a", steps=made_for.steps, guidance=made_for.guidance)


@pytest.mark.parametrize("id", [spec.id for spec in MODELS if spec.id != BUILT_IN])
def test_the_gpu_that_its_card_names_is_large_enough(id: str) -> None:
    spec = MODELS[id]
    named = re.match(r"For GPUs from (\d+) GiB", spec.card)
    assert named is not None
    assert int(named[1]) * GIB * 0.5 < spec.resident + spec.working < int(named[1]) * GIB * 0.95


@pytest.mark.parametrize(
    ("name", "fetched"),
    [
        ("model_index.json", True),
        ("scheduler/scheduler_config.json", True),
        ("unet/diffusion_pytorch_model.safetensors", True),
        ("transformer/diffusion_pytorch_model-00001-of-00003.safetensors", True),
        ("transformer/diffusion_pytorch_model.safetensors.index.json", True),
        ("tokenizer/merges.txt", True),
        ("tokenizer_3/spiece.model", True),
        ("tokenizer/chat_template.jinja", True),
        ("sd_xl_base_1.0.safetensors", False),  # the whole model again, in one file
        ("unet/diffusion_pytorch_model.fp16.safetensors", False),
        ("text_encoder_3/model.fp16-00001-of-00002.safetensors", False),
        ("vae/diffusion_pytorch_model.bf16.safetensors", False),
        ("unet/diffusion_pytorch_model.non_ema.safetensors", False),
        ("transformer/diffusion_pytorch_model.int4.safetensors", False),
        ("vae copy/diffusion_pytorch_model.safetensors", False),
        ("safety_checker/model.safetensors", False),
        ("text_encoders/t5xxl_fp8_e4m3fn.safetensors", False),
        ("unet/diffusion_pytorch_model.bin", False),
        ("unet/model.onnx", False),
    ],
)
def test_what_is_fetched_of_a_repository(name: str, fetched: bool) -> None:
    assert wanted(name, PATTERNS) is fetched


@pytest.mark.parametrize(
    ("id", "listed"),
    [
        ("stable-diffusion-1.5", (3.44, 0.492, 0.335)),
        ("sana-1.6b", (5.0 + 1.42, 4.99 + 0.241, 1.25)),
        ("sd3.5-medium", (4.94, 0.247, 1.39, 4.99 + 4.53, 0.168)),
        ("sd3.5-large", (9.99 + 6.31, 0.247, 1.39, 4.99 + 4.53, 0.168)),
        ("flux2-klein-4b", (7.75, 4.97 + 3.08, 0.168)),
        ("z-image-turbo", (24.6, 8.04, 0.168)),
        ("flux1-schnell", (23.8, 0.246, 4.99 + 4.53, 0.168)),
        ("qwen-image", (40.9, 16.6, 0.254)),
    ],
)
def test_the_parameters_agree_with_the_files_that_the_hub_lists(id: str, listed: tuple[float, ...]) -> None:
    """In GB, as the hub's pages show them."""
    weights = dict(MODELS[id].weights.parts)["model"]  # type: ignore[union-attr]
    assert isinstance(weights, Hub)
    assert weights.size / 1e9 == pytest.approx(sum(listed), rel=0.006)
