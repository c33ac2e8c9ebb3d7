"""What X-ray costs: the same answers, watched and unwatched in turn, by the built-in chat model in this process.

    python -m benchmarks.xray [--runs N] [--tokens N] [--temperature T] [--top-p P] [--calm CORES]

A pair has one seed, so both write the same text (checked) and do the same work but for the watching. Their decoding
speeds, once the first token is there, give a ratio; pairs are taken in alternating order and the median of the ratios
is reported, which cancels slow changes of the machine's load. Nothing of a server or page is in it. The goal holds
for the median.

Unwatched, nothing is computed for X-ray at all, so there is nothing to measure; that such tokens carry no X-ray is
checked with each pair.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from benchmarks.plain import STORY, timed
from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from pipelines import catalog
from pipelines.chat import ChatRequest
from pipelines.device import detect
from pipelines.spec import Pipeline
from pipelines.weights import Store

KEPT = 0.95  # of the unwatched speed


def pair(pipeline: Pipeline[ChatRequest], request: ChatRequest) -> tuple[float, float]:
    """Tokens a second watched and unwatched; who goes first alternates with the seed."""
    watched_first = bool(request.seed % 2)
    speeds, said = {}, {}
    for xray in (watched_first, not watched_first):
        tokens, answer = timed(pipeline, request.model_copy(update={"xray": xray}))
        if len(tokens) < request.max_new_tokens:
            raise RuntimeError(f"The answer has only {len(tokens)} tokens: choose a question with longer ones.")
        speeds[xray] = answer.decode_rate
        said[xray] = [(token.text, token.id, token.p) for token in tokens]
        if any((token.xray is not None) != xray for token in tokens):
            raise RuntimeError("X-ray was not what was asked for.")
    if said[True] != said[False]:
        raise RuntimeError("The answer changed because it was watched.")
    print(f"pair {request.seed + 1}: {speeds[True]:.1f} tokens/s watched, {speeds[False]:.1f} unwatched", flush=True)
    return speeds[True], speeds[False]


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.xray", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--runs", type=int, default=8, help="counted pairs of answers (%(default)s)")
    add("--tokens", type=int, default=96, help="tokens of each answer (%(default)s)")
    add("--temperature", type=float, default=0.3, help="(%(default)s, as on the page)")
    add("--top-p", type=float, default=0.9, help="(%(default)s, as on the page)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    watch = Watch(options.calm)
    device = detect()
    spec = catalog.chat_models(device)[0]
    pipeline = spec.load(device, Store().fetch(spec.weights, lambda update: None).path)
    settings = {"max_new_tokens": options.tokens, "temperature": options.temperature, "top_p": options.top_p}
    request = ChatRequest.model_validate({"message": STORY, **settings})
    pair(pipeline, request.model_copy(update={"max_new_tokens": 8}))  # warm-up
    found = [
        watch.measure(partial(pair, pipeline, request.model_copy(update={"seed": seed})))
        for seed in range(options.runs)
    ]
    numbers = {
        "watched_tokens_s": Sample.of(watched for watched, _ in found),
        "unwatched_tokens_s": Sample.of(unwatched for _, unwatched in found),
        "ratio": Sample.of(watched / unwatched for watched, unwatched in found),
        "cost_s": Sample.of(1 / watched - 1 / unwatched for watched, unwatched in found),
    }
    rows = [
        ("watched", numbers["watched_tokens_s"].text("tokens/s", digits=1)),
        ("unwatched", numbers["unwatched_tokens_s"].text("tokens/s", digits=1)),
        ("ratio", numbers["ratio"].text()),
        ("a token's X-ray", numbers["cost_s"].text("ms", 1000)),
    ]
    print(f"\n{len(found)} answers of {options.tokens} tokens, each twice: median (lowest to highest)\n")
    print(table(("", ""), rows))
    goals = [Goal("speed under X-ray, of that without", numbers["ratio"].median, KEPT, at_least=True)]
    finish("xray", {"runs": len(found), "settings": settings, **numbers}, goals, watch)


if __name__ == "__main__":
    main()
