"""Attention of a step, for numba to compile: see Net and Work in decode_step.py.

Keys and values lie in chunks of 128 tokens (decode_memory.py). Each chunk's scores are weighed against the highest of
its own, and what the chunks come to is put together in their order (online softmax, Milakov and Gimelshein 2018). So
the chunks of a long text are shared out among threads as in Flash-Decoding (Dao et al. 2023), scores stay in a core's
nearest cache, and numbers come out the same however the work was divided.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from pipelines.decode_tiles import mixture
from pipelines.llvm import FLOAT, INDEX, INT, LANES, Build, compiled, every, halved, typed_intrinsic
from pipelines.softmax import exp

CHUNK = 128  # tokens
SHARES = 4  # of what a step does at a time, for each thread

_NUMBERS, _PLACES = ir.VectorType(FLOAT, LANES), ir.VectorType(INT, LANES)


@compiled(fastmath={"contract"})
def rotate(numbers, cosines, sines, by, to):
    """Give the query or key of one head its place (rotary embedding, Su et al. 2021), and this many times its size."""
    size = len(cosines)
    first, second, first_to, second_to = numbers[:size], numbers[size:], to[:size], to[size:]
    for k in range(size):
        a, b = first[k] * by, second[k] * by
        first_to[k], second_to[k] = a * cosines[k] - b * sines[k], b * cosines[k] + a * sines[k]


@compiled()
def store(net, work, layer, token):
    """Put a token's keys, rotated, and values where they stay."""
    row, place = work.rows[token], work.places[token]
    size = 2 * net.cosines.shape[1]  # of a head
    chunk, at = divmod(place, CHUNK)
    tile, lane = divmod(at, LANES)
    for head in range(net.kv_heads):
        first = size * (net.heads + head)
        key = work.qkv[token, first : first + size]
        rotate(key, net.cosines[place], net.sines[place], np.float32(1), key)
        first += size * net.kv_heads
        value = work.qkv[token, first : first + size]
        keys, values = work.keys[row, chunk, layer, head, tile, :, lane], work.values[row, chunk, layer, head, at]
        for k in range(size):
            keys[k], values[k] = halved(key[k]), halved(value[k])


@compiled()
def pieces(net, work):
    """Into how many parts the chunks of a group's head are divided: more than one where threads had nothing to do."""
    heads, wanted = (len(work.groups) - 1) * net.kv_heads, len(work.queries) * SHARES
    if heads >= wanted:
        return 1
    furthest = 0
    for token in range(len(work.places)):
        furthest = max(furthest, work.places[token])
    return min(furthest // CHUNK + 1, (wanted + heads - 1) // heads)


@compiled()
def attend(net, work, layer, part, me):
    """A part of what the heads that share this head's keys and values do (Ainslie et al. 2023), for a group of tokens.

    If there are several parts, join() comes after them.
    """
    all_pieces = pieces(net, work)
    place, piece = divmod(part, all_pieces)
    group, kv_head = divmod(place, net.kv_heads)
    first, end = work.groups[group], work.groups[group + 1]
    size, each = 2 * net.cosines.shape[1], net.heads // net.kv_heads
    queries, shrink = work.queries[me], np.float32(1) / np.sqrt(np.float32(size))
    for n in range((end - first) * each):
        token, at = first + n // each, (kv_head * each + n % each) * size
        rotate(
            work.qkv[token, at : at + size],
            net.cosines[work.places[token]],
            net.sines[work.places[token]],
            shrink,
            queries[n],
        )
    chunks = work.places[end - 1] // CHUNK + 1
    begin, until = chunks * piece // all_pieces, chunks * (piece + 1) // all_pieces
    slot = me if all_pieces == 1 else place
    for chunk in range(begin, until):
        _chunk(net, work, layer, group, kv_head, chunk, min(chunk + 1, until - 1), slot, me)
    if all_pieces == 1:
        _join(net, work, group, kv_head, slot)


@compiled()
def join(net, work):
    """Put together what the parts of all heads came to, if they were divided."""
    if pieces(net, work) > 1:
        for place in range((len(work.groups) - 1) * net.kv_heads):
            _join(net, work, place // net.kv_heads, place % net.kv_heads, place)


@compiled()
def _chunk(net, work, layer, group, kv_head, chunk, then, slot, me):
    """Attention to one chunk, which is not put together with the others yet; `then` is the one that comes after it."""
    first, end = work.groups[group], work.groups[group + 1]
    size, each, start = 2 * net.cosines.shape[1], net.heads // net.kv_heads, chunk * CHUNK
    numbers, count = (end - first) * each, min(CHUNK, work.places[end - 1] + 1 - start)
    tiles, scores = (count + LANES - 1) // LANES, work.scores[me]
    here, there = _begin(net, work, layer, first, kv_head, chunk), _begin(net, work, layer, first, kv_head, then)
    mixture(work.keys, here, LANES, LANES * size, work.queries[me], numbers, scores, tiles, size, work.values, here)
    for n in range(numbers):
        own = min(CHUNK, work.places[first + n // each] + 1 - start)
        if own > 0:
            work.tops[slot, chunk, n], work.sums[slot, chunk, n] = _weigh(scores, n, own, tiles)
    answers = work.answers[slot, chunk]
    mixture(work.values, here, size, LANES, scores, numbers, answers, size // LANES, count, work.keys, there)


@compiled()
def _begin(net, work, layer, token, kv_head, chunk):
    """Where a chunk's keys and values for a head begin, in a row's token."""
    size, chunks, layers = work.values.shape[5], work.values.shape[1], work.values.shape[2]
    return (((work.rows[token] * chunks + chunk) * layers + layer) * net.kv_heads + kv_head) * CHUNK * size


@compiled()
def _join(net, work, group, kv_head, slot):
    """Put together what a group's head found in its chunks."""
    first, each, size = work.groups[group], net.heads // net.kv_heads, 2 * net.cosines.shape[1]
    for n in range((work.groups[group + 1] - first) * each):
        token, at = first + n // each, (kv_head * each + n % each) * size
        tops, sums = work.tops[slot, :, n], work.sums[slot, :, n]
        chunks, mixed = work.places[token] // CHUNK + 1, work.mixed[token, at : at + size]
        top, total = tops[0], np.float32(0)
        for chunk in range(1, chunks):
            top = max(top, tops[chunk])
        mixed[:] = 0
        for chunk in range(chunks):
            weight, answer = exp(tops[chunk] - top), work.answers[slot, chunk, n]
            total += weight * sums[chunk]
            for k in range(size):
                mixed[k] += weight * answer[k]
        by = np.float32(1) / total
        for k in range(size):
            mixed[k] *= by


@typed_intrinsic
def _weigh(context, scores, row, count, tiles):
    """e to the power of the first `count` of a row, less the highest of them; 0 for those after them in the tiles.

    Returns the highest, and what they come to.
    """
    return types.UniTuple(types.float32, 2)(scores, INDEX, INDEX, INDEX), _weighing


def _weighing(context: Any, builder: Any, signature: Any, given: Any) -> Any:
    build, (_, row, count, tiles) = Build(context, builder), given
    data, width = build.array(signature.args[0], given[0])
    start, lanes = build.at(data, build.times(width, row)), ir.Constant(_PLACES, list(range(LANES)))
    top, total = (build.register(every(_NUMBERS, number)) for number in (float("-inf"), 0.0))
    with build.loop(tiles) as tile:
        at = build.times(tile.index, LANES)
        left = build.splat(builder.trunc(builder.sub(count, at), INT), LANES)
        score = build.load(build.at(start, at), _NUMBERS)
        there = builder.icmp_signed("<", lanes, left)
        score = builder.select(there, score, every(_NUMBERS, float("-inf")))
        build.store(score, build.at(start, at))
        highest = builder.load(top)
        builder.store(builder.select(builder.fcmp_ordered(">", score, highest), score, highest), top)
    highest = build.call(f"llvm.vector.reduce.fmax.v{LANES}f32", FLOAT, builder.load(top))
    with build.loop(tiles) as tile:
        here = build.at(start, build.times(tile.index, LANES))
        weight = build.exp(builder.fsub(build.load(here, _NUMBERS), build.splat(highest, LANES)))
        build.store(weight, here)
        builder.store(builder.fadd(builder.load(total), weight), total)
    return context.make_tuple(builder, signature.return_type, [highest, build.across(builder.load(total))])
