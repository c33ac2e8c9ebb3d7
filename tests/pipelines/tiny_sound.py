"""The music families of the hub at tiny sizes: real classes, random weights, saved as their makers save them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.pipelines.tiny_parts import qwen_tokenizer, t5_tokenizer

RATE = 400  # of the sound that they make


def _t5() -> Any:
    from transformers import T5Config

    return T5Config(
        vocab_size=128,
        d_model=16,
        d_kv=4,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
        pad_token_id=0,
    )


def _oobleck(channels: int) -> Any:
    from diffusers import AutoencoderOobleck

    return AutoencoderOobleck(
        encoder_hidden_size=6,
        downsampling_ratios=[2, 8],
        decoder_channels=3,
        decoder_input_channels=channels,
        audio_channels=2,
        channel_multiples=[2, 4],
        sampling_rate=RATE,
    )


def stable_audio(folder: Path) -> None:
    """Stable Audio: a transformer over latents of sound, told the text and the seconds."""
    import torch
    from diffusers import (
        CosineDPMSolverMultistepScheduler,
        StableAudioDiTModel,
        StableAudioPipeline,
        StableAudioProjectionModel,
    )
    from transformers import T5EncoderModel

    torch.manual_seed(0)
    pipe = StableAudioPipeline(
        transformer=StableAudioDiTModel(
            sample_size=1_300,
            in_channels=3,
            num_layers=1,
            attention_head_dim=4,
            num_key_value_attention_heads=2,
            num_attention_heads=2,
            out_channels=3,
            cross_attention_dim=4,
            time_proj_dim=8,
            global_states_input_dim=8,
            cross_attention_input_dim=4,
        ),
        scheduler=CosineDPMSolverMultistepScheduler(
            solver_order=2, prediction_type="v_prediction", sigma_data=1.0, sigma_schedule="exponential"
        ),
        vae=_oobleck(3),
        text_encoder=T5EncoderModel(_t5()),
        tokenizer=t5_tokenizer(),
        projection_model=StableAudioProjectionModel(
            text_encoder_dim=16, conditioning_dim=4, min_value=0, max_value=64
        ),
    )
    pipe.save_pretrained(folder)


def ace_step(folder: Path) -> None:
    """ACE-Step: flow matching over latents of sound, told text, lyrics, tempo and key."""
    import torch
    from diffusers import AceStepPipeline, AceStepTransformer1DModel, FlowMatchEulerDiscreteScheduler
    from diffusers.pipelines.ace_step import AceStepConditionEncoder
    from transformers import Qwen3Config, Qwen3Model

    shape = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "rope_theta": 10_000.0}
    torch.manual_seed(0)
    pipe = AceStepPipeline(
        transformer=AceStepTransformer1DModel(
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=1,
            in_channels=24,
            audio_acoustic_hidden_dim=8,
            patch_size=2,
            sliding_window=16,
            is_turbo=True,
            **shape,
        ),
        condition_encoder=AceStepConditionEncoder(
            hidden_size=32,
            intermediate_size=32,
            text_hidden_dim=32,
            timbre_hidden_dim=8,
            num_lyric_encoder_hidden_layers=1,
            num_timbre_encoder_hidden_layers=1,
            sliding_window=16,
            **shape,
        ),
        vae=_oobleck(8),
        text_encoder=Qwen3Model(
            Qwen3Config(
                hidden_size=32,
                intermediate_size=32,
                num_hidden_layers=1,
                num_attention_heads=4,
                num_key_value_heads=2,
                head_dim=8,
                vocab_size=320,
            )
        ),
        tokenizer=qwen_tokenizer(),
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
    )
    pipe.save_pretrained(folder)


def musicgen(folder: Path, channels: int = 1) -> None:
    """MusicGen: a decoder over the codes of EnCodec, told what T5 made of the text."""
    import torch
    from transformers import (
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
    )

    torch.manual_seed(0)
    codec = EncodecConfig(
        sampling_rate=RATE,
        audio_channels=1,
        num_filters=4,
        hidden_size=8,
        num_residual_layers=1,
        upsampling_ratios=[4, 2],
        codebook_size=32,
        codebook_dim=8,
        num_lstm_layers=1,
        target_bandwidths=[1.0],
        use_causal_conv=False,
        norm_type="weight_norm",
        kernel_size=3,
        last_kernel_size=3,
        residual_kernel_size=3,
    )
    decoder = MusicgenDecoderConfig(
        vocab_size=32,
        max_position_embeddings=4_096,
        num_hidden_layers=2,
        ffn_dim=16,
        num_attention_heads=2,
        hidden_size=16,
        num_codebooks=4 * channels,
        audio_channels=channels,
        pad_token_id=32,
        bos_token_id=32,
    )
    model = MusicgenForConditionalGeneration(MusicgenConfig(text_encoder=_t5(), audio_encoder=codec, decoder=decoder))
    for layer in model.audio_encoder.quantizer.layers:
        torch.nn.init.normal_(layer.codebook.embed)  # nothing before it is trained: all codes would sound the same
    model.generation_config.decoder_start_token_id = 32
    model.generation_config.pad_token_id = 32
    model.generation_config.bos_token_id = 32
    model.save_pretrained(folder)
    t5_tokenizer().save_pretrained(folder)
