"""The 3D models at tiny size: the built-in one with shapes of its own, and Shap-E's classes with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.pipelines.tiny_parts import bert_tokenizer, clip_tokenizer

NAMES = [("heart",), ("cat", "kitten"), ("dog",)]
KINDS, PAINTS = ["heart", "cat", "dog"] * 2, ["red"] * 3 + ["blue"] * 3


def balls(count: int) -> Any:
    """Grids with a ball each, one larger than the other, in all colours."""
    import torch

    from pipelines.shape_codec import Grids

    axis = (torch.arange(48) + 0.5) / 48 - 0.5
    away = (axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None] ** 2).sqrt()
    radii = torch.linspace(0.2, 0.4, count)[:, None, None, None]
    distance = ((away - radii) * 16).clamp(-1, 1)[:, None]
    colour = torch.linspace(-1, 1, count)[:, None, None, None, None].expand(count, 3, 24, 24, 24)
    return Grids(distance, colour)


def built_in(folder: Path) -> None:
    """As pipelines.shape.load() finds it: `model` and `sentences`."""
    import torch
    from transformers import BertConfig, BertModel

    from pipelines.image_text import TextEncoder
    from pipelines.shape_codec import ShapeCodec
    from pipelines.shape_library import ShapeLibrary, quantised
    from pipelines.shape_model import ShapeDenoiser
    from training.shape_latents import solve

    torch.manual_seed(0)
    bert = {"vocab_size": 200, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 32}
    encoder = TextEncoder(BertModel(BertConfig(**bert, hidden_size=384)).eval(), bert_tokenizer())
    codec, shapes = ShapeCodec(channels=32, width=8, blocks=1), balls(len(KINDS))
    with torch.no_grad():
        solve(codec, shapes)
        codec.deviation.clamp_(min=1e-3)
        latents = quantised(codec.encode(shapes))
    vectors = encoder.sentences([f"a {paint} {kind}" for paint, kind in zip(PAINTS, KINDS, strict=True)])
    library = ShapeLibrary.of(NAMES, KINDS, PAINTS, vectors, latents, encoder.sentences)
    denoiser = ShapeDenoiser(width=32, layers=1, head_width=16, fine_width=8)
    codec.save_pretrained(folder / "model" / "codec")
    denoiser.save_pretrained(folder / "model" / "denoiser")
    library.save_pretrained(folder / "model" / "library")
    encoder.model.save_pretrained(folder / "sentences")
    encoder.tokenizer.save_pretrained(folder / "sentences")


def _shap_e(folder: Path, kind: str, **parts: Any) -> None:
    import diffusers
    import torch
    from diffusers import HeunDiscreteScheduler, PriorTransformer
    from diffusers.pipelines.shap_e import ShapERenderer

    torch.manual_seed(0)
    prior = PriorTransformer(
        num_attention_heads=2,
        attention_head_dim=16,
        embedding_dim=16,
        num_embeddings=32,
        embedding_proj_dim=16,
        time_embed_dim=64,
        num_layers=1,
        clip_embed_dim=32,
        additional_embeddings=0,
        time_embed_act_fn="gelu",
        norm_in_type="layer",
        encoder_hid_proj_type=None,
        added_emb_type=None,
        embedding_proj_norm_type="layer" if kind.endswith("Img2ImgPipeline") else None,
    )
    renderer = ShapERenderer(
        param_shapes=((8, 93), (8, 8), (8, 8), (8, 8)), d_latent=16, d_hidden=8, n_output=12, background=(0.1,) * 3
    )
    scheduler = HeunDiscreteScheduler(
        beta_schedule="exp",
        num_train_timesteps=1024,
        prediction_type="sample",
        use_karras_sigmas=True,
        clip_sample=True,
        clip_sample_range=1.0,
    )
    getattr(diffusers, kind)(prior=prior, scheduler=scheduler, shap_e_renderer=renderer, **parts).save_pretrained(
        folder
    )


def from_text(folder: Path) -> None:
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=1000,
        hidden_size=16,
        projection_dim=16,
        intermediate_size=37,
        num_hidden_layers=1,
        num_attention_heads=2,
    )
    encoder = CLIPTextModelWithProjection(config)
    _shap_e(folder, "ShapEPipeline", text_encoder=encoder, tokenizer=clip_tokenizer())


def from_picture(folder: Path) -> None:
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    config = CLIPVisionConfig(
        hidden_size=16, image_size=32, projection_dim=16, intermediate_size=37, num_hidden_layers=1,
        num_attention_heads=2, patch_size=8,
    )  # fmt: skip
    processor = CLIPImageProcessor(crop_size=32, size=32)
    _shap_e(folder, "ShapEImg2ImgPipeline", image_encoder=CLIPVisionModel(config), image_processor=processor)
