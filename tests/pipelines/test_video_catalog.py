"""The video models: complete, sized for their longest clips, and as able as their families."""

from __future__ import annotations

import re

import pytest

from pipelines import video
from pipelines.device import Device
from pipelines.spec import Registry
from pipelines.video_catalog import video_models
from pipelines.video_families import FAMILIES
from pipelines.video_request import BUILT_IN

GIB = 2**30
MODELS = Registry(video_models(Device("cuda", "a GPU", 80 * GIB, half=True)))
CLASSES = {
    "animatediff-1.5": "AnimateDiffPipeline",
    "stable-video-diffusion-xt": "StableVideoDiffusionPipeline",
    "cogvideox-2b": "CogVideoXPipeline",
    "wan-2.1-1.3b": "WanPipeline",
    "ltx-video": "LTXPipeline",
    "wan-2.2-5b": "WanPipeline",
    "ltx-2": "LTX2Pipeline",
}


@pytest.mark.parametrize("id", [spec.id for spec in MODELS if spec.id != BUILT_IN])
def test_an_entry_s_clips_are_its_family_s(id: str) -> None:
    """The page offers as many frames as the entry says, and memory is asked for so many."""
    spec, best = MODELS[id], FAMILIES[CLASSES[id]].made_for
    assert spec.limits == {"frames": best.frames, "most_frames": best.most}
    longest = 24 * best.width * best.height * best.most
    assert spec.working > longest and f"of all {best.most}" in spec.sized_by


def test_the_built_in_model_does_what_its_entry_says() -> None:
    assert MODELS[BUILT_IN].limits == {"steps": video.STEPS, "frames": video.FRAMES, "most_frames": video.MOST}


@pytest.mark.parametrize("id", [spec.id for spec in MODELS if spec.id != BUILT_IN])
def test_the_gpu_that_its_card_names_is_large_enough(id: str) -> None:
    named = re.search(r"For GPUs from (\d+) GiB", MODELS[id].card)
    assert named
    assert MODELS[id].resident + MODELS[id].working < int(named[1]) * GIB * 0.97
