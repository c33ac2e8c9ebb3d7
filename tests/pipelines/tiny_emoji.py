"""The built-in image model at tiny size."""

from __future__ import annotations

from typing import Any

from tests.pipelines.tiny_parts import bert_tokenizer


def emoji() -> Any:
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler
    from transformers import BertConfig, BertModel

    from pipelines.image_autoencoder import Autoencoder
    from pipelines.image_emoji import EmojiPipeline
    from pipelines.image_model import Denoiser
    from pipelines.image_references import TEXT_WIDTH, References

    names, styles = ["red heart", "cat", "dog"] * 2, ["3d", "flat"] * 3
    bert = {"vocab_size": 200, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 32}
    pipe = EmojiPipeline(
        vae=Autoencoder(4, 16, 1, 1, 8, latents_mean=(0.1, -0.2, 0.3, 0.0), latents_std=(1.0, 0.5, 2.0, 1.0)),
        denoiser=Denoiser(channels=4, width=32, layers=1, head_width=16, text_width=TEXT_WIDTH, references=2),
        references=References.of(
            names, styles, torch.randn(6, TEXT_WIDTH), torch.randn(6, 4, 16, 16), torch.randn(6, 4, 8, 8)
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(),
        text_encoder=BertModel(BertConfig(**bert, hidden_size=TEXT_WIDTH)),
        tokenizer=bert_tokenizer(),
    )
    for part in (pipe.vae, pipe.denoiser):  # much of them is zero before training
        for weight in part.parameters():
            torch.nn.init.normal_(weight, std=0.1)
    return pipe
