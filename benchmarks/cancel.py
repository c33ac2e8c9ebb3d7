"""How soon a cancelled chat has let go of the device, and how soon the next one has it.

A run can end only where it looks: at emit(), once a token. So a cancel takes what is left of the step it falls into,
on average half a token's time, and never more than one whole step. Chats with the built-in model in this process are
cancelled at random moments (seeded) while they write; measured is the time from job.cancel() until the job's thread
has left the pipeline, its turn and its memory (job.wait_let_go()). The median is held against the median time of one
token, the worst against the slowest, both taken from the same runs before their cancels: tokens take twice as long
in a slow moment of the machine, and a cancel that falls into one cannot end sooner. The number of tokens that were
still written after the cancel does not depend on that, and is one at most.

The engine runs one job at a time here, and the next one is waiting already: it "starts at once" when its pipeline
begins within a token's time of the cancelled one's leaving.

Cancels while a long conversation is being read are counted apart, without a goal: a step is then a part of the
prompt (pipelines.chat.PREFILL tokens), not a token.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.local import Chats, chats
from benchmarks.plain import STORY
from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from pipelines.engine import Limits
from pipelines.events import Progress, Token
from pipelines.job import Job

LATEST_TOKENS = 24  # a cancel comes after at most so many tokens


@dataclass(frozen=True)
class Cancel:
    """One cancel, in seconds."""

    let_go: float  # from cancel() to wait_let_go()'s return
    next_begins: float  # from the cancelled run's leaving the pipeline to the next one's entering it
    tokens: tuple[float, ...]  # times of the tokens before it
    late: int  # tokens written after it


def cancels(chat: Chats, count: int, dice: random.Random, watch: Watch) -> list[Cancel]:
    """Cancel so many chats, one after another."""
    found = []
    for number in range(count):
        found.append(watch.measure(partial(cancel, chat, dice)))
        print(f"cancel {number + 1}: let go after {found[-1].let_go * 1000:.1f} ms", flush=True)
    return found


def cancel(chat: Chats, dice: random.Random) -> Cancel:
    """Cancel a chat at a random moment after a random number of tokens, with the next one waiting behind it."""
    job, follower = chat.ask("visitor", 1_000), chat.ask("visitor", 1_000)
    _await(job, dice.randint(1, LATEST_TOKENS))
    time.sleep(dice.random() * _token_time(chat, job))
    began = time.perf_counter()
    job.cancel()
    let_go = _let_go(job) - began
    if job.state != "cancelled":
        raise RuntimeError("The answer ended before it was cancelled.")
    _await(follower, 1)
    follower.cancel()
    _let_go(follower)
    noted = chat.run_of(job)
    late = sum(when > began for when in noted.tokens)
    before = noted.gaps[: len(noted.gaps) - late]
    return Cancel(let_go, chat.run_of(follower).began - noted.left, tuple(before), late)


def cancels_while_reading(chat: Chats, count: int, dice: random.Random) -> list[float]:
    """Seconds to let go when the cancel comes while a prompt of some two thousand tokens is read."""
    found = []
    for number in range(count):
        job = chat.ask("visitor", 1_000, f"Number {number}. {STORY * 110}")  # of the same one nothing is read again
        next(event for event in job if isinstance(event, Progress) and event.total)
        time.sleep(dice.random())
        began = time.perf_counter()
        job.cancel()
        found.append(_let_go(job) - began)
    return found


def _await(job: Job, tokens: int) -> None:
    """Return when the job has written so many tokens."""
    written = 0
    for event in job:
        written += isinstance(event, Token)
        if written == tokens:
            return
    raise RuntimeError(f"The answer ended after {written} tokens, before it was to be cancelled.")


def _let_go(job: Job) -> float:
    """When the job's thread had let go."""
    if not job.wait_let_go(60):
        raise TimeoutError("A cancelled job had not let go after a minute.")
    return time.perf_counter()


def _token_time(chat: Chats, job: Job) -> float:
    """Seconds that this job's last token took; none for a job with one."""
    return (chat.run_of(job).gaps or [0.0])[-1]


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cancel", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--runs", type=int, default=50, help="cancels while a chat writes (%(default)s)")
    add("--reading", type=int, default=5, help="cancels while a long prompt is read (%(default)s)")
    add("--seed", type=int, default=0, help="decides the moments (%(default)s)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    dice = random.Random(options.seed)
    watch = Watch(options.calm)
    with chats(Limits(threads=1, per_user=1)) as chat:
        found = cancels(chat, options.runs, dice, watch)
        reading = cancels_while_reading(chat, options.reading, dice)
    report(found, reading, watch)


def report(found: Sequence[Cancel], reading: Sequence[float], watch: Watch) -> None:
    """Medians and worst cases beside a token's time, and what the goals say."""
    token = Sample.of(gap for cancel in found for gap in cancel.tokens)
    let_go = Sample.of(cancel.let_go for cancel in found)
    next_begins = Sample.of(cancel.next_begins for cancel in found)
    late = max(cancel.late for cancel in found)
    rows = [
        ("one token", token.text("ms", 1000, 1)),
        ("cancel to let go", let_go.text("ms", 1000, 1)),
        ("left to the next one's beginning", next_begins.text("ms", 1000, 2)),
        ("tokens written after the cancel, at most", str(late)),
    ]
    numbers = {"runs": len(found), "token_s": token, "let_go_s": let_go, "next_begins_s": next_begins, "late": late}
    if reading:
        numbers["let_go_reading_s"] = Sample.of(reading)
        rows.append(("cancel to let go, reading a long prompt", Sample.of(reading).text("ms", 1000, 0)))
    print(f"\n{len(found)} cancels: median (lowest to highest)\n")
    print(table(("", ""), rows))
    goals = [
        Goal("let go, median, in token times", let_go.median / token.median, 1),
        Goal("let go, worst, in times of the slowest token", let_go.high / token.high, 1),
        Goal("next one begins, worst, in token times", next_begins.high / token.median, 1),
        Goal("tokens after the cancel, worst", late, 1),
    ]
    finish("cancel", numbers, goals, watch)


if __name__ == "__main__":
    main()
