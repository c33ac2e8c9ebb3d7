"""MusicGen: a language model whose words are codes of sound, heard while it speaks them.

Four codebooks describe each fiftieth of a second, and the model writes them one step apart: what step t says of book k
belongs to frame t - k. So a frame is known three steps after it was begun, and every second of frames is decoded with
some before and after it, since the decoder listens to both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import LogitsProcessor

from pipelines.errors import BadWeights
from pipelines.events import Audio, Emit, Progress, Sound
from pipelines.music_hub import LABEL, length, pcm, worded
from pipelines.music_request import MusicRequest

if TYPE_CHECKING:
    from pipelines.device import Device

LONGEST_S = 30.0  # what it was trained on
GUIDANCE, LIKELIEST = 3.0, 250  # as its makers use it
STRETCH_S, AROUND_S = 1.0, 0.5  # decoded at a time, and heard before and after that
SURE = 1e9


class CodesPipeline:
    """A loaded MusicGen and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer

    @torch.inference_mode()
    def run(self, request: MusicRequest, emit: Emit) -> Audio:
        """Speak codes; emits a Progress for each step and a Sound for each second. Joined they are the result."""
        text, seconds = worded(request), length(request, LONGEST_S)
        model = self._model
        rate = int(model.config.audio_encoder.sampling_rate)
        frames = max(1, round(seconds * model.config.audio_encoder.frame_rate))
        listener = Listener(model, frames, emit)
        emit(Progress(0, frames, LABEL))
        words = self._tokenizer([text], return_tensors="pt", truncation=True, max_length=256).to(model.device)
        books = int(model.decoder.num_codebooks)
        model.generate(
            **words,
            max_new_tokens=frames + books - 1,
            do_sample=False,  # the one code that Choice leaves
            guidance_scale=GUIDANCE,
            logits_processor=[Choice(request.seed, request.temperature, listener.put)],
        )
        listener.end()
        return Audio(np.concatenate(listener.parts), rate)


class Choice(LogitsProcessor):
    """Leaves one code of each book, by a generator of the run's own: others compute between two steps.

    The scores come with those without the prompt behind them. It guides by both, and leaves both halves the same, so
    that what transformers makes of them next changes nothing. It tells what it chose, since transformers' MusicGen
    takes a streamer and forgets it.
    """

    def __init__(self, seed: int, temperature: float, tell: Callable[[Tensor], None]) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._temperature, self._tell = temperature, tell

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        told, untold = scores.float().cpu().chunk(2)
        guided = untold + GUIDANCE * (told - untold)
        likeliest = guided.topk(min(LIKELIEST, guided.shape[-1]))
        if self._temperature:
            odds = (likeliest.values / self._temperature).softmax(-1)
            place = torch.multinomial(odds, 1, generator=self._generator)
        else:
            place = torch.zeros((len(guided), 1), dtype=torch.long)
        chosen = likeliest.indices.gather(1, place)
        self._tell(chosen[:, 0])
        left = torch.full_like(guided, -SURE).scatter(1, chosen, 0.0)
        return left.repeat(2, 1).to(scores)


class Listener:
    """Takes codes as they are written, and gives sound as soon as it is known."""

    def __init__(self, model: Any, frames: int, emit: Emit) -> None:
        self._model, self._frames, self._emit = model, frames, emit
        codec = model.config.audio_encoder
        self._stretch, self._around = (max(1, round(s * codec.frame_rate)) for s in (STRETCH_S, AROUND_S))
        self._hop = codec.sampling_rate // codec.frame_rate
        self._rate = codec.sampling_rate
        self._columns: list[Tensor] = []
        self._given = 0  # frames
        self.parts: list[NDArray[np.int16]] = []

    def put(self, codes: Tensor) -> None:
        """The codes of one step, one for each book."""
        self._columns.append(codes)
        known = min(self._frames, len(self._columns) - len(codes) + 1)
        if known > 0:
            self._emit(Progress(known, self._frames, LABEL))
        while known - self._around >= self._given + self._stretch:
            self._give(self._given + self._stretch, known)

    def end(self) -> None:
        """Nothing more comes; what has not been given yet is."""
        self._give(self._frames, self._frames)

    def _give(self, until: int, known: int) -> None:
        """The sound of the frames up to there, decoded with what is around them."""
        first, last = max(0, self._given - self._around), min(known, until + self._around)
        codes = self.codes()[:, first:last]
        sound = self._decoded(codes)[:, (self._given - first) * self._hop : (until - first) * self._hop]
        self._given = until
        self.parts.append(pcm(sound))
        self._emit(Sound(self.parts[-1], self._rate))

    def codes(self) -> Tensor:
        """What is known of every book, (books, frames): each step's codes belong to frames one apart."""
        written = torch.stack(self._columns, 1)
        count = written.shape[1] - len(written) + 1
        return torch.stack([row[book : book + count] for book, row in enumerate(written)])

    def _decoded(self, codes: Tensor) -> Tensor:
        decode, codes = self._model.audio_encoder.decode, codes[None, None].to(self._model.device)
        if self._model.decoder.config.audio_channels == 1:
            return torch.as_tensor(decode(codes, audio_scales=[None]).audio_values[0])
        sides = [decode(codes[:, :, side::2], audio_scales=[None]).audio_values[0] for side in (0, 1)]
        return torch.cat(sides)


def load(device: Device, path: Path) -> CodesPipeline:
    """MusicGen from a folder as save_pretrained leaves it. Raises BadWeights for any other model."""
    from transformers import AutoConfig, AutoTokenizer, MusicgenForConditionalGeneration

    kind = AutoConfig.from_pretrained(path, local_files_only=True).model_type
    if kind != "musicgen":
        raise BadWeights(f"“{kind}” is no music model that is known here. Choose a MusicGen, or one of diffusers'.")
    model: Any = MusicgenForConditionalGeneration.from_pretrained(
        path, dtype=device.dtype(), use_safetensors=True, local_files_only=True
    )
    return CodesPipeline(model.eval().to(device.kind), AutoTokenizer.from_pretrained(path, local_files_only=True))
