"""The engine's contract: one ending to every job, cancel within a step, nothing left leased."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.engine import Limits, LocalEngine
from pipelines.errors import (
    BadRequest,
    Busy,
    EngineClosed,
    UnknownModel,
)
from pipelines.events import Cancelled, Emit, Event, Progress, Queued, Result, Text, Token
from pipelines.job import Job
from pipelines.spec import Request
from tests.pipelines.fakes import KB, Gate, Scripted, engine, say, spec
from tests.pipelines.test_turns import Clock, spin_until


@pytest.fixture(autouse=True)
def no_logging_noise(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.CRITICAL, "polymuse")
    yield


def tokens(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


def let_go(eng: LocalEngine, job: Job) -> None:
    """Assert that nothing of the job is left: thread, turn, lease."""
    assert job.wait_let_go(10)
    assert all(not model.leases for model in eng.status().models)
    assert eng.status().running == 0 and eng._turns._turns == [] and eng._turns._holder is None


def test_a_run_streams_updates_then_exactly_one_result() -> None:
    eng = engine(spec("echo", say("Hel", "lo")))
    job = eng.submit("echo", Request(seed=7), "me")
    events = list(job)
    assert tokens(events) == "Hello"
    assert [type(event) for event in events].count(Result) == 1
    last = events[-1]
    assert isinstance(last, Result) and last.artifact == Text("Hello", "end")
    assert (last.recipe.model, last.recipe.revision, last.recipe.seed) == ("echo", "r1", 7)
    assert job.state == "done"
    let_go(eng, job)


def test_every_reader_reads_the_same_from_the_start() -> None:
    job = engine(spec("echo", say("a", "b", "c"))).submit("echo", Request(), "me")
    assert list(job) == list(job) == list(pickle.loads(pickle.dumps(list(job))))
    assert job.result() == list(job)[-1]


def test_async_and_sync_iteration_agree() -> None:
    job = engine(spec("echo", say("a", "b", "c"))).submit("echo", Request(), "me")

    async def collect() -> list[Event]:
        return [event async for event in job]

    assert asyncio.run(collect()) == list(job)


def test_events_arrive_while_the_run_goes_on() -> None:
    gate = Gate()

    def script(request: Request, emit: Emit) -> str:
        emit(Token("early", 0, 1.0))
        gate()
        return "early"

    events = iter(engine(spec("slow", script)).submit("slow", Request(), "me"))
    assert any(isinstance(event, Token) for event in (next(events), next(events)))
    gate.open.set()
    assert isinstance(list(events)[-1], Result)


def test_silence_is_filled_with_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.job.HEARTBEAT_S", 0.0)
    gate = Gate()

    def load(device: Any, path: Any) -> Scripted:
        gate()
        return Scripted(say("x"))

    job = engine(spec("slow", say(), load=load)).submit("slow", Request(), "me")
    assert gate.reached.wait(10)
    beats = iter(job)
    assert Progress(label="Loading the model") in [next(beats) for _ in range(3)]
    gate.open.set()
    assert isinstance(list(beats)[-1], Result)


def test_cancel_ends_within_one_step_and_leaves_nothing_leased() -> None:
    gate = Gate()
    steps: list[int] = []

    def script(request: Request, emit: Emit) -> str:
        for n in range(1000):
            steps.append(n)
            emit(Token(str(n), n, 1.0))
            if n == 3:
                gate()
        return ""

    eng = engine(spec("long", script))
    job = eng.submit("long", Request(), "me")
    assert gate.reached.wait(10)
    job.cancel()
    gate.open.set()
    with pytest.raises(Cancelled):
        job.result()
    assert len(steps) == 5  # the step under way when it was cancelled was the last
    assert job.state == "cancelled"
    let_go(eng, job)
    assert tokens(job._events) == "01234"  # what was written stays readable


def test_a_queued_job_is_cancelled_at_once() -> None:
    gate = Gate()
    eng = engine(spec("wait", lambda r, e: gate() or ""), limits=Limits(threads=1))
    first, second = (eng.submit("wait", Request(), "me") for _ in range(2))
    second.cancel()
    assert second.ended
    assert second.wait_let_go(0)
    gate.open.set()
    first.result()
    let_go(eng, first)


def test_jobs_of_two_users_interleave_step_by_step() -> None:
    order: list[str] = []
    gate = Gate()

    def script(request: Request, emit: Emit) -> str:
        if request.seed == 0:
            gate()
        for _ in range(5):
            order.append(str(request.seed))
            clock.now += 1
            emit(Token("x", 0, 1.0))
        return ""

    clock = Clock()
    eng = engine(spec("echo", script), clock=clock)
    jobs = [eng.submit("echo", Request(seed=n), f"user{n}") for n in range(2)]
    spin_until(lambda: eng._turns.waiting() == 1)
    gate.open.set()
    for job in jobs:
        job.result()
    assert "0101" in "".join(order) or "1010" in "".join(order)
    assert eng.used("user0") == pytest.approx(eng.used("user1"))


def test_the_queue_tells_place_and_expected_wait() -> None:
    gate = Gate()
    clock = Clock()

    def script(request: Request, emit: Emit) -> str:
        clock.now += 4
        if request.seed:
            gate()
        return ""

    eng = engine(spec("wait", script), limits=Limits(threads=1), clock=clock)
    eng.submit("wait", Request(), "me").result()  # teaches how long such a job takes
    running = eng.submit("wait", Request(seed=1), "me")
    assert gate.reached.wait(10)
    waiting = [eng.submit("wait", Request(), "me") for _ in range(2)]
    assert [next(iter(job)) for job in waiting] == [Queued(1, 4.0), Queued(2, 8.0)]
    gate.open.set()
    for job in (running, *waiting):
        job.result()


def test_users_enter_in_rotation_whoever_came_first() -> None:
    gate = Gate()
    started: list[str] = []

    def script(request: Request, emit: Emit) -> str:
        started.append(str(request.seed))
        gate()
        return ""

    eng = engine(spec("wait", script), limits=Limits(threads=1))
    jobs = [eng.submit("wait", Request(seed=n), "many") for n in range(4)]
    jobs.append(eng.submit("wait", Request(seed=9), "one"))
    gate.open.set()
    for job in jobs:
        job.result()
    assert started == ["0", "9", "1", "2", "3"]


def test_a_thread_goes_on_with_the_next_job() -> None:
    gate = Gate()
    eng = engine(spec("wait", lambda r, e: gate() or ""), limits=Limits(threads=1))
    jobs = [eng.submit("wait", Request(), "me") for _ in range(4)]
    gate.open.set()
    for job in jobs:
        job.result()
    assert len(eng._threads) == 1


def test_too_much_is_refused_with_a_word() -> None:
    gate = Gate()
    eng = engine(spec("wait", lambda r, e: gate() or ""), limits=Limits(threads=1, waiting=3, waiting_per_user=2))
    for _ in range(3):
        eng.submit("wait", Request(), "me")
    with pytest.raises(Busy, match="You have 2 jobs"):
        eng.submit("wait", Request(), "me")
    eng.submit("wait", Request(), "other")
    with pytest.raises(Busy, match="3 jobs are waiting"):
        eng.submit("wait", Request(), "third")
    gate.open.set()
    eng.close()


def test_a_request_for_no_model_or_of_the_wrong_kind_is_refused() -> None:
    class Other(Request):
        pass

    eng = engine(spec("echo", say("x")), spec("other", say("x"), request=Other))
    with pytest.raises(UnknownModel, match="echo, other"):
        eng.submit("nothing", Request(), "me")
    with pytest.raises(BadRequest, match="Other"):
        eng.submit("other", Request(), "me")


def test_closing_ends_running_and_waiting_jobs_with_a_reason() -> None:
    gate = Gate()

    def script(request: Request, emit: Emit) -> str:
        gate()
        emit(Token("x", 0, 1.0))
        return ""

    eng = engine(spec("wait", script), limits=Limits(threads=1))
    running, waiting = (eng.submit("wait", Request(), "me") for _ in range(2))
    assert gate.reached.wait(10)
    gate.open.set()
    eng.close()
    for job in (running, waiting):
        with pytest.raises(EngineClosed, match="is stopping"):
            job.result()
    with pytest.raises(EngineClosed):
        eng.submit("wait", Request(), "me")
    let_go(eng, running)


def test_whoever_waits_for_memory_is_told_who_holds_it() -> None:
    gate = Gate()
    eng = engine(spec("first", lambda r, e: gate() or "", 80 * KB), spec("second", say("x"), 80 * KB))
    first = eng.submit("first", Request(), "me")
    assert gate.reached.wait(10)
    second = iter(eng.submit("second", Request(), "other"))
    told = next(event for event in second if isinstance(event, Progress) and event.unit == "steps")
    assert told.label == "Waiting for memory, in use by First"
    gate.open.set()
    first.result()
    assert isinstance(list(second)[-1], Result)


def test_status_counts_memory_and_jobs() -> None:
    gate = Gate()
    eng = engine(spec("wait", lambda r, e: gate() or "", 20 * KB, 5 * KB), limits=Limits(threads=1))
    jobs = [eng.submit("wait", Request(), "me") for _ in range(2)]
    assert gate.reached.wait(10)
    status = eng.status()
    assert (status.running, status.queued, status.used) == (1, 1, 25 * KB)
    gate.open.set()
    for job in jobs:
        job.result()
