"""A call that a job is inside of hears that the job is stopped; one that it has left, or never was in, does not."""

from __future__ import annotations

from pipelines.interrupt import Interrupts, on_stop


def test_a_call_under_way_is_told_once_the_job_is_stopped() -> None:
    told: list[str] = []
    interrupts = Interrupts()
    with interrupts.here(), on_stop(lambda: told.append("stop")):
        assert told == []
        interrupts.stop()
        assert told == ["stop"]


def test_a_call_that_begins_after_the_stop_is_told_at_once() -> None:
    told: list[str] = []
    interrupts = Interrupts()
    interrupts.stop()
    with interrupts.here(), on_stop(lambda: told.append("stop")):
        assert told == ["stop"]


def test_a_call_that_has_ended_is_left_alone() -> None:
    told: list[str] = []
    interrupts = Interrupts()
    with interrupts.here():
        with on_stop(lambda: told.append("first")):
            pass
        with on_stop(lambda: told.append("second")):
            interrupts.stop()
    assert told == ["second"]


def test_without_a_job_nothing_is_told() -> None:
    told: list[str] = []
    other = Interrupts()
    with other.here():
        pass
    with on_stop(lambda: told.append("stop")):
        other.stop()
    assert told == []
