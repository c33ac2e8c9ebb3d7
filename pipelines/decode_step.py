"""One step through a model of the Llama family for some tokens, compiled by numba: no Python between its parts.

All threads go through the same phases, five for each layer. The leading one does the little that is between them
(normalising, rounding, writing keys and values), then opens a phase. A phase is a number of parts, and whoever is free
takes the next: a thread that the system runs late takes fewer, and nobody waits for it to begin. The phase and the
number of its next part are one 64-bit word, so that who comes late always gets a part of the phase that is open.

Each number comes out the same to the last bit in whatever company it is computed, and on however many threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pipelines import decode_attention, decode_parts, decode_tiles, llvm, softmax
from pipelines.decode_attention import SHARES, attend, join, pieces, store
from pipelines.decode_parts import gate, normalise, round_off
from pipelines.decode_tiles import BLOCK, EIGHTS, QUAD, SCALES, STORED, STRIP, TILE, eights, fours
from pipelines.llvm import add, compiled, digest, half, look, pause, rest, swap

PHASES = 5  # of a layer: queries, keys and values; attention; its output; gate and up; down
MATRICES = 4  # of a layer: all but attention
TOGETHER = 4  # tokens of a prompt that share what attention reads
PATIENCE = 5_000  # looks, some 100 microseconds, before one who waits sleeps: others may need the core
NEXT, DONE = 0, 8  # places of `control`, a cache line apart
SHIFT, PART = np.int64(32), np.int64(2**32 - 1)
WAITING, CLOSED = np.int64(2**29), np.int64(2**30)  # the phases before the first and after the last


class Net(NamedTuple):
    """A model: see decode_weights.py."""

    codes: Any  # (bytes,) uint8: tile after tile, matrix after matrix
    scales: Any  # (numbers,) uint16, which are half-precision floats
    starts: (
        Any  # (matrices, 3) int64: where codes and scales begin, and the kind; of each layer, the output, the input
    )
    norms: Any  # (2 * layers + 1, width) float32
    cosines: Any  # (context, head_dim / 2) float32
    sines: Any
    heads: int
    kv_heads: int
    inner: int  # numbers between gate and down
    outputs: int  # rows of the last matrix: the vocabulary and what fills it up to strips
    epsilon: float


class Coded(NamedTuple):
    """Rows rounded to 8 bits, as GGUF's Q8_1 has them: what products take."""

    codes: Any  # (m, numbers) int8
    marks: Any  # (m, numbers / 32 * 2) float32: of each block its scale, and what its numbers come to


class Work(NamedTuple):
    """A step's tokens, and room for what is computed for them: m tokens, and the logits of w."""

    ids: Any  # (m,) int64
    rows: Any  # (m,) int64: of keys and values
    places: Any  # (m,) int64: in the row
    groups: Any  # (g + 1,) int64: where those begin that attend together: neighbours in one row
    wanted: Any  # (w,) int64
    keys: Any  # as in decode_memory.py, uint16, which are half-precision floats
    values: Any
    stream: Any  # (m, width) float32
    normed: Any  # (m, width)
    qkv: Any  # (m, (heads + 2 * kv_heads) * head_dim), filled up to strips
    mixed: Any  # (m, heads * head_dim)
    gates: Any  # (m, inner)
    hidden: Any  # (m, inner)
    normed_coded: Coded
    mixed_coded: Coded
    hidden_coded: Coded
    logits: Any  # (w, outputs)
    queries: Any  # (threads, TOGETHER * heads / kv_heads, head_dim)
    scores: Any  # (threads, TOGETHER * heads / kv_heads, CHUNK)
    answers: Any  # (threads * SHARES, chunks, TOGETHER * heads / kv_heads, head_dim): what was found in each chunk,
    tops: Any  # (threads * SHARES, chunks, TOGETHER * heads / kv_heads): its highest score,
    sums: Any  # and what its weights come to
    control: Any  # (16,) int64: begins as `opened` says


def opened() -> np.ndarray[Any, np.dtype[np.int64]]:
    """A step's `control` before anything is computed."""
    control = np.zeros(16, np.int64)
    control[NEXT] = WAITING << SHIFT
    return control


def _entry(others: str) -> Any:
    """The function that numba keeps compiled on the disk, where a change of another file goes unseen: `others` is in
    the name it is kept under."""

    @compiled(nogil=True, cache=True)
    def step(net, work, me):
        """Compute the logits from the ids, as the leading thread 0, or help with it as another one."""
        phase, opens = -1, me == 0
        while others:
            if opens:
                phase, opens = phase + 1, False
                if phase > len(net.norms) // 2 * PHASES:
                    swap(work.control, NEXT, CLOSED << SHIFT)
                    return
                _prepare(net, work, phase)
                swap(work.control, DONE, 0)
                swap(work.control, NEXT, np.int64(phase) << SHIFT)
            word = add(work.control, NEXT, 1)
            now, part = word >> SHIFT, word & PART
            if now == CLOSED:
                return
            parts = _parts(net, work, now)
            if part < parts:
                _part(net, work, now, part, me)
                add(work.control, DONE, 1)
            elif me == 0:
                looks = 0
                while look(work.control, DONE) < parts:
                    looks += 1
                    if looks > PATIENCE:
                        rest()
                    else:
                        pause()
                opens = True
            else:
                looks = 0
                while look(work.control, NEXT) >> SHIFT == now:
                    looks += 1
                    if looks > PATIENCE:
                        rest()
                    else:
                        pause()

    return step


step = _entry(digest(decode_attention, decode_parts, decode_tiles, llvm, softmax))


@compiled()
def _prepare(net, work, phase):
    """What one thread does before a phase."""
    layer, kind = divmod(phase, PHASES)
    if phase == 0:
        _embed(net, work)
    if layer == len(net.norms) // 2:
        for n in range(len(work.wanted)):
            for k in range(work.stream.shape[1]):
                work.stream[n, k] = work.stream[work.wanted[n], k]
    if kind == 0 or kind == 3:
        normalise(work.stream, net.norms[2 * layer + kind // 3], net.epsilon, work.normed)
        round_off(work.normed, work.normed_coded, 0, work.normed.shape[1])
    elif kind == 1:
        for token in range(len(work.ids)):
            store(net, work, layer, token)
    elif kind == 2:
        join(net, work)
        round_off(work.mixed, work.mixed_coded, 0, work.mixed.shape[1])


@compiled()
def _parts(net, work, phase):
    """Into how many parts a phase is divided."""
    if phase >= WAITING:
        return 0
    if phase < len(net.norms) // 2 * PHASES and phase % PHASES == 1:
        return (len(work.groups) - 1) * net.kv_heads * pieces(net, work)
    return min(_strips(net, work, phase), len(work.queries) * SHARES)


@compiled()
def _strips(net, work, phase):
    """Of how many strips a product is."""
    if phase // PHASES == len(net.norms) // 2:
        return net.outputs // STRIP
    kind = phase % PHASES
    return (work.qkv.shape[1] if kind == 0 else net.inner if kind == 3 else work.stream.shape[1]) // STRIP


@compiled()
def _part(net, work, phase, part, me):
    """Attention of one head's keys and values, or neighbouring strips of a product."""
    layer, kind = divmod(phase, PHASES)
    if layer == len(net.norms) // 2:
        kind = PHASES
    if kind == 1:
        attend(net, work, layer, part, me)
        return
    strips, parts = _strips(net, work, phase), _parts(net, work, phase)
    for strip in range(strips * part // parts, strips * (part + 1) // parts):
        _strip(net, work, layer, kind, strip * STRIP)


@compiled()
def _strip(net, work, layer, kind, at):
    """32 outputs of a product, from `at` on; of gate and up both. Of the last product `kind` is 5."""
    x, out, matrix, first = work.normed_coded, work.stream, layer * MATRICES, at
    if kind == 0:
        out = work.qkv
    elif kind == 2:
        x, matrix = work.mixed_coded, matrix + 1
    elif kind == 3:
        matrix += 2
    elif kind == 4:
        x, matrix = work.hidden_coded, matrix + 3
    else:
        x, out = Coded(x.codes[: len(work.wanted)], x.marks[: len(work.wanted)]), work.logits
    for turn in range(2 if kind == 3 else 1):
        if kind == 3:
            out, first = work.hidden if turn == 1 else work.gates, 2 * at + turn * STRIP
        if kind != 2 and kind != 4:  # those are added to what was there before
            _clear(out, at)
        _product(net, matrix, first, x, out, at)
    if kind == 3:
        gate(work.gates, work.hidden, at)
        round_off(work.hidden, work.hidden_coded, at, at + STRIP)


@compiled()
def _clear(out, at):
    for row in range(len(out)):
        out[row, at : at + STRIP] = 0


@compiled()
def _product(net, matrix, first, x, out, at):
    """out[:, at : at + 32] += x @ what the matrix has for its outputs from `first` on."""
    c0, s0, kind = net.starts[matrix]
    blocks = first * (x.codes.shape[1] // BLOCK)
    c0, s0 = c0 + blocks * STORED[kind], s0 + blocks * SCALES[kind]
    if kind == EIGHTS:
        eights(net.codes, c0, net.scales, s0, x.codes, x.marks, out, at)
    else:
        fours(net.codes, c0, net.scales, s0, x.codes, x.marks, out, at)


@compiled()
def _embed(net, work):
    """The tokens' rows of the matrix that stands last, one of eights."""
    c0, s0, _ = net.starts[-1]
    width = work.stream.shape[1]
    for token in range(len(work.ids)):
        tile, output = divmod(work.ids[token], TILE)
        for k in range(width):
            scale = half(net.scales[s0 + (tile * (width // BLOCK) + k // BLOCK) * TILE + output])
            code = net.codes[c0 + (tile * width + k // QUAD * QUAD) * TILE + output * QUAD + k % QUAD]
            work.stream[token, k] = scale * np.float32(np.int8(code))
