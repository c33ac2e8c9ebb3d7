"""How the families of speech models on the hub are told what to say, and how what they answer becomes sound.

Some of them have no voice of their own: they go on as a recording began. That is one which the visitor sent, or what
the same speaker said first, so that a long text is read in one voice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Voice:
    """How somebody sounds, at the model's own rate, and what is said there, where that is known."""

    sound: Floats
    text: str = ""


@dataclass(frozen=True)
class Line:
    """What one call is to say, and as whom: the mark by which this family knows the speaker."""

    text: str
    speaker: str = ""
    voice: Voice | None = None


class Ask(Protocol):
    """Makes what the model is given of a line. `more` are arguments that every call of the processor is given."""

    def __call__(self, processor: Any, line: Line, more: Mapping[str, Any]) -> Any: ...


class Hear(Protocol):
    """Takes the sound out of the model's answer to what it was given: a tensor, or None where there is none."""

    def __call__(self, processor: Any, given: Any, answer: Any) -> Any: ...


def plainly(processor: Any, line: Line, more: Mapping[str, Any]) -> Any:
    """The text, with the speaker's mark before it."""
    return processor(text=line.speaker + line.text, return_tensors="pt", **more)


def with_transcript(processor: Any, line: Line, more: Mapping[str, Any]) -> Any:
    """The text after what was said in the recording, and the recording: the model writes on."""
    said = f"{line.voice.text} {line.text}" if line.voice else line.text
    sound = {"audio": line.voice.sound} if line.voice else {}
    return processor(text=[line.speaker + said], text_kwargs={"padding": False}, return_tensors="pt", **sound, **more)


def in_conversation(processor: Any, line: Line, more: Mapping[str, Any]) -> Any:
    """A turn of a conversation, with the recording in it."""
    content: list[dict[str, Any]] = [{"type": "text", "text": line.text}]
    if line.voice:
        content.insert(0, {"type": "audio", "audio": line.voice.sound})
    turns = [{"role": line.speaker, "content": content}]
    return processor.apply_chat_template(turns, tokenize=True, return_dict=True, return_tensors="pt", **more)


def first(processor: Any, given: Any, answer: Any) -> Any:
    """The answer is a sound for each text, and there was one."""
    return answer[0]


def waveform(processor: Any, given: Any, answer: Any) -> Any:
    """The sound is a field of the answer."""
    return answer.waveform[0]


def from_latents(processor: Any, given: Any, answer: Any) -> Any:
    """The codec beside the model makes sound of the latents."""
    return processor.decode(answer.audio_latents[0])


def from_codes(processor: Any, given: Any, answer: Any) -> Any:
    """The codec beside the model makes sound of the codes, but of those that the recording became."""
    before = processor.get_audio_prompt_len(given["decoder_attention_mask"])
    return processor.batch_decode(answer, audio_prompt_len=before)[0]
