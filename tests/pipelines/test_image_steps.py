"""Every step is shown, in order: at once where steps are slow, several together where they are fast."""

from __future__ import annotations

import pytest
import torch

from pipelines import image_steps
from pipelines.events import Preview, Progress, Update
from pipelines.image_steps import MOST, Steps
from pipelines.preview import Colours

COLOURS = Colours(torch.randn(12, 4, 3, 3, generator=torch.Generator().manual_seed(0)) / 9, torch.full((12,), 0.5))


def latents(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(step)
    return torch.randn(4, 6, 5, generator=g), torch.randn(4, 6, 5, generator=g)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(image_steps.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("seconds, shown_at_once", [(1.0, 9), (0.0301, 3), (0.0, 1)])
def test_steps_are_shown_in_order_and_the_same_whenever_they_are(
    clock: list[float], seconds: float, shown_at_once: int
) -> None:
    seen: list[Update] = []
    steps, at_once = Steps(COLOURS, lambda latents: latents, seen.append), 0
    for step in range(1, 10):
        before = len(seen)
        steps.add(*(each[None] for each in latents(step)), step, 9)
        assert len(seen) > before, "each step is a moment at which a run can be stopped"
        at_once += isinstance(seen[-1], Preview)
        clock[0] += seconds
    steps.flush()
    steps.flush()
    assert at_once == shown_at_once
    previews = [update for update in seen if isinstance(update, Preview)]
    assert [(preview.step, preview.total) for preview in previews] == [(step, 9) for step in range(1, 10)]
    assert all(isinstance(update, Preview | Progress) for update in seen)
    for preview in previews:
        clean, noisy = latents(preview.step)
        assert preview.image.tobytes() == COLOURS.picture(clean).tobytes()
        assert preview.noisy is not None and preview.noisy.size == (5, 6)
        assert preview.noisy.tobytes() == COLOURS.cells(noisy[None])[0].tobytes()


def test_no_more_are_kept_than_memory_allows(clock: list[float]) -> None:
    seen: list[Update] = []
    steps = Steps(COLOURS, lambda latents: latents, seen.append)
    for step in range(1, MOST + 2):
        steps.add(*(each[None] for each in latents(step)), step, 99)
    assert sum(isinstance(update, Preview) for update in seen) == MOST + 1
