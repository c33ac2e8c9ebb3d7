"""A tiny Llama with a decoder beside it, made of a GGUF file as llama.cpp would write it, and the same for torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pipelines import decode_weights
from pipelines.decode_weights import Shape
from tests.pipelines import tiny

CONTEXT = 512
SIZE: dict[str, Any] = {"hidden_size": 64, "head_dim": 16, "tie_word_embeddings": True}
NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "model.layers.": "blk.",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
TYPES = {"": "Q4_1", "token_embd": "Q8_0", "norm": "F32"}  # by a part of the name, the last that fits: SmolLM2's


def prompt(seed: int, length: int = 40) -> list[int]:
    return np.random.default_rng(seed).integers(0, 256, length).tolist()


def save(folder: Path, types: dict[str, str] = TYPES, **config: Any) -> Path:
    """The model with its decoder, in the layout of save_pretrained; its weights can be had in these types."""
    import torch
    from gguf import GGMLQuantizationType as Type
    from gguf import GGUFWriter
    from gguf.quants import dequantize, quantize
    from transformers import AutoModelForCausalLM

    tiny.save(folder, **(SIZE | config))
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    writer = GGUFWriter(folder / "tiny.gguf", "llama")
    with torch.no_grad():
        for name, values in model.named_parameters():
            theirs = name
            for ours, there in NAMES.items():
                theirs = theirs.replace(ours, there)
            kind = Type[[value for part, value in types.items() if part in theirs][-1]]
            packed = quantize(values.numpy(), kind)
            values.copy_(torch.from_numpy(dequantize(packed, kind)))
            writer.add_tensor(theirs, neighbours(packed, theirs, model.config), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model.save_pretrained(folder)
    decode_weights.write(folder / "tiny.gguf", Shape.of(model.config), folder / decode_weights.NAME)
    return folder


def neighbours(rows: Any, name: str, config: Any) -> Any:
    """A matrix's rows as llama.cpp orders them: what is rotated together lies side by side."""
    heads = config.num_attention_heads if "attn_q" in name else config.num_key_value_heads if "attn_k" in name else 0
    if not heads:
        return rows
    return rows.reshape(heads, 2, -1, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def plain(folder: Path, rounds: bool = False) -> Any:
    """The model of this folder, computed by transformers in float32. With `rounds` products take what ours do."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for module in model.modules() if rounds else ():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_pre_hook(lambda _, given: (rounded(given[0]),))
    return model


def rounded(numbers: Any) -> Any:
    """Each 32 neighbours as multiples of a 127th of the largest of them."""
    blocks = numbers.unflatten(-1, (-1, 32))
    scales = (blocks.abs().amax(-1, keepdim=True) / 127).clamp(min=1e-30)
    return ((blocks / scales).round() * scales).flatten(-2)


def cache(rounds: bool) -> Any:
    """Keys and values for transformers' models; with `rounds` they are kept in half precision."""
    from transformers import DynamicCache

    class Halves(DynamicCache):
        def update(self, keys: Any, values: Any, *others: Any, **more: Any) -> Any:
            return super().update(keys.half().float(), values.half().float(), *others, **more)

    return Halves() if rounds else DynamicCache()
