"""Speech models of a few thousand random weights, saved as the hub has them, one of each family."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

WORDS = (
    "<pad>",
    "<unk>",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[PAD]",
    "[MASK]",
    "one",
    "two",
    "three",
    ".",
    ",",
    "[",
    "0",
    "]",
)


def vits(folder: Path) -> None:
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    (folder / "vocab.json").write_text(
        json.dumps({letter: at for at, letter in enumerate("_ abcdefghijklmnopqrstuvwxyz")})
    )
    VitsTokenizer(folder / "vocab.json", pad_token="_", unk_token="_", phonemize=False).save_pretrained(folder)
    config = VitsConfig(
        vocab_size=28,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        flow_size=16,
        spectrogram_bins=9,
        upsample_initial_channel=16,
        upsample_rates=[8, 8],
        upsample_kernel_sizes=[16, 16],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1]],
        prior_encoder_num_flows=2,
        prior_encoder_num_wavenet_layers=1,
        posterior_encoder_num_wavenet_layers=1,
        duration_predictor_num_flows=2,
        duration_predictor_flow_bins=4,
        depth_separable_num_layers=2,
    )
    VitsModel(config).save_pretrained(folder)


def _words(folder: Path, **special: str) -> Any:
    """A tokenizer that knows a few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    named = [*WORDS, *(name for name in special.values() if name not in WORDS)]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(named)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", **special)


def _fill_codebooks(model: torch.nn.Module) -> None:
    """They are counted, not learned, and begin empty: every code would sound the same."""
    for name, buffer in model.named_buffers():
        if name.endswith(("codebook.embed", "codebook.embed_sum")):
            buffer.normal_()


def bark(folder: Path) -> None:
    from transformers import BarkConfig, BarkModel, BarkProcessor, EncodecConfig
    from transformers.models.bark.generation_configuration_bark import (
        BarkCoarseGenerationConfig,
        BarkFineGenerationConfig,
        BarkSemanticGenerationConfig,
    )

    small = {"hidden_size": 8, "num_layers": 1, "num_heads": 2, "block_size": 1024}
    codec = EncodecConfig(
        sampling_rate=24_000,
        num_filters=2,
        hidden_size=8,
        codebook_dim=8,
        codebook_size=1024,
        upsampling_ratios=[8, 5, 4, 2],
        num_lstm_layers=1,
    )
    config = BarkConfig(
        semantic_config={**small, "input_vocab_size": 129_600, "output_vocab_size": 10_048},
        coarse_acoustics_config={**small, "input_vocab_size": 12_096, "output_vocab_size": 12_096},
        fine_acoustics_config={**small, "input_vocab_size": 1_056, "output_vocab_size": 1_056},
        codec_config=codec.to_dict(),
    )
    model = BarkModel(config)
    _fill_codebooks(model)
    model.save_pretrained(folder)
    parts = {
        "semantic_config": BarkSemanticGenerationConfig(max_new_tokens=6).to_dict(),
        "coarse_acoustics_config": BarkCoarseGenerationConfig().to_dict(),
        "fine_acoustics_config": BarkFineGenerationConfig().to_dict(),
    }
    facts = {"model_type": "bark", "sample_rate": 24_000, "codebook_size": 1_024, **parts}
    (folder / "generation_config.json").write_text(json.dumps(facts))
    BarkProcessor(_words(folder)).save_pretrained(folder)


def csm(folder: Path) -> None:
    from transformers import CsmConfig, CsmForConditionalGeneration, CsmProcessor, EncodecFeatureExtractor

    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2}
    config = CsmConfig(
        **small,
        intermediate_size=16,
        num_codebooks=4,
        vocab_size=32,
        text_vocab_size=40,
        codebook_pad_token_id=31,
        codebook_eos_token_id=0,
        pad_token_id=5,
        bos_token_id=3,
        audio_token_id=15,
        audio_eos_token_id=16,
        depth_decoder_config={
            **small,
            "intermediate_size": 16,
            "num_codebooks": 4,
            "vocab_size": 32,
            "backbone_hidden_size": 16,
        },
        codec_config={
            "model_type": "mimi",
            **small,
            "sampling_rate": 24_000,
            "num_filters": 4,
            "num_residual_layers": 1,
            "upsampling_ratios": [8, 4],
            "codebook_size": 32,
            "codebook_dim": 16,
            "vector_quantization_hidden_dimension": 16,
            "upsample_groups": 16,
            "intermediate_size": 16,
            "num_quantizers": 4,
            "sliding_window": 4,
        },
    )
    model = CsmForConditionalGeneration(config)
    _fill_codebooks(model)
    model.generation_config.update(max_new_tokens=5)
    model.save_pretrained(folder)
    special = {"audio_token": "<|AUDIO|>", "audio_eos_token": "<|audio_eos|>"}
    CsmProcessor(EncodecFeatureExtractor(sampling_rate=24_000), _words(folder, **special)).save_pretrained(folder)


FAMILIES: dict[str, Callable[[Path], None]] = {
    "VitsModel": vits,
    "BarkModel": bark,
    "CsmForConditionalGeneration": csm,
}


def make(architecture: str, folder: Path) -> Path:
    """A model of this class in the folder; the same each time."""
    folder.mkdir()
    torch.manual_seed(0)
    FAMILIES[architecture](folder)
    return folder
