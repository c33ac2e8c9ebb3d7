"""Memory: leases, eviction and refusal, with kilobyte models and simulated free memory. Nothing sleeps."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import DoesNotFit, format_bytes
from pipelines.events import Cancelled
from pipelines.memory import PATIENCE_S, Memory
from pipelines.spec import ModelSpec, Request
from pipelines.weights import Local
from tests.pipelines.test_turns import spin_until

KB = 1024


class Machine:
    """A device whose free memory follows what is loaded, with room taken by other programs."""

    def __init__(self, total: int = 100 * KB) -> None:
        self.total = total
        self.elsewhere = 0
        self.loaded: dict[str, int] = {}
        self.now = 0.0
        self.memory = Memory(total, self.free, self.release, lambda: self.now)

    def free(self) -> int:
        return self.total - self.elsewhere - sum(self.loaded.values())

    def release(self) -> None:
        self.loaded = {name: size for name, size in self.loaded.items() if name in self.memory._models}

    def lease(self, spec: ModelSpec[Any], cancelled: Callable[[], bool] = lambda: False) -> Any:
        def load() -> Any:
            self.loaded[spec.id] = spec.resident
            return object()

        return self.memory.lease(spec, load, cancelled)

    def ids(self) -> list[str]:
        return [held.id for held in self.memory.held()]


def model(name: str, resident: int = 30 * KB, working: int = 10 * KB) -> ModelSpec[Any]:
    return ModelSpec(
        name, f"Model {name}", "chat", "autoregressive", Request, Local("."), resident, working, "MIT", "", never
    )


def never(device: Any, path: Path) -> Any:
    raise AssertionError("the tests load through Machine.lease")


def in_thread(lease: Any) -> tuple[threading.Event, threading.Event]:
    """Hold a lease on another thread: (it has it, let it go)."""
    has, go = threading.Event(), threading.Event()

    def hold() -> None:
        with lease:
            has.set()
            go.wait(10)

    threading.Thread(target=hold, daemon=True).start()
    return has, go


def test_a_second_lease_reuses_the_model() -> None:
    machine = Machine()
    a = model("a")
    with machine.lease(a) as first, machine.lease(a) as second:
        assert first is second
        assert machine.memory.used() == 50 * KB  # once resident, twice working
    assert machine.memory.used() == 30 * KB


def test_the_least_recently_used_idle_model_goes_first() -> None:
    machine = Machine()
    a, b, c = (model(name, 35 * KB) for name in "abc")
    for spec in (a, b, a):  # b is the older
        with machine.lease(spec):
            pass
    with machine.lease(c):
        assert machine.ids() == ["a", "c"]


def test_a_leased_model_is_never_dropped() -> None:
    machine = Machine()
    a, b = model("a", 60 * KB), model("b", 60 * KB)
    with machine.lease(a):
        has, go = in_thread(machine.lease(b))
        spin_until(lambda: len(machine.memory._waiting) == 1)
        assert machine.ids() == ["a"] and not has.is_set()
    assert has.wait(10)
    assert machine.ids() == ["b"]
    go.set()


def test_room_is_measured_again_after_each_eviction() -> None:
    """A model that frees less than it was said to hold costs another one its place."""
    machine = Machine(150 * KB)
    for name in "abc":
        with machine.lease(model(name)):
            pass
    machine.elsewhere = 40 * KB  # another program has come
    with machine.lease(model("d", 60 * KB)):
        assert machine.ids() == ["c", "d"]


def test_what_can_never_fit_is_refused_with_the_figures_and_the_holders() -> None:
    machine = Machine()
    with machine.lease(model("a")), pytest.raises(DoesNotFit) as error, machine.lease(model("giant", 200 * KB)):
        pass
    message = str(error.value)
    assert "Model giant needs 210.0 KiB" in message and "100.0 KiB" in message
    assert "Model a (30.0 KiB)" in message and "--memory" in message
    assert machine.ids() == ["a"]


def test_memory_taken_by_other_programs_is_refused_not_waited_for() -> None:
    machine = Machine()
    machine.elsewhere = 80 * KB
    with pytest.raises(DoesNotFit, match=r"20\.0 KiB are free"), machine.lease(model("a")):
        pass
    machine.elsewhere = 0
    with machine.lease(model("a")):
        assert machine.ids() == ["a"]


def test_idle_models_stay_when_dropping_them_would_not_be_enough() -> None:
    machine = Machine()
    with machine.lease(model("idle", 20 * KB)):
        pass
    with machine.lease(model("busy", 40 * KB)):
        has, go = in_thread(machine.lease(model("big", 70 * KB)))
        spin_until(lambda: len(machine.memory._waiting) == 1)
        assert machine.ids() == ["idle", "busy"]
    assert has.wait(10)
    go.set()


def test_a_failed_load_leaves_nothing_held_and_the_next_may_try() -> None:
    machine = Machine()
    a = model("a")

    def fail() -> Any:
        raise OSError("cut off")

    with pytest.raises(OSError, match="cut off"), machine.memory.lease(a, fail):
        pass
    assert machine.memory.used() == 0 and machine.ids() == []
    with machine.lease(a):
        assert machine.ids() == ["a"]


def test_two_who_want_the_same_model_load_it_once() -> None:
    machine = Machine()
    a = model("a")
    loads: list[int] = []
    may_load = threading.Event()

    def load() -> Any:
        loads.append(1)
        assert may_load.wait(10)
        return object()

    first = in_thread(machine.memory.lease(a, load))
    spin_until(lambda: bool(loads))
    second = in_thread(machine.memory.lease(a, load))
    spin_until(lambda: machine.memory._models["a"].leases == 2)
    may_load.set()
    for has, go in (first, second):
        assert has.wait(10)
        go.set()
    assert loads == [1]


def test_waiting_for_room_ends_when_the_job_is_cancelled() -> None:
    machine = Machine()
    cancelled, ended = threading.Event(), threading.Event()

    def wait() -> None:
        with pytest.raises(Cancelled), machine.lease(model("b", 80 * KB), cancelled.is_set):
            pass
        ended.set()

    with machine.lease(model("a")):
        threading.Thread(target=wait, daemon=True).start()
        spin_until(lambda: len(machine.memory._waiting) == 1)
        cancelled.set()
        machine.memory.wake()
        assert ended.wait(10)
    assert machine.ids() == ["a"]


def test_small_requests_do_not_starve_a_big_one_for_ever() -> None:
    machine = Machine()
    small = model("small", 20 * KB, 5 * KB)
    with machine.lease(small):
        has_big, go_big = in_thread(machine.lease(model("big", 80 * KB)))
        spin_until(lambda: len(machine.memory._waiting) == 1)
        machine.now += 1
        with machine.lease(small):
            pass  # passes the big one
        machine.now += PATIENCE_S
        has_late, go_late = in_thread(machine.lease(small))
        spin_until(lambda: len(machine.memory._waiting) == 2)
        assert not has_late.is_set()
    assert has_big.wait(10)
    go_big.set()
    assert has_late.wait(10)
    go_late.set()


def test_dropping_idle_models_spares_the_leased() -> None:
    machine = Machine()
    with machine.lease(model("idle")):
        pass
    with machine.lease(model("busy")):
        machine.memory.drop_idle()
        assert machine.ids() == ["busy"]


def test_a_refusal_names_the_holders_while_nobody_comes_or_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    comers: list[threading.Thread] = []

    def slow(count: int) -> str:
        if not comers:
            comers.append(threading.Thread(target=lambda: machine.lease(model("b")).__enter__(), daemon=True))
            comers[0].start()
            comers[0].join(0.05)  # it has to wait
        return format_bytes(count)

    with machine.lease(model("a")):
        monkeypatch.setattr("pipelines.memory.format_bytes", slow)
        assert "Held now by: Model a (30.0 KiB)." in machine.memory.refusal(model("c"), "there is too little")
        comers[0].join(10)
    assert machine.ids() == ["a", "b"]
