"""The built-in composer: a small transformer that reads a sheet of music and says what each voice does next.

- One position for each event. What is known by then (Sheet.features) is looked up and added, so that a small model
  need not learn to find out who plays what in which beat; pitches and places also by what they share: the step of the
  scale, the octave, the beat.
- A position first gives the pitch, then, knowing that, the length.
- Keys and values of the last `window` events are kept, so an event costs the same in the hundredth bar.

compose() takes only what the sheet's grammar allows, so whatever it writes is a whole piece of music.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pipelines.music_score import TICKS, Head, Note
from pipelines.music_styles import STYLES
from pipelines.music_tokens import (
    FIELDS,
    LENGTHS,
    LOWEST,
    NONE,
    PITCH_FIELDS,
    PITCHES,
    Event,
    Sheet,
    fitted,
    has_upbeat,
    voice_events,
)
from pipelines.sampling import Sampler

WEIGHTS, CONFIG = "model.safetensors", "config.json"


@dataclass(frozen=True)
class Size:
    """What a composer's config.json says."""

    width: int = 256
    layers: int = 4
    head_width: int = 64
    window: int = 512  # events that it looks back on


def degrees() -> tuple[Tensor, Tensor]:
    """For each number of a pitch: its step above the key note, and its octave; others have one of their own."""
    steps = [number - 2 + LOWEST for number in range(2, PITCHES)]
    classes = [12, 13, *(step % 12 for step in steps)]
    octaves = [step // 12 - LOWEST // 12 for step in steps]
    return torch.tensor(classes), torch.tensor([max(octaves) + 1, max(octaves) + 2, *octaves])


def turns(places: Tensor, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of rotary position embedding (Su et al. 2021), each (places, width / 2)."""
    half = width // 2
    angles = places[:, None] * 1000.0 ** -(torch.arange(half, device=places.device) / half)
    return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


def turned(x: Tensor, by: tuple[Tensor, Tensor]) -> Tensor:
    """x is (..., events, width)."""
    (cos, sin), (a, b) = by, x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class Memory:
    """Keys and values of the events so far: the last `window` of them count."""

    def __init__(self, model: Composer) -> None:
        size, like = model.size, next(model.parameters())
        heads = size.width // size.head_width
        shape = (size.layers, 2, 1, heads, 2 * size.window, size.head_width)
        self._kept = torch.empty(shape, dtype=like.dtype, device=like.device)
        self._window, self._used, self.place = size.window, 0, 0

    def advance(self) -> None:
        """Make room for another event."""
        if self._used == 2 * self._window:
            self._used = self._window - 1
            self._kept[..., : self._used, :] = self._kept[..., -self._used :, :].clone()
        self._used += 1
        self.place += 1

    def add(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """All that the newest event looks at in this layer, itself included."""
        kept = self._kept[layer]
        kept[0, :, :, self._used - 1], kept[1, :, :, self._used - 1] = k[:, :, 0], v[:, :, 0]
        first = max(0, self._used - self._window)
        return kept[0, :, :, first : self._used], kept[1, :, :, first : self._used]


class Block(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.width // size.head_width
        self.qkv = nn.Linear(size.width, 3 * size.width, bias=False)
        self.out = nn.Linear(size.width, size.width, bias=False)
        self.up = nn.Linear(size.width, 4 * size.width, bias=False)
        self.down = nn.Linear(4 * size.width, size.width, bias=False)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor, by: tuple[Tensor, Tensor], layer: int, memory: Memory | None) -> Tensor:
        h = F.rms_norm(x, x.shape[-1:])
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(h).chunk(3, -1))
        q, k = (turned(F.rms_norm(part, part.shape[-1:]), by) for part in (q, k))
        if memory is not None:
            k, v = memory.add(layer, k, v)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=memory is None)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        h = F.rms_norm(x, x.shape[-1:])
        return x + cast(Tensor, self.down(F.relu(self.up(h)).square()))


class Composer(nn.Module):
    degrees: Tensor
    octaves: Tensor
    offsets: Tensor

    def __init__(self, size: Size | None = None) -> None:
        super().__init__()
        self.size = size = size or Size()
        width = size.width
        classes, octaves = degrees()
        self.register_buffer("degrees", classes, persistent=False)
        self.register_buffer("octaves", octaves, persistent=False)
        sizes = list(FIELDS.values())
        starts = torch.tensor([0, *sizes[:-1]]).cumsum(0)
        self.register_buffer("offsets", starts, persistent=False)
        self.enter = nn.Parameter(torch.randn(sum(sizes), width) * 0.02)
        self.enter_degree = nn.Parameter(torch.randn(len(PITCH_FIELDS), int(classes.max()) + 1, width) * 0.02)
        self.enter_octave = nn.Parameter(torch.randn(len(PITCH_FIELDS), int(octaves.max()) + 1, width) * 0.02)
        self.enter_beat = nn.Parameter(torch.randn(TICKS, width) * 0.02)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.leave = nn.Parameter(torch.zeros(PITCHES, width))
        self.leave_degree = nn.Parameter(torch.zeros(int(classes.max()) + 1, width))
        self.leave_octave = nn.Parameter(torch.zeros(int(octaves.max()) + 1, width))
        self.chosen = nn.Parameter(torch.randn(PITCHES, width) * 0.02)
        self.lengths_up = nn.Linear(width, width, bias=False)
        self.leave_length = nn.Linear(width, len(LENGTHS))
        nn.init.zeros_(self.leave_length.weight)

    def table(self) -> Tensor:
        """One row for each number of each field, put together from what the numbers share."""
        names = list(FIELDS)
        rows = list(torch.split(self.enter, list(FIELDS.values())))
        for i, name in enumerate(PITCH_FIELDS):
            shared = self.enter_degree[i, self.degrees] + self.enter_octave[i, self.octaves]
            rows[names.index(name)] = rows[names.index(name)] + shared
        place = names.index("place")
        rows[place] = rows[place] + self.enter_beat.repeat(FIELDS["place"] // TICKS, 1)
        return torch.cat(rows)

    def forward(self, features: Tensor, table: Tensor | None = None, memory: Memory | None = None) -> Tensor:
        """Hidden states for features of shape (batch, events, fields); with a memory, of one event at a time."""
        table = self.table() if table is None else table
        x = F.embedding_bag((features + self.offsets).flatten(0, 1), table, mode="sum")
        x = x.view(*features.shape[:2], -1)
        if memory is None:
            places = torch.arange(features.shape[1], device=x.device)
        else:
            memory.advance()
            places = torch.tensor([memory.place], device=x.device)
        by = turns(places, self.size.head_width, x)
        for layer, block in enumerate(self.blocks):
            x = block(x, by, layer, memory)
        return F.rms_norm(x, x.shape[-1:])

    def pitches(self, hidden: Tensor) -> Tensor:
        """Logits of the next event's pitch."""
        rows = self.leave + self.leave_degree[self.degrees] + self.leave_octave[self.octaves]
        return hidden @ rows.mT

    def lengths(self, hidden: Tensor, pitch: Tensor) -> Tensor:
        """Logits of its length, when its pitch is known."""
        h = F.relu(self.lengths_up(hidden) + self.chosen[pitch]).square()
        return cast(Tensor, self.leave_length(h))

    def save_pretrained(self, folder: str | Path) -> None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: t.contiguous() for name, t in self.state_dict().items()}, folder / WEIGHTS)
        (folder / CONFIG).write_text(json.dumps(asdict(self.size), indent=2) + "\n")

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Composer:
        folder = Path(folder)
        model = cls(Size(**json.loads((folder / CONFIG).read_text())))
        model.load_state_dict(load_file(folder / WEIGHTS))
        return model.float().eval()


class Pen:
    """A composer at work on one sheet."""

    def __init__(self, composer: Composer, sampler: Sampler) -> None:
        self._composer, self._sampler = composer, sampler
        self._table, self._memory = composer.table(), Memory(composer)
        self._device = next(composer.parameters()).device

    def read(self, sheet: Sheet, ahead: int) -> Tensor:
        """The hidden state for what the sheet says; each event must be read once, also one that is given."""
        features = torch.tensor([[sheet.features(ahead)]], device=self._device)
        return cast(Tensor, self._composer(features, self._table, self._memory))[0, 0]

    def next(self, sheet: Sheet, ahead: int) -> Event:
        """What to write, of what the grammar allows."""
        hidden = self.read(sheet, ahead)
        pitch = self._choose(self._composer.pitches(hidden), sheet.pitches())
        length = self._choose(
            self._composer.lengths(hidden, torch.tensor(pitch, device=self._device)), sheet.lengths(pitch)
        )
        return Event(sheet.pitch(pitch), LENGTHS[length])

    def _choose(self, logits: Tensor, allowed: list[bool]) -> int:
        forbidden = ~torch.tensor(allowed, device=logits.device)
        return self._sampler.sample(logits.masked_fill(forbidden, -torch.inf)).id


@torch.inference_mode()
def compose(
    composer: Composer,
    head: Head,
    bars: int,
    *,
    seed: int,
    temperature: float,
    top_p: float,
    given: Sequence[Note] = (),
    harmonise: bool = False,
    upbeat: bool | None = None,
) -> Iterator[tuple[Note, ...]]:
    """The piece as it is written: for each moment at which notes start, those notes, in order of start, then voice.

    There are as many voices as the head has instruments. With an upbeat, the first bar holds just that, and `bars`
    bars follow; None leaves it to chance, or to `given`: a melody that the highest voice begins with, on the grid that
    fitted() puts it on. To harmonise is to keep to the melody: the piece ends with it, after `bars` bars at most, and
    the other voices know which note of it comes next.
    """
    melody, bars, upbeat = plan(head, bars, given, harmonise, upbeat, seed)
    sheet = Sheet(head, bars, upbeat)
    forced = list(voice_events(melody, sheet.total if harmonise else ending(melody)))
    pen = Pen(composer, Sampler(temperature, top_p, seed))
    together: list[Note] = []
    done = at = 0
    while not sheet.done:
        ahead = sheet.number(forced[done].pitch) if harmonise and done < len(forced) else NONE
        if sheet.voice == 0 and done < len(forced):
            pen.read(sheet, ahead)
            event = forced[done]
            done += 1
        else:
            event = pen.next(sheet, ahead)
        if sheet.time > at and together:
            yield tuple(together)
            together = []
        at = sheet.time
        note = sheet.write(event)
        if note is not None:
            together.append(note)
    if together:
        yield tuple(together)


def plan(
    head: Head, bars: int, given: Sequence[Note], harmonise: bool, upbeat: bool | None, seed: int
) -> tuple[tuple[Note, ...], int, bool]:
    """The melody on the grid, how many bars there will be, and whether an upbeat before them."""
    if given:
        upbeat = has_upbeat(given, head.bar)
    elif upbeat is None:
        upbeat = bool(torch.rand((), generator=torch.Generator().manual_seed(seed)) < STYLES[head.style].upbeats)
    melody = fitted(given, (bars + upbeat) * head.bar)
    if harmonise and melody:
        bars = max(1, -(-ending(melody) // head.bar) - upbeat)
    return melody, bars, upbeat


def ending(melody: Sequence[Note]) -> int:
    return melody[-1].start + melody[-1].length if melody else 0
