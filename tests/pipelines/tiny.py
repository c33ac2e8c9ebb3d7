"""Tiny language models of the catalog's real classes, random weights, saved as a hub repository holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STRICT = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{{ m['content'] }}{% endfor %}"
)
SIZE = {
    "vocab_size": 320,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
    "bos_token_id": 257,
    "eos_token_id": 258,
    "pad_token_id": 258,
}
EXPERTS = {"moe_intermediate_size": 16, "num_experts": 4, "num_experts_per_tok": 2}

FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},  # SmolLM2
    "smollm3": {},
    "qwen3": {},
    "mistral": {},
    "qwen3_moe": EXPERTS,
    "qwen2": {},  # Qwen2.5-Coder
    "starcoder2": {},
}


def tokenizer(template: str | None = CHATML) -> Any:
    """Bytes as tokens, and the markers of the chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={char: n for n, char in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|im_end|>", bos_token="<|im_start|>", chat_template=template
    )


def save(folder: Path, family: str = "llama", template: str | None = CHATML, **config: Any) -> Path:
    """A model and its tokenizer in `folder`, in the layout of save_pretrained."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    settings = AutoConfig.for_model(family, **{**SIZE, **FAMILIES[family], **config})
    model = AutoModelForCausalLM.from_config(settings)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # else every next token is about as likely as any other
    model.save_pretrained(folder)
    tokenizer(template).save_pretrained(folder)
    return folder
