"""Chats over a decoder, through the real engine: they share steps, turns and memory, and disturb nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipelines import chat
from pipelines.chat import ChatPipeline, ChatRequest
from pipelines.decode_batch import Batch
from pipelines.engine import LocalEngine
from pipelines.events import Cancelled, Emit, Progress, Text, Token, Update
from tests.pipelines import tiny_decoder
from tests.pipelines.fakes import CPU, engine, spec

CONTEXT = 512
WAIT_S = 60


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> ChatPipeline:
    return chat.load(CPU, tiny_decoder.save(tmp_path_factory.mktemp("decoder")), CONTEXT)


@pytest.fixture
def batch(pipeline: ChatPipeline) -> Iterator[Batch]:
    """The batch behind the pipeline; after each test nobody may be left in it."""
    assert isinstance(pipeline.writer, Batch)
    yield pipeline.writer
    assert len(pipeline.writer) == 0


class Slow:
    """The pipeline, which begins with a request only when `there` are all in, so that chats surely meet."""

    def __init__(self, pipeline: ChatPipeline, there: int) -> None:
        self._pipeline = pipeline
        self._there = there
        self._in = 0

    def run(self, request: ChatRequest, emit: Emit) -> Text:
        self._in += 1
        while self._in < self._there:
            emit(Progress(label="Waiting for the others"))
        return self._pipeline.run(request, emit)


@pytest.fixture
def serve(pipeline: ChatPipeline, batch: Batch) -> Iterator[Callable[[int], LocalEngine]]:
    made: list[LocalEngine] = []

    def serve(there: int) -> LocalEngine:
        model = spec("tiny", lambda request, emit: "", request=ChatRequest, load=lambda *_: Slow(pipeline, there))
        made.append(engine(model))
        return made[-1]

    yield serve
    for each in made:
        each.close()


def ask(seed: int, **settings: Any) -> ChatRequest:
    values = {"message": f"Hello, number {seed}", "temperature": 1.0, "max_new_tokens": 24, "seed": seed}
    return ChatRequest(**{**values, **settings})


def alone(pipeline: ChatPipeline, request: ChatRequest) -> str:
    return pipeline.run(request, lambda update: None).text


def steps(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each step from now on has."""
    rows: list[int] = []
    step = batch._decoder.step
    monkeypatch.setattr(batch._decoder, "step", lambda *of: (rows.append(len(of[0])), step(*of))[1])
    return rows


def test_eight_chats_say_what_each_says_alone(
    pipeline: ChatPipeline, batch: Batch, serve: Callable[[int], LocalEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [ask(seed, temperature=seed / 5, xray=seed % 2 == 1) for seed in range(8)]
    texts = [alone(pipeline, request) for request in requests]
    rows = steps(batch, monkeypatch)
    server = serve(8)
    jobs = [server.submit("tiny", request, f"user {n}") for n, request in enumerate(requests)]
    assert [job.result().artifact.text for job in jobs] == texts
    assert max(rows) > 1 and len(rows) < 8 * 24  # they met, and it took fewer steps than one after another


def test_a_cancelled_chat_leaves_and_the_others_do_not_notice(
    pipeline: ChatPipeline, serve: Callable[[int], LocalEngine]
) -> None:
    text = alone(pipeline, ask(0, max_new_tokens=60))
    server = serve(2)
    kept = server.submit("tiny", ask(0, max_new_tokens=60), "a")
    gone = server.submit("tiny", ask(1, max_new_tokens=400), "b")
    for event in gone:
        if isinstance(event, Token):
            break
    gone.cancel()
    with pytest.raises(Cancelled):
        gone.result()
    assert gone.wait_let_go(WAIT_S)
    assert kept.result().artifact.text == text


def test_one_that_fails_leaves_the_others_alone(
    pipeline: ChatPipeline, batch: Batch, serve: Callable[[int], LocalEngine]
) -> None:
    text = alone(pipeline, ask(0))
    server = serve(2)
    good = server.submit("tiny", ask(0), "a")
    bad = server.submit("tiny", ask(1, begin_with=(100_000,)), "b")
    with pytest.raises(Exception, match="no token 100000"):
        bad.result()
    assert good.result().artifact.text == text


def test_the_time_of_a_step_is_shared_by_all_in_it(
    batch: Batch, serve: Callable[[int], LocalEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever computes: a step takes a hundred seconds on a simulated clock, and both have paid for half of all."""
    step, later = batch._decoder.step, [0.0]

    def slow(*args: Any) -> Any:
        later[0] += 100.0
        return step(*args)

    monkeypatch.setattr(batch._decoder, "step", slow)
    server = serve(2)
    clock = server._turns._clock
    monkeypatch.setattr(server._turns, "_clock", lambda: clock() + later[0])
    jobs = [server.submit("tiny", ask(seed, temperature=0, max_new_tokens=60), f"user {seed}") for seed in (0, 1)]
    texts = [job.result().artifact for job in jobs]
    assert [text.stopped_by for text in texts] == ["length", "length"]
    assert all(job.wait_let_go(WAIT_S) for job in jobs)
    paid = [server.used(f"user {seed}") for seed in (0, 1)]
    assert sum(paid) == pytest.approx(later[0], rel=0.05)
    assert paid[0] == pytest.approx(paid[1], rel=0.2)


def test_a_second_turn_reads_the_answer_before_it_and_what_is_new(
    pipeline: ChatPipeline, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(3, message="word " * 40)
    answer = alone(pipeline, first)
    history = [{"role": "user", "content": first.message}, {"role": "assistant", "content": answer}]
    second = ask(4, history=history, message="And then?")
    read: list[int] = []
    reads = batch._decoder.read
    monkeypatch.setattr(batch._decoder, "read", lambda row, at, ids: (read.extend(ids), reads(row, at, ids))[1])
    with_cache = alone(pipeline, second)
    prompt, _ = pipeline._prompt(second)
    assert 0 < len(read) < len(prompt) - 200
    batch.forget()
    assert alone(pipeline, second) == with_cache


def test_watching_changes_no_text(pipeline: ChatPipeline, batch: Batch) -> None:
    events: list[Update] = []
    watched = pipeline.run(ask(5, xray=True), events.append)
    assert watched.text == alone(pipeline, ask(5))
    assert all(event.xray is not None for event in events if isinstance(event, Token))


def test_a_branch_goes_on_as_the_answer_did(pipeline: ChatPipeline, batch: Batch) -> None:
    events: list[Update] = []
    whole = pipeline.run(ask(6), events.append).text
    ids = tuple(event.id for event in events if isinstance(event, Token))
    assert len(ids) > 10
    assert alone(pipeline, ask(6, begin_with=ids[:10])) == whole
