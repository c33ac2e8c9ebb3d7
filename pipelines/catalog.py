"""The one explicit list of models. Data only: loaders are imported when a model is loaded.

Sizes are computed, never guessed: a model's parameters times the bytes that one takes on this device, and the
key/value cache of the longest conversation that we allow, both from the figures on its card or in its config.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.chat import MOST_PICTURES, ChatRequest
from pipelines.code import Coder
from pipelines.code_catalog import CODERS
from pipelines.code_fim import Fim
from pipelines.code_request import CodeRequest
from pipelines.decode_prefixes import PREFIXES
from pipelines.device import Device
from pipelines.enhance_catalog import enhance_models
from pipelines.errors import BadRequest
from pipelines.events import Emit
from pipelines.image_catalog import image_models
from pipelines.music_catalog import music_models
from pipelines.shape_catalog import shape_models
from pipelines.spec import Modality, ModelSpec, Pipeline, Request
from pipelines.speech_catalog import match_model, speech_models
from pipelines.tasks import Tasks
from pipelines.tasks_request import TaskRequest
from pipelines.video_catalog import video_models
from pipelines.weights import SMOLLM2, Hub, Store, Weights

SMALL = 1_000_000_000  # parameters: with fewer an answer about code is begun for the model
SLACK = 150 * 2**20  # activations of one step, the logits of one token, and what the allocator rounds up

SEEING = ("smolvlm-256m", "smolvlm-500m", "qwen3-vl-4b", "qwen3-vl-8b")


@dataclass(frozen=True)
class Sight:
    """What looking at one picture takes at most: patches, each as wide as the widest layer makes it."""

    patches: int
    width: int


def models(device: Device) -> list[ModelSpec[Any]]:
    """Every model that comes with Polymuse, as it would be held on this device."""
    return [
        *chat_models(device),
        *(chat_model(device, modality="code", **vars(coder)) for coder in CODERS),
        *image_models(device),
        *speech_models(device),
        match_model(),
        *music_models(device),
        *shape_models(device),
        *enhance_models(device),
        *video_models(device),
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
            decoder=96_580_192,
        ),
        chat_model(
            device,
            id="smolvlm-256m",
            title="SmolVLM 256M",
            weights=Hub("HuggingFaceTB/SmolVLM-256M-Instruct", size=513_000_000),
            licence="Apache-2.0",
            card="Sees pictures, on any machine that reaches the hub. Describes them in plain English, and can err.",
            parameters=256_500_000,
            layers=30,
            kv_heads=3,
            head_dim=64,
            context=8_192,
            sight=Sight(5 * 1_024, 3_072),
        ),
        chat_model(
            device,
            id="smolvlm-500m",
            title="SmolVLM 500M",
            weights=Hub("HuggingFaceTB/SmolVLM-500M-Instruct", size=1_015_000_000),
            licence="Apache-2.0",
            card="Sees pictures, on a GPU or a patient CPU. Describes them, reads short texts; English.",
            parameters=507_500_000,
            layers=32,
            kv_heads=5,
            head_dim=64,
            context=8_192,
            sight=Sight(5 * 1_024, 3_072),
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
            id="qwen3-vl-4b",
            title="Qwen3 VL 4B Instruct",
            weights=Hub("Qwen/Qwen3-VL-4B-Instruct", size=8_876_000_000),
            licence="Apache-2.0",
            card="Sees pictures; for GPUs from 16 GiB. Reads documents, charts and handwriting in many languages.",
            parameters=4_438_000_000,
            layers=36,
            kv_heads=8,
            head_dim=128,
            context=16_384,
            sight=Sight(4 * 1_024, 4_096),
        ),
        chat_model(
            device,
            id="qwen3-vl-8b",
            title="Qwen3 VL 8B Instruct",
            weights=Hub("Qwen/Qwen3-VL-8B-Instruct", size=17_534_000_000),
            licence="Apache-2.0",
            card="Sees pictures; for GPUs from 24 GiB. The strongest here at explaining what it sees.",
            parameters=8_767_000_000,
            layers=36,
            kv_heads=8,
            head_dim=128,
            context=16_384,
            sight=Sight(4 * 1_024, 4_304),
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
    modality: Modality = "chat",
    fim: Fim | None = None,
    decoder: int = 0,
    sight: Sight | None = None,
) -> ModelSpec[ChatRequest]:
    """A causal language model of transformers. `context` is the most tokens, prompt and answer, that we allow it.

    Whatever it is best at, it takes chats, code and writing tasks alike. `decoder` are the bytes of its decoder for
    CPUs (decode_weights.py), if it comes with one: its keys and values have 16 bits, and it keeps those of earlier
    prompts. `sight` is of a model that takes pictures too; while one is looked at, about four layers' worth of it is
    held.
    """
    decodes = decoder > 0 and device.kind == "cpu"
    width = 2 if decodes else device.parameter_bytes
    cache = 2 * layers * kv_heads * head_dim * width * context
    seen = 0 if sight is None else 4 * MOST_PICTURES * sight.patches * sight.width * width
    resident = decoder + PREFIXES if decodes else parameters * width
    held = (
        f"weights of 4 and 8 bits, and {PREFIXES // 2**20} MiB of earlier prompts"
        if decodes
        else f"{parameters / 1e9:.2f} billion parameters of {width} bytes"
    )
    return ModelSpec(
        id=id,
        title=title,
        modality=modality,
        family="autoregressive",
        request=ChatRequest,
        weights=weights,
        resident=resident,
        working=cache + seen + SLACK,
        licence=licence,
        card=card,
        load=LoadChat(context, sees=sight is not None),
        sized_by=(
            f"{held}; keys and values of "
            f"{layers} layers with {kv_heads} heads of {head_dim} for {context:,} tokens; "
            + ("" if sight is None else f"{MOST_PICTURES} pictures of {sight.patches:,} patches; ")
            + f"{SLACK // 2**20} MiB more"
        ),
        limits={"context": context} | ({} if sight is None else {"pictures": MOST_PICTURES}),
        settle=blind if sight is None else None,
        also={CodeRequest: Coder(fim, parameters < SMALL), TaskRequest: Tasks(context)},
    )


def blind(spec: ModelSpec[Any], request: Request, store: Store, emit: Emit) -> ModelSpec[Any]:
    """Settles a model that cannot see: refuses pictures, before anything is fetched for them."""
    if isinstance(request, ChatRequest) and request.images:
        raise BadRequest(f"{spec.title} cannot see pictures. Choose a model that can: {', '.join(SEEING)}.")
    return spec


@dataclass(frozen=True)
class LoadChat:
    """Loads a chat model. A value rather than a closure, so that specs can be compared and pickled."""

    context: int
    sees: bool = False

    def __call__(self, device: Device, path: Path) -> Pipeline[ChatRequest]:
        if self.sees:
            from pipelines import chat_vision

            return chat_vision.load(device, path, self.context)
        from pipelines import chat

        return chat.load(device, path, self.context)
