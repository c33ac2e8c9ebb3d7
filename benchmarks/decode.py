"""How fast the built-in chat model decodes for one person, and what that is worth.

    python -m benchmarks.decode [--runs N] [--windows N] [--peer CMD] [--calm CORES]

Four things are measured, in one run on one machine:

* Tokens a second once the first one is there, with prompts of 32 and 512 tokens and 128 new ones, sampled as on the
  page, against plain `model.generate()` in a process of its own, in turn (benchmarks/plain.py). Both get the same
  conversation, but not the same weights: ours are 4 and 8 bits wide, plain's 32, which is the point.
* The same as a share of what the memory allows: every weight is read once for a token, and the keys and values of the
  text so far; the bandwidth is that of reading a large array with all cores, just before.
* What rounding costs: perplexity on text that the model has not been tuned on here (the language reference that comes
  with Python), beside the same model with its weights in bfloat16.
* The time to the first token of a second turn, with short and long conversations before it.

It takes some three minutes on two cores; --runs 1 --windows 0 takes one.

CMD, if given, is run in turn with ours. Its last line has to be a number, tokens a second, or the JSON of this
benchmark; the ratio to it is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from bisect import bisect_right
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks import plain
from benchmarks.decode_text import Perplexities, perplexities
from benchmarks.plain import CONTEXT, Answer, Plain, timed
from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from pipelines import chat
from pipelines.chat import ChatPipeline, ChatRequest, Message
from pipelines.decode_batch import Batch
from pipelines.device import detect
from pipelines.weights import SMOLLM2, Store

PROMPTS = (32, 512)
NEW = 128
WORDS = "the sea was grey and the wind came from the north while the keeper wrote down what the lamp had seen "
HISTORIES = (100, 400, 1_600, 3_200)  # tokens
SAID = ("Yes. ", "No. ", "Maybe. ")
LONGEST = 1_500  # tokens of one message: a longer one would be refused
TIMES_PLAIN = 4.0
OF_BOUND = 0.6
WORSE = 0.02
SECOND_TURN = 1.5  # longest history's time to the first token, times the shortest's


def of_length(pipeline: ChatPipeline, tokens: int) -> str:
    """A message with which the whole prompt has about so many tokens."""
    words = ("Go on with this story. " + WORDS * (tokens // 10 + 1)).split()

    def size(count: int) -> int:
        return len(prompt_of(pipeline, " ".join(words[:count])))

    return " ".join(words[: max(1, bisect_right(range(1, len(words)), tokens, key=size))])


def prompt_of(pipeline: ChatPipeline, message: str) -> list[int]:
    return pipeline._prompt(ChatRequest(message=message))[0]


def decode(pipeline: ChatPipeline, message: str, seed: int) -> Answer:
    """128 tokens of ours; asks again with other seeds while an answer ends before that."""
    batch = pipeline.writer
    assert isinstance(batch, Batch)
    for attempt in range(20):
        batch.forget()  # each prompt is read anew
        request = ChatRequest(
            message=message, temperature=1.0, top_p=0.95, max_new_tokens=NEW, seed=seed + 1000 * attempt
        )
        found = timed(pipeline, request)[1]
        if len(found.times) == NEW:
            return found
    raise RuntimeError("No answer was long enough.")


def pair(pipeline: ChatPipeline, theirs: Plain, message: str, seed: int) -> tuple[Answer, Answer]:
    """Ours and plain's answers to the same message."""
    mine = decode(pipeline, message, seed)
    settings = {"temperature": 1.0, "top_p": 0.95, "max_new_tokens": NEW, "seed": seed}
    other = theirs.ask(message, settings)
    print(
        f"ours {mine.decode_rate:.1f} tokens/s, first after {mine.first * 1000:.0f} ms; "
        f"plain {other.decode_rate:.1f} and {other.first * 1000:.0f} ms",
        flush=True,
    )
    return mine, other


def bandwidth() -> float:
    """Bytes a second at which all cores together read an array that no cache holds; the best of five tries."""
    import torch

    array = torch.ones(2**26)
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        array.sum()
        best = max(best, 4 * 2**26 / (time.perf_counter() - began))
    return best


def token_bytes(pipeline: ChatPipeline, prompt: int) -> int:
    """Bytes that have to be read for one token, halfway through the answer: the weights as they are stored, 4 and 8
    bits each with what belongs to their blocks, and the keys and values so far."""
    batch = pipeline.writer
    assert isinstance(batch, Batch)
    return batch.weight_bytes + batch.token_bytes * (prompt + NEW // 2)


def second_turns(pipeline: ChatPipeline, history: int) -> list[float]:
    """Seconds to the first token of turns that follow a conversation of this many tokens, which was read before."""
    batch = pipeline.writer
    assert isinstance(batch, Batch)
    batch.forget()
    times = -(-history // LONGEST)
    said = Message(role="user", content=of_length(pipeline, history // times))
    before = (said, Message(role="assistant", content="Well. " * 10)) * (times - 1)
    timed(pipeline, ChatRequest(message=said.content, history=before, max_new_tokens=1))
    found = []
    for word in SAID:  # by an answer of its own, or the last turn's would be known
        history_then = (*before, said, Message(role="assistant", content=word * 10))
        request = ChatRequest(message="And what came then?", history=history_then, max_new_tokens=1)
        found.append(timed(pipeline, request)[1].seconds)
    return found


def peer_rate(command: str) -> float:
    """Tokens a second that another program says it has."""
    said = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    found = json.loads(said)
    return float(found[f"tokens_s_{PROMPTS[0]}"]["median"] if isinstance(found, dict) else found)


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decode", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--runs", type=int, default=3, help="counted answers of each kind (%(default)s)")
    add("--windows", type=int, default=4, help="texts of 512 tokens for the perplexity; 0 leaves it out (%(default)s)")
    add("--peer", metavar="CMD", default="", help="another program; its last line says its tokens a second")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    watch = Watch(options.calm)
    folder = Store().fetch(SMOLLM2, lambda update: None).path
    pipeline = chat.load(detect("cpu"), folder, CONTEXT)
    found: dict[int, list[tuple[Answer, Answer]]] = {}
    bandwidths: list[float] = []
    peers: list[float] = []
    with plain.running(dict(os.environ)) as theirs:
        for prompt in PROMPTS:
            message = of_length(pipeline, prompt)
            decode(pipeline, message, 0)  # warm
            theirs.ask(message, {"temperature": 0.0, "top_p": 1.0, "max_new_tokens": 4, "seed": 0})
            found[prompt] = []
            for run in range(options.runs):
                bandwidths.append(watch.measure(bandwidth))
                found[prompt].append(watch.measure(partial(pair, pipeline, theirs, message, run)))
                if options.peer and prompt == PROMPTS[0]:
                    peers.append(watch.measure(partial(peer_rate, options.peer)))
    turns = {history: Sample.of(watch.measure(partial(second_turns, pipeline, history))) for history in HISTORIES}
    quality = perplexities(folder, options.windows) if options.windows else None
    report(pipeline, found, Sample.of(bandwidths), peers, turns, quality, watch)


def report(
    pipeline: ChatPipeline,
    found: dict[int, list[tuple[Answer, Answer]]],
    bytes_s: Sample,
    peers: Sequence[float],
    turns: dict[int, Sample],
    quality: Perplexities | None,
    watch: Watch,
) -> None:
    """Tables for a person, goals, and one line of JSON."""
    numbers: dict[str, Any] = {
        "bandwidth_gb_s": Sample(*(n / 1e9 for n in (bytes_s.median, bytes_s.low, bytes_s.high)), bytes_s.runs)
    }
    goals, rows = [], []
    for prompt, pairs in found.items():
        mine = Sample.of(a.decode_rate for a, _ in pairs)
        other = Sample.of(b.decode_rate for _, b in pairs)
        ratio = Sample.of(a.decode_rate / b.decode_rate for a, b in pairs)
        each = token_bytes(pipeline, prompt)
        share = mine.median * each / bytes_s.median
        first = Sample.of(a.first for a, _ in pairs)
        rows.append(
            (
                f"{prompt}",
                mine.text("tokens/s", 1, 1),
                other.text("tokens/s", 1, 1),
                ratio.text(),
                f"{each / 1e6:.0f} MB",
                f"{share:.0%}",
            )
        )
        numbers |= {
            f"tokens_s_{prompt}": mine,
            f"plain_tokens_s_{prompt}": other,
            f"ratio_{prompt}": ratio,
            f"bytes_per_token_{prompt}": each,
            f"share_of_bound_{prompt}": share,
            f"first_token_s_{prompt}": first,
        }
        goals.append(Goal(f"times plain, prompt {prompt}", ratio.median, TIMES_PLAIN, at_least=True))
        goals.append(Goal(f"share of the bound, prompt {prompt}", share, OF_BOUND, at_least=True))
    print(f"\nmemory is read at {bytes_s.median / 1e9:.1f} GB/s; {NEW} new tokens: median (lowest to highest)\n")
    print(table(("prompt", "ours", "plain generate", "ratio", "per token", "of the bound"), rows))
    print("\nsecond turn, time to the first token by the length of the conversation before it\n")
    print(table(("tokens", "ms"), ((str(n), sample.text("", 1000, 0)) for n, sample in turns.items())))
    numbers["second_turn_s"] = {str(n): sample.json() for n, sample in turns.items()}
    slowest = turns[HISTORIES[-1]].median / turns[HISTORIES[0]].median
    goals.append(Goal("second turn, longest history times shortest", slowest, SECOND_TURN))
    if quality is not None:
        print(f"\nperplexity {quality.ours:.3f}, with bfloat16 weights {quality.reference:.3f}: {quality.worse:+.2%}")
        numbers |= {"perplexity": quality.ours, "perplexity_bf16": quality.reference}
        goals.append(Goal("perplexity, worse than bf16 by", quality.worse, WORSE))
    if peers:
        ratio = Sample.of(a.decode_rate / b for (a, _), b in zip(found[PROMPTS[0]], peers, strict=True))
        print(f"\nthe peer has {Sample.of(peers).text('tokens/s', 1, 1)}; ours is {ratio.text()} times that")
        numbers |= {"peer_tokens_s": Sample.of(peers), "peer_ratio": ratio}
    finish("decode", numbers, goals, watch)


if __name__ == "__main__":
    main()
