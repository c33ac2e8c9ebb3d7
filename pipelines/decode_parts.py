"""What a step computes between its products, each for some rows, columns or heads: see Net and Work in decode_step.py.

numba's loops become vector instructions only where an index is surely not negative, so they run over slices, from 0.
"""

from __future__ import annotations

import numpy as np

from pipelines.decode_llvm import compiled, halved
from pipelines.decode_tiles import BLOCK, LANES, STRIP, mixture
from pipelines.softmax import exp


@compiled(fastmath={"reassoc", "contract"})
def normalise(x, weight, epsilon, out):
    """Root mean square norm (Zhang and Sennrich 2019)."""
    for row in range(len(x)):
        square = np.float32(0)
        for k in range(x.shape[1]):
            square += x[row, k] * x[row, k]
        by = np.float32(1) / np.sqrt(square / np.float32(x.shape[1]) + np.float32(epsilon))
        for k in range(x.shape[1]):
            out[row, k] = x[row, k] * by * weight[k]


@compiled(fastmath={"nnan"})
def round_off(x, coded, first, end):
    """Round these columns of all rows to 8 bits, block by block (llama.cpp's quantize_row_q8_1)."""
    for row in range(len(x)):
        for at in range(first, end, BLOCK):
            block, codes, mark = x[row, at : at + BLOCK], coded.codes[row, at : at + BLOCK], at // BLOCK * 2
            most = np.float32(0)
            for k in range(BLOCK):
                most = max(most, abs(block[k]))
            by = np.float32(127) / most if most > 0 else np.float32(0)
            total = np.int32(0)
            for k in range(BLOCK):
                code = np.int32(np.rint(block[k] * by))
                codes[k] = code
                total += code
            scale = most / np.float32(127)
            coded.marks[row, mark], coded.marks[row, mark + 1] = scale, scale * np.float32(total)


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
    tile, lane = divmod(place, LANES)
    for head in range(net.kv_heads):
        at = size * (net.heads + head)
        key = work.qkv[token, at : at + size]
        rotate(key, net.cosines[place], net.sines[place], np.float32(1), key)
        at += size * net.kv_heads
        value = work.qkv[token, at : at + size]
        keys, values = work.keys[row, layer, head, tile, :, lane], work.values[row, layer, head, place]
        for k in range(size):
            keys[k], values[k] = halved(key[k]), halved(value[k])


@compiled()
def attend(net, work, layer, group, kv_head, me):
    """Attention of the heads that share this head's keys and values (Ainslie et al. 2023), for a group of tokens."""
    first, end = work.groups[group], work.groups[group + 1]
    size, each = 2 * net.cosines.shape[1], net.heads // net.kv_heads
    row, count, context = work.rows[first], work.places[end - 1] + 1, work.values.shape[3]
    queries, scores, answers = work.queries[me], work.scores[me], work.answers[me]
    numbers, shrink = (end - first) * each, np.float32(1) / np.sqrt(np.float32(size))
    for n in range(numbers):
        token, at = first + n // each, (kv_head * each + n % each) * size
        place = work.places[token]
        rotate(work.qkv[token, at : at + size], net.cosines[place], net.sines[place], shrink, queries[n])
    begin = ((row * work.values.shape[1] + layer) * net.kv_heads + kv_head) * context * size
    mixture(work.keys, begin, LANES, LANES * size, queries, numbers, scores, (count + LANES - 1) // LANES, size)
    for n in range(numbers):
        _softmax(scores[n], work.places[first + n // each] + 1, count)
    mixture(work.values, begin, size, LANES, scores, numbers, answers, size // LANES, count)
    for n in range(numbers):
        at = (kv_head * each + n % each) * size
        mixed = work.mixed[first + n // each, at : at + size]
        for k in range(size):
            mixed[k] = answers[n, k]


@compiled(fastmath={"reassoc", "contract", "nnan"})
def _softmax(scores, count, end):
    """Of the first `count`, in place; those from there to `end` become 0."""
    most = scores[0]
    for n in range(count):
        most = max(most, scores[n])
    total = np.float32(0)
    for n in range(count):
        scores[n] = exp(scores[n] - most)
        total += scores[n]
    by = np.float32(1) / total
    for n in range(count):
        scores[n] *= by
    for n in range(count, end):
        scores[n] = 0


@compiled(fastmath={"contract", "nnan"})
def gate(gates, hidden, at):
    """hidden *= silu(gates), for the 32 columns from `at` on."""
    for row in range(len(gates)):
        gate, numbers = gates[row, at : at + STRIP], hidden[row, at : at + STRIP]
        for n in range(STRIP):
            numbers[n] *= gate[n] / (np.float32(1) + exp(-gate[n]))
