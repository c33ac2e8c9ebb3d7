"""A GGUF file becomes a folder that from_pretrained loads: the same model, the same words, ready to chat."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import convert, decode_weights
from pipelines.convert import GgufToSafetensors
from pipelines.errors import BadWeights

pytestmark = pytest.mark.slow  # a model library is loaded, in the converting process and in this one

TEMPLATE = "{% for message in messages %}<|im_start|>{{ message['content'] }}<|im_end|>{% endfor %}"
WIDTH, LAYERS, HEADS = 64, 2, 2


def write_gguf(path: Path, *, leave_out: str = "", template: str = TEMPLATE) -> None:
    """A tiny Llama with tied embeddings and a byte-level vocabulary, as llama.cpp would write it."""
    import gguf
    import numpy as np
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *sorted(ByteLevel.alphabet()), "he"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(2 * WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3, *[1] * (len(tokens) - 3)])
    writer.add_token_merges(["h e"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    if template:
        writer.add_chat_template(template)
    random = np.random.default_rng(0)

    def add(name: str, *shape: int) -> None:
        if name != leave_out:
            spread = WIDTH**-0.5 if len(shape) > 1 else 1.0  # as in a trained model: sums stay near one
            writer.add_tensor(f"{name}.weight", random.normal(0, spread, size=shape).astype(np.float32))

    add("token_embd", len(tokens), WIDTH)
    add("output_norm", WIDTH)
    for layer in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{layer}.{name}", WIDTH, WIDTH)
        add(f"blk.{layer}.ffn_gate", 2 * WIDTH, WIDTH)
        add(f"blk.{layer}.ffn_up", 2 * WIDTH, WIDTH)
        add(f"blk.{layer}.ffn_down", WIDTH, 2 * WIDTH)
        add(f"blk.{layer}.attn_norm", WIDTH)
        add(f"blk.{layer}.ffn_norm", WIDTH)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    return source, target


def test_the_converted_model_is_the_same_model(folders: tuple[Path, Path]) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source, target = folders
    write_gguf(source / "tiny.gguf")
    convert.run(GgufToSafetensors("tiny.gguf"), source, target, "tiny", lambda: None)

    model = AutoModelForCausalLM.from_pretrained(target, dtype=torch.bfloat16)
    plain = AutoModelForCausalLM.from_pretrained(source, gguf_file="tiny.gguf", dtype=torch.bfloat16)
    tokenizer = AutoTokenizer.from_pretrained(target)
    ids = tokenizer("hello wörld", return_tensors="pt").input_ids
    with torch.inference_mode():
        assert torch.equal(model(ids).logits, plain(ids).logits)
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()
    assert tokenizer.decode(ids[0]) == "hello wörld"
    assert tokenizer.apply_chat_template([{"role": "user", "content": "he"}], tokenize=False) == (
        "<|im_start|>he<|im_end|>"
    )
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id == 2


def test_the_decoder_beside_it_is_the_same_model_too(folders: tuple[Path, Path]) -> None:
    import numpy as np
    import torch
    from transformers import AutoModelForCausalLM

    from pipelines.decode_engine import Decoder

    source, target = folders
    write_gguf(source / "tiny.gguf")
    convert.run(GgufToSafetensors("tiny.gguf", decoder=1), source, target, "tiny", lambda: None)
    ids = list(range(3, 40))
    with torch.inference_mode():
        plain = AutoModelForCausalLM.from_pretrained(target, dtype=torch.float32)(torch.tensor([ids])).logits[0]
    ours = Decoder(target / decode_weights.NAME, 64, cores=1, rows=1).every(0, 0, ids)
    assert np.corrcoef(ours.ravel(), plain.numpy().ravel())[0, 1] > 0.995


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({"leave_out": "blk.1.attn_q"}, r"lacks model.layers.1.self_attn.q_proj.weight"),
        ({"template": ""}, "no chat template"),
    ],
)
def test_a_model_with_something_missing_is_refused(
    folders: tuple[Path, Path], fault: dict[str, str], complaint: str
) -> None:
    source, target = folders
    write_gguf(source / "tiny.gguf", **fault)
    with pytest.raises(BadWeights, match=rf"Converting tiny failed.*{complaint}") as error:  # in one line
        convert.run(GgufToSafetensors("tiny.gguf"), source, target, "tiny", lambda: None)
    assert str(source) not in str(error.value)
