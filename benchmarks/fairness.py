"""Whether one visitor with many long chats can crowd out another with short ones.

The device is shared by user, not by job: at each token it passes to whoever has had the least of it. One user submits
five long chats at once, another sends short ones, each when the last is answered, so both have work all the time.
The device seconds that each got meanwhile are read from the engine's own accounts, and weighed with Jain's index:

    (a + b)² / (2 (a² + b²))        1 when both got the same, 0.5 when one got all

The wait of the short chats (from submit to the first token) is held against the same chats with nobody else there,
in turn, round by round. It cannot be the same: at best the two users alternate, so each step takes two steps' time,
and the step under way when the chat arrives has to end first.

Sharing itself costs something: tokens a second of everybody together, beside those of one chat alone, say how much.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.local import Chats, chats
from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from pipelines.engine import Limits
from pipelines.events import Token
from pipelines.job import Job

CROWD, LONE = "crowd", "lone"
QUESTIONS = ("What is the capital of France?", "Name three colours.", "What is a cat?", "Say good morning.")
INDEX = 0.95


@dataclass(frozen=True)
class Short:
    """One short chat, in seconds."""

    wait: float  # submit to first token
    whole: float


@dataclass(frozen=True)
class Shared:
    """One round with both users at work."""

    crowd: float  # device seconds
    lone: float
    seconds: float
    tokens: int  # of both


def jain(shares: Sequence[float]) -> float:
    """Jain's fairness index of what several users got: 1 is equal, 1/n is all for one (Jain, Chiu and Hawe 1984)."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


def short_chats(chat: Chats, count: int, tokens: int) -> list[Short]:
    """Short chats of the lone user, one after another."""
    found = []
    for number in range(count):
        began = time.perf_counter()
        first = 0.0
        for event in chat.ask(LONE, tokens, QUESTIONS[number % len(QUESTIONS)]):
            if isinstance(event, Token) and not first:
                first = time.perf_counter() - began
        found.append(Short(first, time.perf_counter() - began))
    return found


def by_itself(chat: Chats, count: int, tokens: int) -> tuple[list[Short], float]:
    """Short chats with nobody else there, and the tokens a second."""
    before, began = _written(chat), time.perf_counter()
    shorts = short_chats(chat, count, tokens)
    return shorts, (_written(chat) - before) / (time.perf_counter() - began)


def shared(chat: Chats, count: int, tokens: int) -> tuple[list[Short], Shared]:
    """The same short chats while the other user has five long ones under way or waiting."""
    long = [chat.ask(CROWD, 4_000) for _ in range(5)]
    next(event for event in long[0] if isinstance(event, Token))
    before = _written(chat)
    crowd, lone, began = chat.engine.used(CROWD), chat.engine.used(LONE), time.perf_counter()
    shorts = short_chats(chat, count, tokens)
    seconds = time.perf_counter() - began
    crowd, lone = chat.engine.used(CROWD) - crowd, chat.engine.used(LONE) - lone
    written = _written(chat) - before
    if not any(job.state == "running" for job in long):
        raise RuntimeError("The long chats ended before the short ones did: take fewer short ones.")
    _end(long)
    return shorts, Shared(crowd, lone, seconds, written)


def _written(chat: Chats) -> int:
    return sum(len(run.tokens) for run in list(chat.runs.values()))


def _end(jobs: Sequence[Job]) -> None:
    for job in reversed(jobs):  # those that wait first, so that none of them starts
        job.cancel()
    for job in jobs:
        job.wait_let_go(60)


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fairness", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--rounds", type=int, default=3, help="rounds, each alone and shared (%(default)s)")
    add("--chats", type=int, default=8, help="short chats of a round (%(default)s)")
    add("--tokens", type=int, default=16, help="tokens of a short chat, at most (%(default)s)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    watch = Watch(options.calm)
    alone: list[tuple[list[Short], float]] = []
    both: list[tuple[list[Short], Shared]] = []
    with chats(Limits()) as chat:
        for number in range(options.rounds):
            alone.append(watch.measure(partial(by_itself, chat, options.chats, options.tokens)))
            both.append(watch.measure(partial(shared, chat, options.chats, options.tokens)))
            got = both[-1][1]
            print(
                f"round {number + 1}: of {got.seconds:.2f} s the five long chats got {got.crowd:.2f} on the device, "
                f"the short ones {got.lone:.2f}",
                flush=True,
            )
    report(alone, both, watch)


def report(
    alone: Sequence[tuple[list[Short], float]], both: Sequence[tuple[list[Short], Shared]], watch: Watch
) -> None:
    """The shares, the waits, and what the goal says."""
    calm = [short for shorts, _ in alone for short in shorts]
    crowded = [short for shorts, _ in both for short in shorts]
    rounds = [got for _, got in both]
    index = Sample.of(jain((got.crowd, got.lone)) for got in rounds)
    numbers = {
        "index": index,
        "crowd_share": Sample.of(got.crowd / (got.crowd + got.lone) for got in rounds),
        "device_busy": Sample.of((got.crowd + got.lone) / got.seconds for got in rounds),
        "wait_s": Sample.of(short.wait for short in crowded),
        "wait_alone_s": Sample.of(short.wait for short in calm),
        "chat_s": Sample.of(short.whole for short in crowded),
        "chat_alone_s": Sample.of(short.whole for short in calm),
        "tokens_s": Sample.of(got.tokens / got.seconds for got in rounds),
        "tokens_alone_s": Sample.of(rate for _, rate in alone),
    }
    print(f"\n{len(calm)} short chats alone, {len(crowded)} beside five long ones: median (lowest to highest)\n")
    rows = [
        ("wait for the first token", "wait", "ms", 1000.0, 0),
        ("short chat in all", "chat", "s", 1.0, 2),
        ("tokens of all, a second", "tokens", "", 1.0, 1),
    ]
    print(
        table(
            ("", "alone", "beside five long ones"),
            (
                (
                    title,
                    numbers[f"{key}_alone_s"].text(unit, scale, digits),
                    numbers[f"{key}_s"].text(unit, scale, digits),
                )
                for title, key, unit, scale, digits in rows
            ),
        )
    )
    share = numbers["crowd_share"]
    print(f"\nthe five long chats got {share.text('%', 100, 1)} of the device seconds used")
    print(f"Jain's index {index.text(digits=3)}")
    goals = [Goal("Jain's index, lowest round", index.low, INDEX, at_least=True)]
    finish("fairness", {"rounds": len(rounds), "short_chats": len(crowded), **numbers}, goals, watch)


if __name__ == "__main__":
    main()
