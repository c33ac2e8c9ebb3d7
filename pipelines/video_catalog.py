"""The video models there are, as data: where their weights come from and what they hold in memory.

Parameters are those of each component, as the hub lists their files. A run's working memory is the autoencoder's,
which decodes a few frames at a time, and the finished frames'.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.device import Device
from pipelines.image_catalog import EMOJI_PARTS, PATTERNS, UPSCALER, UPSCALER_PARAMETERS, VALUES_PER_PIXEL
from pipelines.spec import Family, ModelSpec, Pipeline
from pipelines.upscale import parameter_bytes as upscale_parameter_bytes
from pipelines.video_request import BUILT_IN, VideoRequest
from pipelines.weights import MINILM, Bundled, Hub, Together

MOTION = Bundled("motion")
MOTION_PARAMETERS = 2_000_000
FRAMES_AT_ONCE = 4
BYTES_PER_PIXEL = 24  # of a finished frame: as decoded, and as it is handed out
UMT5_XXL, T5_XXL, GEMMA3_12B = 5_680_910_336, 4_762_310_656, 12_187_325_040
SD15 = 859_520_964 + 123_060_480 + 83_653_863
LARGEST = 512 * 512 * 48  # pixels of the longest clip that is built in
SLACK = 300 * 2**20


def video_models(device: Device) -> list[ModelSpec[VideoRequest]]:
    """The built-in video model, then open ones from the hub, smallest first."""
    parameters = sum(EMOJI_PARTS) + UPSCALER_PARAMETERS + MOTION_PARAMETERS
    return [
        ModelSpec(
            id=BUILT_IN,
            title="Polymuse motion",
            modality="video",
            family="flow",
            request=VideoRequest,
            weights=Together(
                (("model", MOTION), ("pictures", Bundled("emoji")), ("text", MINILM), ("upscaler", UPSCALER))
            ),
            resident=(parameters - UPSCALER_PARAMETERS) * 4 + UPSCALER_PARAMETERS * upscale_parameter_bytes(device),
            working=LARGEST * BYTES_PER_PIXEL + SLACK,
            licence="Apache-2.0; drawn from MIT, CC-BY 4.0 and OFL emoji",
            card="Built in, for any machine. Moves what it draws, or your picture, in fifteen ways; trained by us.",
            load=load,
            sized_by=f"{parameters / 1e6:.0f} million parameters of 4 bytes; the frames of its longest clip",
            limits={"steps": 20, "frames": 16, "most_frames": 48},
        ),
        _hub(
            device,
            id="animatediff-1.5",
            title="AnimateDiff on Stable Diffusion 1.5",
            weights=Together(
                (
                    ("model", Hub("stable-diffusion-v1-5/stable-diffusion-v1-5", patterns=PATTERNS, size=4 * SD15)),
                    ("adapter", Hub("guoyww/animatediff-motion-adapter-v1-5-3", size=1_670_000_000)),
                )
            ),
            parameters=SD15 + 417_000_000,
            pixels=512 * 512,
            frames=16,
            most=32,
            licence="CreativeML Open RAIL-M; adapter Apache-2.0",
            card="For GPUs from 8 GiB. Sixteen frames of whatever Stable Diffusion draws; small motions.",
        ),
        _hub(
            device,
            id="stable-video-diffusion-xt",
            title="Stable Video Diffusion XT",
            weights=Hub("stabilityai/stable-video-diffusion-img2vid-xt", patterns=PATTERNS, size=9_000_000_000),
            parameters=1_524_623_082 + 632_076_800 + 97_742_847,
            pixels=1024 * 576,
            frames=25,
            most=25,
            licence="Stability AI Community License",
            card="For GPUs from 16 GiB. Moves your picture as it sees fit: it reads no prompt. Gated on the hub.",
        ),
        _hub(
            device,
            id="cogvideox-2b",
            title="CogVideoX 2B",
            weights=Hub("zai-org/CogVideoX-2b", patterns=PATTERNS, size=13_800_000_000),
            parameters=1_693_000_000 + T5_XXL + 216_000_000,
            pixels=720 * 480,
            frames=49,
            most=49,
            licence="Apache-2.0",
            card="For GPUs from 24 GiB. Six seconds from a long, detailed prompt.",
        ),
        _hub(
            device,
            id="wan-2.1-1.3b",
            title="Wan 2.1 1.3B",
            weights=Hub("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", patterns=PATTERNS, size=28_900_000_000),
            parameters=1_418_996_800 + UMT5_XXL + 126_892_531,
            pixels=832 * 480,
            frames=81,
            most=121,
            licence="Apache-2.0",
            card="For GPUs from 24 GiB. Five seconds from a prompt, English or Chinese; small for what it can do.",
        ),
        _hub(
            device,
            id="ltx-video",
            title="LTX-Video",
            weights=Hub("Lightricks/LTX-Video", patterns=PATTERNS, size=28_600_000_000),
            parameters=1_923_000_000 + T5_XXL + 935_000_000,
            pixels=704 * 480,
            frames=97,
            most=257,
            licence="LTX-Video Open Weights License",
            card="For GPUs from 24 GiB. Faster than it plays on a large GPU; likes long prompts.",
        ),
        _hub(
            device,
            id="wan-2.2-5b",
            title="Wan 2.2 5B",
            weights=Hub("Wan-AI/Wan2.2-TI2V-5B-Diffusers", patterns=PATTERNS, size=34_200_000_000),
            parameters=5_000_000_000 + UMT5_XXL + 705_000_000,
            pixels=832 * 480,
            frames=81,
            most=121,
            licence="Apache-2.0",
            card="For GPUs from 32 GiB. Fine motion from a prompt.",
        ),
        _hub(
            device,
            id="ltx-2",
            title="LTX-2",
            weights=Hub("Lightricks/LTX-2", patterns=PATTERNS, size=66_000_000_000),
            parameters=18_900_000_000 + GEMMA3_12B + 1_400_000_000,
            pixels=768 * 512,
            frames=121,
            most=257,
            licence="LTX-2 Community License",
            card="For GPUs from 80 GiB. Clips with their sound: voices, music, noises.",
        ),
    ]


def _hub(
    device: Device,
    *,
    id: str,
    title: str,
    weights: Hub | Together,
    parameters: int,
    pixels: int,
    frames: int,
    most: int,
    licence: str,
    card: str,
    family: Family = "diffusion",
) -> ModelSpec[VideoRequest]:
    """A model in diffusers' layout; `pixels` of a frame, `frames` of a clip and the `most` that one can have: the last
    two as video_families has them, which is not known before the weights are here."""
    working = pixels * (FRAMES_AT_ONCE * VALUES_PER_PIXEL * device.parameter_bytes + most * BYTES_PER_PIXEL) + SLACK
    return ModelSpec(
        id=id,
        title=title,
        modality="video",
        family=family,
        request=VideoRequest,
        weights=weights,
        resident=parameters * device.parameter_bytes,
        working=working,
        licence=licence,
        card=card,
        load=load_hub,
        sized_by=f"{parameters / 1e9:.2f} billion parameters of {device.parameter_bytes} bytes; {VALUES_PER_PIXEL:,} "
        f"values for each pixel of {FRAMES_AT_ONCE} frames, {BYTES_PER_PIXEL} bytes for each of all {most}",
        limits={"frames": frames, "most_frames": most},
    )


def load(device: Device, path: Path) -> Pipeline[VideoRequest]:
    from pipelines import video

    return video.load(device, path)


def load_hub(device: Device, path: Path) -> Pipeline[VideoRequest]:
    from pipelines import video_hub

    return video_hub.load(device, path)
