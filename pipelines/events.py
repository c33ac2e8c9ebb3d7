"""What a run says while it runs: a stream of updates, then exactly one Result, or an exception.

Events are frozen values without ids or HTML. They pickle, so the same stream can come from another thread,
another process or another machine. A pipeline's only way out is the `emit` it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from pipelines.code_languages import CodeLanguage
    from pipelines.music_score import Head, Note, Score


@dataclass(frozen=True, slots=True)
class Queued:
    """The job has not started. `position` is 1 for the next to start; `ahead_s` is None while nothing is known."""

    position: int
    ahead_s: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Something measurable is under way; with `total` 0 it is also the heartbeat of something that is not."""

    done: int = 0
    total: int = 0
    label: str = ""
    unit: Literal["steps", "bytes", "tokens", "parts"] = "steps"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that could have come: `text`, `id` and `p` as of a Token, `drawn` and `end` as of an Xray."""

    text: str
    id: int
    p: float
    drawn: float
    end: bool = False


@dataclass(frozen=True, slots=True)
class Xray:
    """What a model had to choose from when it gave a token.

    `entropy` is how undecided it was, in bits; `rank` is the token's place among all, 1 for the likeliest; `drawn` is
    the probability that temperature and top-p left it, with which it was drawn. `alternatives` are the likeliest
    tokens, it among them where it is one. A token that is the `end` of an answer has no text.
    """

    entropy: float
    rank: int
    drawn: float
    alternatives: tuple[Alternative, ...]
    end: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """One token of text. `text` may be empty: a character can span several tokens.

    `p` is the probability that the model itself gave the token (softmax of the raw logits), whatever temperature or
    top-p made of it. `xray` is there if it was asked for.
    """

    text: str
    id: int
    p: float
    xray: Xray | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The predicted clean sample after `step` of `total` steps: never raw noise, and made from a copy.

    `noisy` shows, likewise in colours, what the step was given to clean, where the model can tell.
    """

    image: Image
    step: int
    total: int
    noisy: Image | None = None


@dataclass(frozen=True, slots=True)
class Frames:
    """As Preview, of what is seen one after the other: a clip's predicted clean frames, a thing from all sides."""

    images: tuple[Image, ...]
    step: int
    total: int


@dataclass(frozen=True, slots=True)
class Caption:
    """Words and when they are heard, in seconds from the beginning; `speaker` is "" if nobody is named.

    `phonemes` are the sounds that they were read as, in letters of the International Phonetic Alphabet, where a model
    goes by such.
    """

    start: float
    end: float
    text: str
    speaker: str = ""
    phonemes: str = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """The next stretch of sound: int16 samples, shape (n,) or (n, channels), at `rate` samples per second.

    `caption` is what is said in it, in words, where that is known.
    """

    samples: NDArray[np.int16]
    rate: int
    caption: Caption | None = None


@dataclass(frozen=True, slots=True)
class Notes:
    """The next notes of a piece, in order of start, when `step` of `total` bars are written. All of them joined are
    the score's. `head` is the same in each: with the first one, before any note, it says what was chosen."""

    notes: tuple[Note, ...]
    head: Head
    step: int
    total: int


@dataclass(frozen=True, slots=True)
class Text:
    """A finished text: what it was told to begin with, and all Token texts.

    `left_out` counts the messages that no longer fitted the context.
    """

    text: str
    stopped_by: Literal["end", "length"]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Code:
    """A finished answer about code: all Token texts joined, and the code in it, "" where it is all explanation.

    `problem` is what its parser says against it, with the line, "" if nothing.
    """

    text: str
    code: str
    language: CodeLanguage
    stopped_by: Literal["end", "length"]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture that the model drew upon: which one, how well its name fits the prompt (cosine), and a thumbnail."""

    name: str
    style: str
    score: float
    image: Image


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished picture, and the seed that gives it again. `small` is what it was before it was enlarged."""

    image: Image
    seed: int
    small: Image | None = None


@dataclass(frozen=True, slots=True)
class Pictures:
    """Finished pictures. `settings` are those that the request left to the model; they go into the recipe."""

    pictures: tuple[Picture, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Audio:
    """Finished sound: all Sound samples joined. `settings` are those that the request left to the model."""

    samples: NDArray[np.int16]
    rate: int
    captions: tuple[Caption, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Music:
    """A finished piece, as notes and as sound: int16 samples of shape (n, 2). `settings` as of Audio."""

    score: Score
    samples: NDArray[np.int16]
    rate: int
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enhanced:
    """A recording made clean: all Sound samples joined. `before` is what came in, made as loud, to compare with.

    `was` and `loudness` are in LUFS, before and after, `peak` is the true peak in dB. `pictures` are spectrograms
    named before and after, and mask where noise was removed; `remarks` are sentences; `settings` as of Audio.
    """

    samples: NDArray[np.int16]
    rate: int
    before: NDArray[np.int16]
    was: float
    loudness: float
    peak: float
    pictures: Mapping[str, Image] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clip:
    """A finished moving picture: frames uint8 (n, height, width, 3), `fps` of them a second.

    `loop`: after the last frame comes the first. `audio` is its sound where the model makes one. `remarks` are
    sentences, such as which motion was taken for one that the model does not know; `settings` as of Audio.
    """

    frames: NDArray[np.uint8]
    fps: float
    loop: bool = False
    audio: Audio | None = None
    remarks: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Solid:
    """A finished thing in the round, as what meshes are made of, coarse or fine, without another run.

    `distance` float16 (n, n, n): signed, in voxels, negative inside; axes x to the right, y up, z to the front.
    `colour` uint8 (n, n, n, 3): sRGB. `remarks` and `settings` as of Clip.
    """

    distance: NDArray[np.float16]
    colour: NDArray[np.uint8]
    remarks: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


Artifact: TypeAlias = Text | Code | Pictures | Audio | Music | Enhanced | Clip | Solid
"""What a run made. Each modality adds its own value type to this union."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Enough to repeat a run: which model at which revision, every option, and what it was computed with."""

    model: str
    revision: str
    seed: int
    options: Mapping[str, Any]
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """The one last event of a run that succeeded."""

    artifact: Artifact
    recipe: Recipe


Update: TypeAlias = Queued | Progress | Token | Preview | Frames | Sound | Notes
Event: TypeAlias = Update | Result
Emit: TypeAlias = Callable[[Update], None]
"""A pipeline's only way out, and its step boundary: delivers, raises Cancelled when nobody listens, gives way."""


class Cancelled(Exception):
    """Raised by emit() when the job was cancelled. Pipelines let it pass; it is not an error."""
