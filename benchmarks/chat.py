"""What the page, the queue and the engine cost a chat: the whole stack against its own pipeline called plainly.

The same question, weights, threads, sampling settings and number of new tokens go to two processes in turn: `python
app.py`, asked with gradio_client at its /chat endpoint as another program would, and the chat pipeline in a process
with nothing else in it (benchmarks/plain.py). How fast that pipeline is itself, beside transformers' generate(), is
what benchmarks.decode measures. While one works the other is still: ours is suspended, plain waits for its next line.
Two numbers are compared.

* Tokens a second, once the first token is there ("decode"): at best the two are equal, and every millisecond that the
  server spends on delivering a token on the processors that compute the next one shows. Also over the whole answer.
* Time to the first token, with the model loaded and warm: from the question to its arrival at the client. Plain
  renders the prompt and reads it, ours does so after the way there through HTTP and the queue. That way costs a
  fixed time, so the ratio depends on how long the prompt is: the short question is the hard case.

Each pair uses the same seed; ratios are taken pair by pair, which cancels slow changes of the machine's load, and
their median is reported. Before anything is counted both answer at temperature 0, where the texts have to be equal:
proof that they do the same work. Every counted answer has to have the full number of tokens.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks import plain
from benchmarks.client import Asker
from benchmarks.plain import STORY, Answer, Plain
from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from benchmarks.server import Server, end_children_when_told_to_stop, serving

RATE = 0.95
FIRST = 1.3


class Ours:
    """The running server, from the side that asks."""

    def __init__(self, server: Server) -> None:
        self._asker = Asker(server)

    def ask(self, message: str, settings: dict[str, Any]) -> Answer:
        """Have it answer one message; returns when it has."""
        heard = self._asker.ask("/chat", "token", {"message": message, **settings})
        return Answer(heard.times, heard.seconds, heard.last["text"])


def same_work(ours: Ours, theirs: Plain, server: Server, message: str, settings: dict[str, Any]) -> None:
    """Let both answer at temperature 0, which also warms them up. Raises when their texts differ."""
    greedy = {**settings, "temperature": 0.0}
    mine = ours.ask(message, greedy)
    with server.suspended():
        other = theirs.ask(message, greedy)
    if mine.text != other.text:
        raise RuntimeError(f"At temperature 0 the texts differ:\nours:  {mine.text!r}\nplain: {other.text!r}")


def pair(ours: Ours, theirs: Plain, server: Server, message: str, settings: dict[str, Any]) -> tuple[Answer, Answer]:
    """Answers of both to the same question, in turn; who goes first alternates with the seed."""
    if settings["seed"] % 2:
        mine = ours.ask(message, settings)
    with server.suspended():
        other = theirs.ask(message, settings)
    if not settings["seed"] % 2:
        mine = ours.ask(message, settings)
    wrote = len(mine.times), len(other.times)
    if set(wrote) != {settings["max_new_tokens"]}:
        raise RuntimeError(f"The answers have {wrote[0]} and {wrote[1]} tokens: choose a question with longer ones.")
    print(
        f"pair {settings['seed'] + 1}: {mine.decode_rate:.1f} of {other.decode_rate:.1f} tokens/s, "
        f"first token after {mine.first * 1000:.0f} ms, plain {other.first * 1000:.0f} ms",
        flush=True,
    )
    return mine, other


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chat", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--runs", type=int, default=8, help="counted pairs of answers (%(default)s)")
    add("--tokens", type=int, default=96, help="tokens of each answer (%(default)s)")
    add("--temperature", type=float, default=0.3, help="(%(default)s, as on the page)")
    add("--top-p", type=float, default=0.9, help="(%(default)s, as on the page)")
    add("--message", default=STORY, help="a question with a long answer")
    add("--threads", type=int, default=0, help="OpenMP threads of both (0: as many as torch takes by itself)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    end_children_when_told_to_stop()
    watch = Watch(options.calm)
    environment = dict(os.environ) | ({"OMP_NUM_THREADS": str(options.threads)} if options.threads else {})
    settings = {
        "max_new_tokens": options.tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": 0,
    }
    with (
        serving(("app.py", "--device", "cpu", "--port"), environment) as server,
        plain.running(environment, "--ours") as theirs,
    ):
        ours = Ours(server)
        same_work(ours, theirs, server, options.message, settings)
        print("at temperature 0 both write the same text\n")
        found = [
            watch.measure(partial(pair, ours, theirs, server, options.message, {**settings, "seed": run}))
            for run in range(options.runs)
        ]
        threads = theirs.threads
    report(found, threads, settings, watch)


def report(found: Sequence[tuple[Answer, Answer]], threads: int, settings: dict[str, Any], watch: Watch) -> None:
    """Both sides' medians, the medians of their ratios, and what the goals say."""
    mine, other = [pair[0] for pair in found], [pair[1] for pair in found]
    numbers = {
        "decode_tokens_s": Sample.of(answer.decode_rate for answer in mine),
        "plain_decode_tokens_s": Sample.of(answer.decode_rate for answer in other),
        "decode_ratio": Sample.of(a.decode_rate / b.decode_rate for a, b in found),
        "whole_tokens_s": Sample.of(answer.whole_rate for answer in mine),
        "plain_whole_tokens_s": Sample.of(answer.whole_rate for answer in other),
        "whole_ratio": Sample.of(a.whole_rate / b.whole_rate for a, b in found),
        "first_token_s": Sample.of(answer.first for answer in mine),
        "plain_first_token_s": Sample.of(answer.first for answer in other),
        "first_token_ratio": Sample.of(a.first / b.first for a, b in found),
    }

    def row(title: str, key: str, unit: str, scale: float, digits: int) -> tuple[str, ...]:
        cells = (numbers[key], numbers[f"plain_{key}"])
        ratio = numbers[key.rsplit("_", 2 if unit == "tokens/s" else 1)[0] + "_ratio"]
        return title, *(cell.text(unit, scale, digits) for cell in cells), ratio.text()

    print(
        f"\n{len(found)} answers of {settings['max_new_tokens']} tokens from each, in turn, {threads} threads: median"
    )
    print("(lowest to highest)\n")
    rows = [
        row("decode", "decode_tokens_s", "tokens/s", 1, 1),
        row("whole answer", "whole_tokens_s", "tokens/s", 1, 1),
        row("first token", "first_token_s", "ms", 1000, 0),
    ]
    print(table(("", "whole stack", "plain pipeline", "ratio"), rows))
    goals = [
        Goal("decode, of the plain pipeline", numbers["decode_ratio"].median, RATE, at_least=True),
        Goal("first token, times plain", numbers["first_token_ratio"].median, FIRST),
    ]
    settled = {name: value for name, value in settings.items() if name != "seed"}
    finish("chat", {"runs": len(found), "threads": threads, "settings": settled, **numbers}, goals, watch)


if __name__ == "__main__":
    main()
