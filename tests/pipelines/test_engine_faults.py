"""Faults stay with the job that has them: crashes, lacking weights, full memory, a run that hangs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.download import Refused
from pipelines.engine import Limits
from pipelines.errors import (
    BadRequest,
    DeadlineExceeded,
    DoesNotFit,
    DownloadFailed,
    PolymuseError,
    RunFailed,
)
from pipelines.events import Cancelled, Emit, Progress, Text, Token
from pipelines.spec import Request
from tests.pipelines.fakes import FakeStore, Gate, Scripted, engine, say, spec
from tests.pipelines.test_engine import let_go, tokens
from tests.pipelines.test_turns import Clock


@pytest.fixture(autouse=True)
def no_logging_noise(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.CRITICAL, "polymuse")
    yield


def fail_with(error: BaseException) -> Any:
    def script(request: Request, emit: Emit) -> str:
        emit(Token("half", 0, 1.0))
        raise error

    return script


def test_a_crash_ends_the_job_without_showing_its_inside() -> None:
    eng = engine(spec("bad", fail_with(KeyError("/secret/path"))))
    job = eng.submit("bad", Request(), "me")
    with pytest.raises(RunFailed) as error:
        job.result()
    assert "KeyError" in str(error.value) and "secret" not in str(error.value)
    let_go(eng, job)


def test_a_refusal_by_the_pipeline_reaches_the_user_as_it_is() -> None:
    eng = engine(spec("bad", fail_with(BadRequest("Too long. Shorten it."))))
    with pytest.raises(BadRequest, match=r"^Too long\. Shorten it\.$"):
        eng.submit("bad", Request(), "me").result()


@pytest.mark.parametrize("error", [OSError("no such file"), DoesNotFit("too big"), MemoryError()])
def test_a_failed_load_ends_the_job_and_the_next_one_starts_afresh(error: Exception) -> None:
    failing = [error, error]

    def load(device: Any, path: Any) -> Scripted:
        if failing:
            raise failing.pop()
        return Scripted(say("ok"))

    eng = engine(spec("bad", say(), load=load))
    job = eng.submit("bad", Request(), "me")
    with pytest.raises(PolymuseError):
        job.result()
    let_go(eng, job)
    failing.clear()
    assert eng.submit("bad", Request(), "me").result().artifact == Text("ok", "end")


def test_failed_weights_reach_the_user_as_they_are() -> None:
    store = FakeStore()
    store.failure = DownloadFailed("The index did not answer. Try again.")
    eng = engine(spec("far", say("x")), store=store)
    with pytest.raises(DownloadFailed, match="did not answer"):
        eng.submit("far", Request(), "me").result()


def test_a_server_that_is_gone_is_what_every_reader_is_told() -> None:
    """Each reader gets an error of its own: so every kind can be made again."""
    store = FakeStore()
    store.failure = Refused("The server is gone. Try again.", 503)
    job = engine(spec("far", say("x")), store=store).submit("far", Request(), "me")
    for _ in range(2):
        with pytest.raises(DownloadFailed, match="is gone"):
            job.result()


def test_a_panic_in_a_library_ends_its_job_and_nothing_else() -> None:
    """What libraries in Rust raise then is no Exception."""

    class PanicException(BaseException):
        pass

    eng = engine(spec("bad", fail_with(PanicException())), spec("echo", say("x")), limits=Limits(threads=1))
    job = eng.submit("bad", Request(), "me")
    with pytest.raises(RunFailed, match="PanicException"):
        job.result()
    let_go(eng, job)
    assert eng.submit("echo", Request(), "me").result().artifact == Text("x", "end")


def test_cancel_while_fetching_ends_the_fetch() -> None:
    store, gate = FakeStore(), Gate()

    def fetch(emit: Emit) -> None:
        gate()
        emit(Progress(1, 10, "Fetching", "bytes"))
        raise AssertionError("went on after the cancel")

    store.on_fetch = fetch
    eng = engine(spec("far", say("x")), store=store)
    job = eng.submit("far", Request(), "me")
    assert gate.reached.wait(10)
    assert job.state == "fetching"
    job.cancel()
    gate.open.set()
    with pytest.raises(Cancelled):
        job.result()
    let_go(eng, job)


def test_running_out_of_memory_once_is_survived_without_saying_anything_twice() -> None:
    attempts: list[int] = []

    def script(request: Request, emit: Emit) -> str:
        attempts.append(1)
        emit(Token("a", 0, 1.0))
        if len(attempts) == 1:
            raise MemoryError
        emit(Token("b", 1, 1.0))
        return "ab"

    eng = engine(spec("idle", say("x")), spec("big", script))
    eng.submit("idle", Request(), "me").result()
    events = list(eng.submit("big", Request(), "me"))
    assert tokens(events) == "ab"
    assert [model.id for model in eng.status().models] == ["big"]  # the idle one had to go


@pytest.mark.parametrize(
    "words",
    ["DefaultCPUAllocator: can't allocate memory", "MPS backend out of memory (MPS allocated: 1 GiB)"],
)
def test_running_out_of_memory_twice_says_what_is_needed(words: str) -> None:
    eng = engine(spec("big", fail_with(RuntimeError(words))))
    job = eng.submit("big", Request(), "me")
    with pytest.raises(DoesNotFit, match=r"Big needs 11.0 KiB"):
        job.result()
    let_go(eng, job)


def test_a_run_that_hangs_is_given_up_and_others_go_on() -> None:
    gate, clock = Gate(), Clock()

    def hang(request: Request, emit: Emit) -> str:
        gate()
        emit(Token("late", 0, 1.0))
        return "never"

    eng = engine(spec("hang", hang), spec("echo", say("x")), clock=clock, limits=Limits(silence_s=60))
    stuck = eng.submit("hang", Request(), "me")
    assert gate.reached.wait(10)
    clock.now += 59
    eng.check_deadlines()
    assert not stuck.ended
    clock.now += 2
    eng.check_deadlines()
    with pytest.raises(DeadlineExceeded, match="61 seconds"):
        stuck.result()
    other = eng.submit("echo", Request(), "me")
    assert other.result().artifact == Text("x", "end") and other.wait_let_go(10)
    assert [model.leases for model in eng.status().models if model.id == "hang"] == [1]  # its memory is still in use
    gate.open.set()
    let_go(eng, stuck)
    assert stuck.state == "failed" and tokens(stuck._events) == ""


def test_a_finished_job_does_not_keep_the_model_alive() -> None:
    import gc
    import weakref

    alive: list[weakref.ref[Any]] = []

    def load(device: Any, path: Any) -> Scripted:
        pipeline = Scripted(fail_with(ValueError("x")))
        alive.append(weakref.ref(pipeline))
        return pipeline

    eng = engine(spec("bad", say(), load=load))
    job = eng.submit("bad", Request(), "me")
    with pytest.raises(RunFailed):
        job.result()
    let_go(eng, job)
    eng._memory.drop_idle()
    gc.collect()
    assert alive[0]() is None
