"""The built-in image model with random weights, and a small picture set that it could have learned from."""

from __future__ import annotations

import pytest

from tests.pipelines import tiny
from tests.training.conftest import picture_set


@pytest.fixture(scope="session")
def pictures():
    return picture_set()


@pytest.fixture(scope="session")
def emoji(pictures):
    """An EmojiPipeline whose pictures are noise, though always the same for a prompt and a seed."""
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    from pipelines.image_autoencoder import Autoencoder
    from pipelines.image_emoji import EmojiPipeline
    from pipelines.image_model import Denoiser
    from pipelines.image_references import TEXT_WIDTH, References

    torch.manual_seed(0)
    autoencoder = Autoencoder(width=16, decoder_blocks=1, fine_width=8)
    autoencoder.register_to_config(latents_mean=[0.0] * 8, latents_std=[1.0] * 8)
    denoiser = Denoiser(width=64, layers=1, head_width=32, fine_width=8)
    for parameter in denoiser.parameters():  # what starts at zero would make all pictures alike
        torch.nn.init.normal_(parameter, std=0.05)
    rows = pictures.rows(withheld=False).tolist()
    names, styles = ([pictures.records[row][key] for row in rows] for key in ("label", "style"))
    vectors, latents, small = (torch.randn(len(rows), *shape) for shape in ((TEXT_WIDTH,), (8, 16, 16), (8, 8, 8)))
    config = BertConfig(
        vocab_size=320, hidden_size=TEXT_WIDTH, num_hidden_layers=1, num_attention_heads=6, intermediate_size=16
    )
    tokenizer = tiny.tokenizer(None)
    tokenizer.pad_token = "<|endoftext|>"
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(  # so that an empty prompt has a token too
        single=f"{tokenizer.bos_token} $A", special_tokens=[(tokenizer.bos_token, tokenizer.bos_token_id)]
    )
    pipe = EmojiPipeline(
        vae=autoencoder.eval(),
        denoiser=denoiser.eval(),
        references=References.of(names, styles, vectors, latents, small),
        scheduler=FlowMatchEulerDiscreteScheduler(),
        text_encoder=BertModel(config).eval(),
        tokenizer=tokenizer,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe
