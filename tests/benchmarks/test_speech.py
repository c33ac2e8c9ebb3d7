"""The speech benchmark counts what a listener waits for, and hears clicks where there are any."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import speech
from benchmarks.speech import TEXT, Listener, step_at_joins
from pipelines.events import Audio, Caption, Progress, Sound
from pipelines.speech import RATE


def test_the_text_is_what_the_goal_is_about() -> None:
    assert 58 <= len(TEXT.split()) <= 62


def test_a_listener_waits_only_for_what_comes_after_the_sound_before_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([0.0, 1.0, 2.5, 6.0])  # begun, and when each piece of two seconds came
    monkeypatch.setattr(speech.time, "perf_counter", lambda: next(times))
    listener = Listener()
    listener(Progress(0, 3, "Speaking"))
    for _ in range(3):
        listener(Sound(np.zeros(2 * RATE, np.int16), RATE))
    assert listener.first == 1.0
    assert listener.waited == 1.0  # heard until 3, then until 5; the third came at 6


@pytest.mark.parametrize(("level", "step"), [(0, 0), (5_000, 5_000)])
def test_a_click_at_a_join_is_a_step(level: int, step: int) -> None:
    samples = np.zeros(RATE, np.int16)
    samples[RATE // 2 :] = level
    captions = (Caption(0, 0.5, "One."), Caption(0.5, 1, "Two."))
    assert step_at_joins(Audio(samples, RATE, captions)) == step
