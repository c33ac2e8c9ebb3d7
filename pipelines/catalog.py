"""The one explicit list of models. Data only: loaders are imported when a model is loaded.

Sizes are computed, never guessed: a model's parameters times the bytes that one takes on this device, and the
key/value cache of the longest conversation that we allow, both from the figures on its card or in its config.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.chat import ChatRequest
from pipelines.device import Device
from pipelines.enhance_catalog import enhance_models
from pipelines.image_catalog import image_models
from pipelines.music_catalog import music_models
from pipelines.spec import ModelSpec, Pipeline
from pipelines.speech_catalog import match_model, speech_models
from pipelines.weights import SMOLLM2, Hub, Weights

SLACK = 150 * 2**20  # activations of one step, the logits of one token, and what the allocator rounds up


def models(device: Device) -> list[ModelSpec[Any]]:
    """Every model that comes with Polymuse, as it would be held on this device."""
    return [
        *chat_models(device),
        *image_models(device),
        *speech_models(device),
        match_model(),
        *music_models(device),
        *enhance_models(device),
    ]


def chat_models(device: Device) -> list[ModelSpec[ChatRequest]]:
    """The built-in chat model, then open ones from the hub, smallest first."""
    return [
        chat_model(
            device,
            id="smollm2-135m",
            title="SmolLM2 135M",
            weights=SMOLLM2,
            licence="Apache-2.0",
            card="Built in, for any machine. Writes simple English; weak at facts, code and other languages.",
            parameters=134_515_008,
            layers=30,
            kv_heads=3,
            head_dim=64,
            context=8_192,
        ),
        chat_model(
            device,
            id="smollm3-3b",
            title="SmolLM3 3B",
            weights=Hub("HuggingFaceTB/SmolLM3-3B", size=6_150_000_000),
            licence="Apache-2.0",
            card="For GPUs from 8 GiB. Six languages, and thinks before it answers when asked to.",
            parameters=3_080_000_000,
            layers=36,
            kv_heads=4,
            head_dim=128,
            context=8_192,
        ),
        chat_model(
            device,
            id="qwen3-4b",
            title="Qwen3 4B Instruct 2507",
            weights=Hub("Qwen/Qwen3-4B-Instruct-2507", size=8_050_000_000),
            licence="Apache-2.0",
            card="For GPUs from 16 GiB. Strong for its size in many languages, at code and arithmetic.",
            parameters=4_020_000_000,
            layers=36,
            kv_heads=8,
            head_dim=128,
            context=16_384,
        ),
        chat_model(
            device,
            id="qwen3-8b",
            title="Qwen3 8B",
            weights=Hub("Qwen/Qwen3-8B", size=16_400_000_000),
            licence="Apache-2.0",
            card="For GPUs from 24 GiB. Thinks step by step before it answers; over a hundred languages.",
            parameters=8_200_000_000,
            layers=36,
            kv_heads=8,
            head_dim=128,
            context=16_384,
        ),
        chat_model(
            device,
            id="mistral-small-24b",
            title="Mistral Small 24B Instruct 2501",
            weights=Hub("mistralai/Mistral-Small-24B-Instruct-2501", size=47_200_000_000),
            licence="Apache-2.0",
            card="For GPUs from 80 GiB. A strong all-round assistant with a plain, direct style.",
            parameters=23_600_000_000,
            layers=40,
            kv_heads=8,
            head_dim=128,
            context=32_768,
        ),
        chat_model(
            device,
            id="qwen3-30b-a3b",
            title="Qwen3 30B-A3B Instruct 2507",
            weights=Hub("Qwen/Qwen3-30B-A3B-Instruct-2507", size=61_000_000_000),
            licence="Apache-2.0",
            card="For GPUs from 80 GiB. A mixture of 128 experts of which 8 work on each token: large, yet quick.",
            parameters=30_500_000_000,
            layers=48,
            kv_heads=4,
            head_dim=128,
            context=32_768,
        ),
    ]


def chat_model(
    device: Device,
    *,
    id: str,
    title: str,
    weights: Weights,
    licence: str,
    card: str,
    parameters: int,
    layers: int,
    kv_heads: int,
    head_dim: int,
    context: int,
) -> ModelSpec[ChatRequest]:
    """A causal language model of transformers. `context` is the most tokens, prompt and answer, that we allow it."""
    cache = 2 * layers * kv_heads * head_dim * device.parameter_bytes * context
    return ModelSpec(
        id=id,
        title=title,
        modality="chat",
        family="autoregressive",
        request=ChatRequest,
        weights=weights,
        resident=parameters * device.parameter_bytes,
        working=cache + SLACK,
        licence=licence,
        card=card,
        load=LoadChat(context),
        sized_by=(
            f"{parameters / 1e9:.2f} billion parameters of {device.parameter_bytes} bytes; keys and values of "
            f"{layers} layers with {kv_heads} heads of {head_dim} for {context:,} tokens; {SLACK // 2**20} MiB more"
        ),
        limits={"context": context},
    )


@dataclass(frozen=True)
class LoadChat:
    """Loads a chat model. A value rather than a closure, so that specs can be compared and pickled."""

    context: int

    def __call__(self, device: Device, path: Path) -> Pipeline[ChatRequest]:
        from pipelines import chat

        return chat.load(device, path, self.context)
