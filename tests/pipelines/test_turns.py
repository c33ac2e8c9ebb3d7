"""Turns: the user with the least device time goes next, at every step. Time is simulated; nothing sleeps."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from pipelines.events import Cancelled
from pipelines.turns import Turns


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Device:
    """Jobs on threads of their own, started together behind a gate; records who computed in which order."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.turns = Turns(self.clock)
        self.steps: list[str] = []
        self._gate = self.turns.turn("gate")
        self._gate_turn = self._gate.__enter__()
        self._gate_turn.take()
        self._threads: list[threading.Thread] = []

    def job(self, user: str, steps: int, cost: float, number: int, at_step: Callable[[int], None] = lambda n: None):
        waiting = self.turns.waiting()

        def work() -> None:
            with self.turns.turn(user, number=number) as turn:
                turn.take()
                for n in range(steps):
                    self.steps.append(f"{user}{number}")
                    self.clock.now += cost
                    at_step(n)
                    turn.give_way()

        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()
        spin_until(lambda: self.turns.waiting() == waiting + 1)

    def run(self) -> list[str]:
        self._gate.__exit__(None, None, None)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        return self.steps


def spin_until(true: Callable[[], bool]) -> None:
    for _ in range(10_000_000):
        if true():
            return
    raise AssertionError("never came true")


def test_two_users_of_equal_steps_alternate() -> None:
    device = Device()
    device.job("a", 4, 1.0, number=0)
    device.job("b", 4, 1.0, number=1)
    assert device.run() == ["a0", "b1"] * 4


def test_long_steps_are_paid_for_with_fewer_turns() -> None:
    device = Device()
    device.job("video", 4, 3.0, number=0)
    device.job("chat", 12, 1.0, number=1)
    steps = device.run()
    assert Counter(steps[:8]) == {"video0": 2, "chat1": 6}
    assert device.turns.used("video") == pytest.approx(device.turns.used("chat")) == pytest.approx(12.0)


def test_five_jobs_of_one_user_get_no_more_than_one_of_another() -> None:
    device = Device()
    for number in range(5):
        device.job("many", 4, 1.0, number)
    device.job("one", 6, 1.0, number=5)
    assert Counter(step[:-1] for step in device.run()[:12]) == {"many": 6, "one": 6}


def test_jobs_of_one_user_go_oldest_first() -> None:
    device = Device()
    device.job("a", 2, 1.0, number=7)
    device.job("a", 2, 1.0, number=3)
    assert device.run() == ["a3", "a3", "a7", "a7"]


def test_a_newcomer_does_not_lock_out_whoever_has_worked_for_long() -> None:
    device = Device()
    device.job("old", 1010, 1.0, number=0, at_step=lambda n: device.job("new", 9, 1.0, 1) if n == 1000 else None)
    after = device.run()[1001:]
    assert Counter(after[:8])["old0"] >= 3


def test_the_first_step_of_an_only_job_comes_first_and_then_it_has_its_share() -> None:
    device = Device()
    device.job("busy", 20, 0.1, number=0, at_step=lambda n: device.job("new", 3, 0.1, 1) if n == 9 else None)
    device.job("calm", 20, 0.1, number=2)
    steps = device.run()
    come = 1 + [place for place, who in enumerate(steps) if who == "busy0"][9]
    assert steps[come] == "new1" and steps[come : come + 4].count("new1") == 2


def test_who_comes_back_owing_much_has_no_first_step_before_others() -> None:
    clock = Clock()
    turns = Turns(clock)
    with turns.turn("one") as one:
        one.take()
        clock.now += 1
        with turns.turn("greedy") as greedy:
            one.rest()
            greedy.take()
            clock.now += 100
            greedy.rest()
        one.take()
        with turns.turn("greedy") as again:
            assert turns._place(again) > turns._place(one)
        with turns.turn("new") as new:
            assert turns._place(new) < turns._place(one)


def test_those_who_come_together_all_begin_before_anybody_goes_on() -> None:
    """However little is charged for a step, as for those of a batch, which are shared."""
    device = Device()

    def come(step: int) -> None:
        if step == 50:
            for number in range(1, 9):
                device.job("new" + "i" * number, 100, 0.001, number)

    device.job("worked", 51, 0.1, 0, come)
    device.job("also", 60, 0.1, 9)
    device.job("also", 60, 0.1, 10)
    steps = device.run()
    begun = [steps.index("new" + "i" * number + str(number)) for number in range(1, 9)]
    assert max(begun) - min(begun) == 7


def test_a_lone_job_keeps_the_device_without_waiting() -> None:
    clock = Clock()
    turns = Turns(clock)
    with turns.turn("a") as turn:
        turn.take()
        for _ in range(1000):
            clock.now += 0.5
            turn.give_way()
        assert turn.used == pytest.approx(500)


def test_a_crashed_job_gives_its_turn_back() -> None:
    turns = Turns(Clock())
    with pytest.raises(ZeroDivisionError), turns.turn("a") as turn:
        turn.take()
        raise ZeroDivisionError
    with turns.turn("b") as turn:
        turn.take()  # would wait for ever


def test_waiting_ends_when_the_job_is_cancelled() -> None:
    turns = Turns(Clock())
    cancelled = threading.Event()
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(Cancelled), turns.turn("b", cancelled.is_set) as turn:
            turn.take()
        ended.set()

    with turns.turn("a") as holder:
        holder.take()
        threading.Thread(target=wait, daemon=True).start()
        spin_until(lambda: turns.waiting() == 1)
        cancelled.set()
        turns.wake()
        assert ended.wait(10)
        holder.give_way()  # still its own


def test_a_revoked_job_loses_the_device_and_cannot_take_it_again() -> None:
    turns = Turns(Clock())
    with turns.turn("stuck") as stuck:
        stuck.take()
        turns.revoke(stuck)
        with turns.turn("next") as turn:
            turn.take()
            with pytest.raises(Cancelled):
                stuck.give_way()


def test_device_seconds_add_up_over_jobs() -> None:
    clock = Clock()
    turns = Turns(clock)
    for _ in range(3):
        with turns.turn("a") as turn:
            turn.take()
            clock.now += 2
            turn.rest()
            clock.now += 100  # not on the device
    assert turns.used("a") == 6
    assert turns.used("nobody") == 0


def test_idle_users_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.turns.ACCOUNTS", 3)
    turns = Turns(Clock())
    for user in "abcdefgh":
        with turns.turn(user) as turn:
            turn.take()
    assert len(turns._accounts) <= 3
