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
POCKET_TALK = (
    "{% for turn in messages %}{% for part in turn['content'] %}"
    "{% if part['type'] == 'audio' %}<|voice|><|heard|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}<|speech|>"
)
VIBE_TALK = (
    "{% for turn in messages %}{% for part in turn['content'] if part['type'] == 'audio' %}"
    "Speaker {{ turn['role'] }}:<|vision_start|><|vision_pad|><|vision_end|>\n{% endfor %}{% endfor %}"
    "{% for turn in messages %}{% for part in turn['content'] if part['type'] == 'text' %}"
    "Speaker {{ turn['role'] }}: {{ part['text'] }}\n{% endfor %}{% endfor %}<|vision_start|>"
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


def pocket_tts(folder: Path) -> None:
    """In two folders, as it is fetched: the model, and its codec."""
    from transformers import (
        PocketTTSAudioTokenizerConfig,
        PocketTTSAudioTokenizerModel,
        PocketTTSConfig,
        PocketTTSFeatureExtractor,
        PocketTTSFlowHeadConfig,
        PocketTTSForConditionalGeneration,
        PocketTTSProcessor,
    )

    small = {"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "intermediate_size": 16}
    codec = PocketTTSAudioTokenizerModel(
        PocketTTSAudioTokenizerConfig(
            **small,
            hidden_size=16,
            num_filters=4,
            upsampling_ratios=[8, 8],
            upsample_groups=16,
            latent_stride=4,
            latent_dim=4,
            sliding_window=4,
        )
    )
    codec.save_pretrained(folder / "codec")
    special = {
        "audio_prompt_bos_token": "<|voice|>",
        "audio_prompt_token": "<|heard|>",
        "audio_latent_token": "<|latent|>",
        "audio_bos_token": "<|speech|>",
    }
    tokenizer = _words(folder, **special)
    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in special.items()}
    flow = PocketTTSFlowHeadConfig(
        hidden_size=8, num_hidden_layers=1, latent_dim=4, condition_dim=16, frequency_embedding_size=8
    )
    config = PocketTTSConfig(
        **small,
        hidden_size=16,
        vocab_size=len(tokenizer),
        latent_dim=4,
        flow_head_config=flow.to_dict(),
        **{f"{name}_id": id for name, id in ids.items()},
    )
    model = PocketTTSForConditionalGeneration(config)
    model.generation_config.update(max_new_tokens=12, do_sample=True)
    model.save_pretrained(folder / "model")
    frame = codec.config.frame_size
    extractor = PocketTTSFeatureExtractor(sampling_rate=24_000, frame_size=frame, pad_to_multiple_of=frame)
    PocketTTSProcessor(extractor, tokenizer, codec, chat_template=POCKET_TALK).save_pretrained(folder / "model")


def vibevoice(folder: Path) -> None:
    from transformers import (
        VibeVoiceAcousticTokenizerFeatureExtractor,
        VibeVoiceConfig,
        VibeVoiceForConditionalGeneration,
        VibeVoiceProcessor,
    )

    special = {
        "audio_bos_token": "<|vision_start|>",
        "audio_eos_token": "<|vision_end|>",
        "audio_token": "<|vision_pad|>",
    }
    tokenizer = _words(folder, **special)
    ids = {f"{name}_id": tokenizer.convert_tokens_to_ids(token) for name, token in special.items()}
    text = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2}
    sound = {
        "hidden_size": 4,
        "num_filters": 4,
        "downsampling_ratios": [8, 8, 4],
        "depths": [1, 1, 1, 1],
        "initializer_range": 0.3,
    }
    config = VibeVoiceConfig(
        text_config={**text, "model_type": "qwen2", "intermediate_size": 16, "vocab_size": len(tokenizer)},
        audio_config={**sound, "model_type": "vibevoice_acoustic_tokenizer"},
        semantic_model_config={**sound, "model_type": "vibevoice_acoustic_tokenizer_encoder"},
        diffusion_head_config={"num_hidden_layers": 1, "intermediate_size": 16, "frequency_embedding_size": 8},
        pad_token_id=0,
        eos_token_id=0,
        **ids,
    )
    model = VibeVoiceForConditionalGeneration(config)
    never = [0, ids["audio_bos_token_id"], ids["audio_eos_token_id"]]  # it goes on to the end
    model.generation_config.update(suppress_tokens=never, num_diffusion_steps=2)
    model.save_pretrained(folder)
    extractor = VibeVoiceAcousticTokenizerFeatureExtractor(pad_to_multiple_of=256)
    VibeVoiceProcessor(extractor, tokenizer, chat_template=VIBE_TALK).save_pretrained(folder)


def dia(folder: Path) -> None:
    """In two folders, as it is fetched: the model, and its codec."""
    from transformers import (
        DacConfig,
        DacModel,
        DiaConfig,
        DiaFeatureExtractor,
        DiaForConditionalGeneration,
        DiaProcessor,
        DiaTokenizer,
    )

    codec = DacModel(
        DacConfig(
            encoder_hidden_size=4,
            decoder_hidden_size=16,
            downsampling_ratios=[8, 8],
            n_codebooks=9,
            codebook_size=1024,
            codebook_dim=2,
            sampling_rate=44_100,
        )
    )
    codec.save_pretrained(folder / "codec")
    small = {"num_hidden_layers": 1, "num_attention_heads": 2, "head_dim": 8, "intermediate_size": 16}
    config = DiaConfig(
        encoder_config={**small, "hidden_size": 16, "num_key_value_heads": 2},
        decoder_config={
            **small,
            "hidden_size": 16,
            "num_key_value_heads": 2,
            "cross_num_attention_heads": 2,
            "cross_head_dim": 8,
            "cross_num_key_value_heads": 2,
            "cross_hidden_size": 16,
        },
    )
    model = DiaForConditionalGeneration(config)
    model.generation_config.update(max_new_tokens=40, do_sample=True, guidance_scale=3.0, top_k=45)
    model.save_pretrained(folder / "model")
    extractor = DiaFeatureExtractor(sampling_rate=44_100, hop_length=64)
    DiaProcessor(extractor, DiaTokenizer(), codec).save_pretrained(folder / "model")


FAMILIES: dict[str, Callable[[Path], None]] = {
    "VitsModel": vits,
    "BarkModel": bark,
    "CsmForConditionalGeneration": csm,
    "PocketTTSForConditionalGeneration": pocket_tts,
    "VibeVoiceForConditionalGeneration": vibevoice,
    "DiaForConditionalGeneration": dia,
}


def make(architecture: str, folder: Path) -> Path:
    """A model of this class in the folder; the same each time."""
    folder.mkdir()
    torch.manual_seed(0)
    FAMILIES[architecture](folder)
    return folder
