"""Clips as files that say what they are: made by AI, by which model, and with which settings.

MP4 with H.264, which every browser plays; GIF and WebP, which go where only pictures may. Tags are written where
players look: title and comment of an MP4, the comment of a GIF, EXIF and XMP of a WebP. The recipe is JSON in the
comment, as it is in sound.
"""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import quoteattr

import numpy as np

from pipelines import picture_file, sound_file
from pipelines.errors import BadRequest, MissingCodec
from pipelines.events import Audio, Clip, Picture, Recipe
from pipelines.picture_file import DESCRIPTION, EXIF_PART, MADE_BY_AI, SOFTWARE, SOFTWARE_TAG, USER_COMMENT, XMP

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray
    from PIL.Image import Image

Format = Literal["mp4", "webp", "gif"]
ENCODERS = ("libx264", "libopenh264")  # of H.264, the better first; PyAV's own packages have the first
QUALITY = {"crf": "16", "preset": "veryfast"}  # slower ones make these clips no smaller
PLAIN_RATE = "4000000"  # bits a second, for an encoder that knows no such scale
BT709 = 1  # by FFmpeg's numbers for matrix, primaries and transfer: what a player takes for granted
LIMITED = 1  # the range of brightness that television has
AAC_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000)
COLOURS = 255  # of a GIF: one is left for what did not change
SAMPLE = 65_536  # pixels that a GIF's colours are chosen from
TICK_MS = 10  # a GIF counts time in hundredths of a second
UTF_16 = b"UNICODE\0"  # how EXIF says in what a comment is written


def video(clip: Clip, recipe: Recipe, kind: Format) -> bytes:
    """The clip as a file of this kind that carries its recipe. Raises MissingCodec where it cannot be made here."""
    tags = {"title": _title(recipe), "comment": json.dumps(asdict(recipe), ensure_ascii=False)}
    match kind:
        case "mp4":
            return _mp4(clip, tags)
        case "webp":
            return _webp(clip, tags)
        case "gif":
            return _gif(clip, tags)


def png(clip: Clip, recipe: Recipe, number: int = -1) -> bytes:
    """One frame, the last if none is named, as a PNG that carries the clip's recipe."""
    from PIL import Image as images

    image = images.fromarray(clip.frames[number])
    size = {"width": image.width, "height": image.height}
    return picture_file.png(Picture(image, recipe.seed), replace(recipe, options={**recipe.options, **size}))


def read(data: bytes) -> Recipe:
    """The recipe in a file that we wrote. Raises BadRequest where there is none."""
    from PIL import Image as images

    try:
        comment = _mp4_comment(data) if data[4:8] == b"ftyp" else _picture_comment(data)
        return Recipe(**json.loads(comment))
    except (OSError, ValueError, TypeError, LookupError, SyntaxError, images.DecompressionBombError):
        raise BadRequest("This file carries no settings of Polymuse. Choose a clip that was made here.") from None


def _title(recipe: Recipe) -> str:
    return f"{sound_file.MADE_BY_AI}: {recipe.options.get('prompt', '')}".removesuffix(": ")


# MP4 ----------------------------------------------------------------------------------------------------------------


def encoder() -> str:
    """The name of the H.264 encoder that this machine has. Raises MissingCodec."""
    try:
        from av.codec import codecs_available
    except ImportError:
        raise MissingCodec(
            "MP4 files cannot be written here: the package “av” is missing. Install it with: pip install av"
        ) from None
    for name in ENCODERS:
        if name in codecs_available:
            return name
    raise MissingCodec(
        "MP4 files cannot be written here: this build of the package “av” has no encoder for H.264."
        " Install it anew with: pip install --force-reinstall av"
    )


def _mp4(clip: Clip, tags: dict[str, str]) -> bytes:
    """By way of a file, in which FFmpeg puts the index first: so it plays before all of it has come."""
    name = encoder()
    import av

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            container.metadata.update({"description": tags["title"], **tags})
            picture = _picture_track(container, name, clip)
            sound = None if clip.audio is None else _sound_track(container, clip.audio)
            for pixels in _even(clip.frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                frame = frame.reformat(format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED)
                container.mux(picture.encode(frame))
            container.mux(picture.encode())
            if sound is not None and clip.audio is not None:
                _lay_down(container, sound, clip.audio)
        return path.read_bytes()


def _picture_track(container: OutputContainer, name: str, clip: Clip) -> VideoStream:
    from av.video.stream import VideoStream

    good = name == ENCODERS[0]
    stream = container.add_stream(
        name, rate=Fraction(clip.fps).limit_denominator(1001), options=QUALITY if good else {"b": PLAIN_RATE}
    )
    assert isinstance(stream, VideoStream)
    height, width = clip.frames.shape[1:3]
    stream.height, stream.width, stream.pix_fmt = height + height % 2, width + width % 2, "yuv420p"
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = LIMITED
    return stream


def _even(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """H.264 halves the colours' size: an odd last row or column is repeated."""
    height, width = frames.shape[1:3]
    return (
        np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), "edge") if height % 2 + width % 2 else frames
    )


def _sound_track(container: OutputContainer, audio: Audio) -> AudioStream:
    from av.audio.stream import AudioStream

    rate = audio.rate if audio.rate in AAC_RATES else AAC_RATES[0]
    stream = container.add_stream("aac", rate=rate)
    assert isinstance(stream, AudioStream)
    stream.layout = "mono" if audio.samples.ndim == 1 else "stereo"
    stream.bit_rate = 192_000
    return stream


def _lay_down(container: OutputContainer, stream: AudioStream, audio: Audio) -> None:
    """Encode all of the sound."""
    import av

    samples = audio.samples.reshape(len(audio.samples), -1)[:, :2]
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout=stream.layout.name
    )
    frame.sample_rate = audio.rate
    resampler = av.AudioResampler(format="fltp", layout=stream.layout.name, rate=stream.rate)
    for piece in (*resampler.resample(frame), *resampler.resample(None)):
        container.mux(stream.encode(piece))
    container.mux(stream.encode())


def _mp4_comment(data: bytes) -> str:
    import av

    try:
        with av.open(io.BytesIO(data)) as container:
            return container.metadata["comment"]
    except av.FFmpegError as error:
        raise ValueError from error


# Pictures that move -------------------------------------------------------------------------------------------------


def _webp(clip: Clip, tags: dict[str, str]) -> bytes:
    from PIL import Image as images

    first, *rest = (images.fromarray(frame) for frame in clip.frames)
    exif = images.Exif()
    exif[DESCRIPTION] = tags["title"].encode("ascii", "replace").decode()
    exif[SOFTWARE_TAG] = SOFTWARE
    exif.get_ifd(EXIF_PART)[USER_COMMENT] = UTF_16 + tags["comment"].encode("utf-16-be")
    xmp = XMP.format(tool=quoteattr(SOFTWARE), source=quoteattr(MADE_BY_AI))
    buffer = io.BytesIO()
    first.save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=rest,
        duration=_durations(clip, 1),
        loop=0,
        quality=85,
        method=2,
        exif=exif,
        xmp=xmp.encode(),
    )
    return buffer.getvalue()


def _gif(clip: Clip, tags: dict[str, str]) -> bytes:
    """One palette for all frames: with one for each, what stands still would flicker."""
    from PIL import Image as images

    pixels = clip.frames.reshape(-1, 3)
    chosen = pixels[:: max(1, len(pixels) // SAMPLE)][None]
    palette = images.fromarray(np.ascontiguousarray(chosen)).quantize(COLOURS, images.Quantize.MEDIANCUT)
    frames: list[Image] = [
        images.fromarray(frame).quantize(palette=palette, dither=images.Dither.NONE) for frame in clip.frames
    ]
    buffer = io.BytesIO()
    told = {"duration": _durations(clip, TICK_MS), "comment": f"{tags['title']}\n{tags['comment']}".encode()}
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], loop=0, optimize=False, **told)
    return buffer.getvalue()


def _durations(clip: Clip, tick_ms: int) -> list[int]:
    """Of each frame in milliseconds, rounded so that the whole is as long as it should be."""
    ends = np.round(np.arange(len(clip.frames) + 1) * 1000 / clip.fps / tick_ms).astype(int) * tick_ms
    return [int(length) for length in np.diff(ends)]


def _picture_comment(data: bytes) -> str:
    from PIL import Image as images

    picture = images.open(io.BytesIO(data), formats=("GIF", "WEBP"))
    if picture.format == "GIF":
        return bytes(picture.info["comment"]).decode().partition("\n")[2]
    return bytes(picture.getexif().get_ifd(EXIF_PART)[USER_COMMENT]).removeprefix(UTF_16).decode("utf-16-be")
