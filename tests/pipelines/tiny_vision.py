"""Tiny vision language models of the catalog's real classes, random weights, saved as a hub repository holds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.pipelines import tiny

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for part in m['content'] %}"
    "{% if part['type'] == 'image' %}PICTURE{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SIZE = {name: size for name, size in tiny.SIZE.items() if name != "vocab_size"} | {"max_position_embeddings": 2_048}

FAMILIES = {
    "idefics3": "<image>",  # SmolVLM
    "qwen3_vl": "<|vision_start|><|image_pad|><|vision_end|>",
}
MARKS = {
    "idefics3": ["<image>", "<fake_token_around_image>", "<end_of_utterance>", "<global-img>"],
    "qwen3_vl": ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"],
}


def save(folder: Path, family: str = "idefics3", template: str | None = TEMPLATE) -> Path:
    """A model, its tokenizer and the settings of its picture processor in `folder`."""
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    tokenizer = tiny.tokenizer(template and template.replace("PICTURE", FAMILIES[family]))
    tokenizer.add_special_tokens({"additional_special_tokens": MARKS[family]})
    mark = tokenizer.convert_tokens_to_ids(MARKS[family])
    torch.manual_seed(0)
    config = AutoConfig.for_model(family, **_config(family, mark, len(tokenizer)))
    model = AutoModelForImageTextToText.from_config(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # else every next token is about as likely as any other
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for name, settings in _settings(family).items():
        (folder / name).write_text(json.dumps(settings), "utf-8")
    return folder


def _config(family: str, mark: list[int], vocabulary: int) -> dict[str, Any]:
    text = {**SIZE, "vocab_size": vocabulary}
    eyes = {"hidden_size": 32, "intermediate_size": 64}
    if family == "idefics3":
        eyes |= {"num_hidden_layers": 1, "num_attention_heads": 4, "image_size": 32, "patch_size": 4}
        text |= {"model_type": "llama"}
        return {"text_config": text, "vision_config": eyes, "scale_factor": 2, "image_token_id": mark[0]}
    eyes |= {"depth": 2, "num_heads": 4, "out_hidden_size": 32, "patch_size": 8, "deepstack_visual_indexes": [0]}
    text |= {"rope_parameters": {"rope_type": "default", "rope_theta": 10_000, "mrope_section": [2, 1, 1]}}
    marks = zip(("image", "video", "vision_start", "vision_end"), mark, strict=True)
    return {"text_config": text, "vision_config": eyes} | {f"{name}_token_id": id for name, id in marks}


def _settings(family: str) -> dict[str, dict[str, Any]]:
    """As they lie beside the weights on the hub; Qwen's come with a video processor's too."""
    even = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    if family == "idefics3":
        sizes = {"size": {"longest_edge": 128}, "max_image_size": {"longest_edge": 32}}
        kind = {"image_processor_type": "Idefics3ImageProcessor", "processor_class": "Idefics3Processor"}
        processor = {"image_seq_len": 16, "processor_class": "Idefics3Processor"}
        return {"preprocessor_config.json": {**kind, **sizes, **even}, "processor_config.json": processor}
    patches = {
        "patch_size": 8,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "processor_class": "Qwen3VLProcessor",
        **even,
    }
    size = {"size": {"shortest_edge": 32 * 32, "longest_edge": 96 * 96}}
    return {
        "preprocessor_config.json": {**patches, **size, "image_processor_type": "Qwen2VLImageProcessorFast"},
        "video_preprocessor_config.json": {**patches, **size, "video_processor_type": "Qwen3VLVideoProcessor"},
    }
