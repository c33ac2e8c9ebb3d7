"""How many people one small machine can chat with at once.

    python -m benchmarks.many [--users 1,2,4,8,16] [--tokens N] [--rounds N] [--calm CORES]

`python app.py` is asked by several gradio_clients at the same moment, each a visitor of its own, with its own
question, settings and seed; what is measured is what arrives at them. For each number of visitors: tokens a second of
all together (from the first question to the last answer), tokens a second of each (once its first is there), the time
to the first token (median and 95th percentile), and Jain's index of what each got. The clients work on the same
processors as the server, as much as it takes to read 16 streams.

With more visitors than the server takes at once the rest queue; the goal for the first token counts from the moment
that a chat is let in.

What the goal for all together can be at most, the decoder says by itself, without a server, in this process: tokens a
second of a step for one and of a step for several. A step for one waits for memory, a step for several computes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.client import Asker, Heard
from benchmarks.fairness import jain
from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from benchmarks.server import end_children_when_told_to_stop, serving
from pipelines.decode_engine import Decoder
from pipelines.decode_weights import NAME
from pipelines.device import detect
from pipelines.weights import SMOLLM2, Store

POLL_S = 0.02  # sixteen clients that look more often would be what is measured
THINGS = ("lighthouse", "bakery", "forest", "train", "village", "garden", "castle", "river")
TIMES_ALONE = 4.0
FIRST_S = 1.0
MEASURED_AT = 8
READ, STEPS = 64, 20


@dataclass(frozen=True)
class Round:
    """So many visitors at once."""

    heard: tuple[Heard, ...]
    seconds: float

    @property
    def total(self) -> float:
        """Tokens a second of all together."""
        return sum(len(each.times) for each in self.heard) / self.seconds

    @property
    def rates(self) -> list[float]:
        """Tokens a second of each, once its first token is there."""
        return [(len(each.times) - 1) / max(each.times[-1] - each.times[0], POLL_S) for each in self.heard]

    @property
    def firsts(self) -> list[float]:
        """Seconds from each question to its first token."""
        return [each.times[0] for each in self.heard]

    @property
    def waits(self) -> list[float]:
        """Seconds from being let in to the first token."""
        return [each.times[0] - each.began for each in self.heard]


def ask_all(askers: Sequence[Asker], tokens: int, seed: int) -> Round:
    """All ask at once; returns when all have their answer."""

    def ask(number: int) -> Heard:
        thing = THINGS[number % len(THINGS)]
        values: dict[str, Any] = {
            "message": f"Write a very long story about a {thing}, with many details.",
            "temperature": 0.3 + 0.1 * (number % 4),
            "max_new_tokens": tokens,
            "seed": 100 * seed + number,
        }
        return askers[number].ask("/chat", "token", values, POLL_S)

    began = time.perf_counter()
    with ThreadPoolExecutor(len(askers)) as threads:
        heard = tuple(threads.map(ask, range(len(askers))))
    return Round(heard, time.perf_counter() - began)


def steps(counts: Sequence[int]) -> dict[int, float]:
    """Tokens a second of the decoder with nothing around it, by how many share a step; the best of some."""
    decoder = Decoder(Store().fetch(SMOLLM2, lambda update: None).path / NAME, 512, detect("cpu").cores, max(counts))
    for row in range(max(counts)):
        decoder.read(row, 0, range(READ))
    found = dict.fromkeys(counts, 0.0)
    for _ in range(STEPS):
        for count in counts:
            began = time.perf_counter()
            decoder.step(range(count), [0] * count, [READ] * count)
            found[count] = max(found[count], count / (time.perf_counter() - began))
    return found


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--users", default="1,2,4,8,16", help="how many at once (%(default)s)")
    add("--tokens", type=int, default=64, help="tokens of each answer at most (%(default)s)")
    add("--rounds", type=int, default=2, help="counted rounds of each (%(default)s)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    end_children_when_told_to_stop()
    watch = Watch(options.calm)
    counts = [int(count) for count in options.users.split(",")]
    found: dict[int, list[Round]] = {count: [] for count in counts}
    with serving(("app.py", "--device", "cpu", "--only", "chat", "--port"), dict(os.environ)) as server:
        askers = [Asker(server) for _ in range(max(counts))]
        ask_all(askers[:1], 8, 0)  # loads the model
        for number in range(options.rounds):
            for count in counts:
                round_ = watch.measure(partial(ask_all, askers[:count], options.tokens, number + 1))
                print(f"{count} at once: {round_.total:.1f} tokens/s", flush=True)
                found[count].append(round_)
    report(found, watch.measure(partial(steps, counts)), watch)


def report(found: dict[int, list[Round]], alone: dict[int, float], watch: Watch) -> None:
    """A row for each number of visitors, goals, and one line of JSON."""
    rows, numbers = [], {}
    totals = {count: Sample.of(each.total for each in rounds) for count, rounds in found.items()}
    for count, rounds in found.items():
        firsts = [first for each in rounds for first in each.firsts]
        rates = Sample.of(rate for each in rounds for rate in each.rates)
        share = statistics.median(jain(each.rates) for each in rounds)
        wait = max(wait for each in rounds for wait in each.waits)
        middle, late = statistics.median(firsts), percentile(firsts, 0.95)
        rows.append(
            (
                str(count),
                totals[count].text("", 1, 1),
                rates.text("", 1, 1),
                f"{middle:.2f} s",
                f"{late:.2f} s",
                f"{wait:.2f} s",
                f"{share:.3f}",
                f"{alone[count]:.1f}",
            )
        )
        numbers[str(count)] = {
            "total_tokens_s": totals[count].json(),
            "user_tokens_s": rates.json(),
            "first_token_p50_s": middle,
            "first_token_p95_s": late,
            "let_in_to_first_token_max_s": wait,
            "jain": share,
            "decoder_tokens_s": alone[count],
        }
    print("\nmedian (lowest to highest)\n")
    each = ("tokens/s each", "first, p50", "first, p95", "let in to first, max", "Jain")
    print(table(("at once", "tokens/s in all", *each, "decoder alone"), rows))
    goals = []
    if MEASURED_AT in found and 1 in found:
        ratio = totals[MEASURED_AT].median / totals[1].median
        print(f"\nthe decoder alone: {MEASURED_AT} in a step {alone[MEASURED_AT] / alone[1]:.2f} times one")
        goals.append(Goal(f"{MEASURED_AT} in all, times one alone", ratio, TIMES_ALONE, at_least=True))
        goals.append(
            Goal(
                "first token after being let in, s", numbers[str(MEASURED_AT)]["let_in_to_first_token_max_s"], FIRST_S
            )
        )
    finish("many", {"users": numbers}, goals, watch)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    main()
