"""Clips as files: opened with FFmpeg's decoder and with PIL, they are what was made, and say who made them."""

from __future__ import annotations

import io
import sys
from itertools import pairwise

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from pipelines import picture_file, video_file
from pipelines.errors import BadRequest, MissingCodec
from pipelines.events import Audio, Clip, Recipe
from pipelines.sound_file import MADE_BY_AI
from pipelines.video_file import Format

RECIPE = Recipe("polymuse-motion", "1", 7, {"prompt": "a fox 🦊, “bounces”", "image": None}, {"torch": "2"})
KINDS: tuple[Format, ...] = ("mp4", "webp", "gif")


def clip(frames: int = 10, width: int = 48, height: int = 32, fps: float = 8, audio: Audio | None = None) -> Clip:
    """A bright square that goes from left to right, on colours."""
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    pixels = np.stack([across * 255 // width, down * 255 // height, np.full_like(down, 90)], -1)
    made = np.repeat(pixels[None].astype(np.uint8), frames, 0)
    for number in range(frames):
        made[number, 8:24, 3 * number : 3 * number + 16] = (240, 220, 40)
    return Clip(made, fps, True, audio)


def decoded(data: bytes) -> tuple[av.container.InputContainer, list[np.ndarray]]:
    container = av.open(io.BytesIO(data), "r")
    frames = (frame.reformat(format="rgb24", src_colorspace=1) for frame in container.decode(video=0))
    return container, [frame.to_ndarray() for frame in frames]


@pytest.mark.parametrize(("frames", "fps"), [(10, 8), (24, 23.976), (1, 12)])
def test_an_mp4_has_every_frame_in_its_colours_and_time(frames: int, fps: float) -> None:
    made = clip(frames, fps=fps)
    container, shown = decoded(video_file.video(made, RECIPE, "mp4"))
    stream = container.streams.video[0]
    assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
    assert len(shown) == frames == stream.frames
    assert float(stream.average_rate or 0) == pytest.approx(fps, abs=0.001)
    assert float(stream.duration * stream.time_base) == pytest.approx(frames / fps, abs=0.01)  # type: ignore[operator]
    difference = np.abs(np.stack(shown).astype(int) - made.frames)
    assert difference.mean() < 6  # colours have half the size in an MP4
    assert np.abs(np.stack(shown).mean((1, 2)) - made.frames.mean((1, 2))).max() < 3


def test_an_mp4_can_begin_to_play_before_all_of_it_has_come() -> None:
    data = video_file.video(clip(), RECIPE, "mp4")
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_odd_sizes_gain_a_row_and_a_column() -> None:
    _, shown = decoded(video_file.video(clip(2, 47, 33), RECIPE, "mp4"))
    assert {frame.shape for frame in shown} == {(34, 48, 3)}


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [24_000, 11_025])
def test_a_sound_track_is_heard_to_its_end(channels: int, rate: int) -> None:
    tone = (9000 * np.sin(np.arange(rate * 5 // 4) / 9)).astype(np.int16)
    samples = tone if channels == 1 else np.stack([tone, tone], 1)
    container = av.open(io.BytesIO(video_file.video(clip(audio=Audio(samples, rate)), RECIPE, "mp4")), "r")
    track = container.streams.audio[0]
    assert track.codec_context.name == "aac" and track.codec_context.channels == channels
    heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], 1)
    assert heard.shape[1] / track.rate == pytest.approx(1.25, abs=0.1)
    assert np.abs(heard).max() == pytest.approx(9000 / 32768, rel=0.1)


@pytest.mark.parametrize("kind", ["webp", "gif"])
def test_moving_pictures_are_as_long_as_the_clip_and_go_on_for_ever(kind: Format) -> None:
    made = clip(10, fps=24)
    with Image.open(io.BytesIO(video_file.video(made, RECIPE, kind))) as picture:
        assert picture.n_frames == 10 and picture.info["loop"] == 0  # type: ignore[attr-defined]
        shown = [
            (np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(picture)
        ]
    assert sum(duration for _, duration in shown) == pytest.approx(10_000 / 24, abs=10)
    for (pixels, _), wanted in zip(shown, made.frames, strict=True):
        assert np.abs(pixels.astype(int) - wanted).mean() < 8


def test_what_stands_still_in_a_gif_has_one_colour_all_along() -> None:
    with Image.open(io.BytesIO(video_file.video(clip(), RECIPE, "gif"))) as picture:
        shown = [np.asarray(frame.convert("RGB"))[28:] for frame in ImageSequence.Iterator(picture)]
    assert all(np.array_equal(one, other) for one, other in pairwise(shown))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_says_that_ai_made_it_and_gives_its_recipe_back(kind: Format) -> None:
    data = video_file.video(clip(3), RECIPE, kind)
    assert video_file.read(data) == RECIPE
    if kind == "mp4":
        told = av.open(io.BytesIO(data), "r").metadata
        assert told["title"] == told["description"] == f"{MADE_BY_AI}: {RECIPE.options['prompt']}"
    else:
        assert b"trainedAlgorithmicMedia" in data


BOMB = b"GIF89a" + b"\xff" * 4 + bytes(3)  # says that it is 65,535 pixels a side


@pytest.mark.parametrize("data", [b"", b"GIF89a", BOMB, b"\0\0\0\x20ftypisom" + bytes(99)])
def test_a_file_without_settings_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest, match="carries no settings"):
        video_file.read(data)


def test_one_frame_is_a_png_with_the_same_recipe() -> None:
    made = clip()
    data = video_file.png(made, RECIPE)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), made.frames[-1])
    recipe = picture_file.read(data)
    assert recipe.seed == RECIPE.seed and recipe.options["prompt"] == RECIPE.options["prompt"]


def test_a_machine_without_the_codec_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("av.codec.codecs_available", {"mpeg4"})
    with pytest.raises(MissingCodec, match=r"no encoder for H\.264.*pip install"):
        video_file.video(clip(), RECIPE, "mp4")
    monkeypatch.setitem(sys.modules, "av.codec", None)
    with pytest.raises(MissingCodec, match="pip install av"):
        video_file.encoder()
