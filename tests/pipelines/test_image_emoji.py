"""The built-in image model's own pipeline, at tiny size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.pipelines.drawings import gradient
from tests.pipelines.tiny_emoji import emoji


@pytest.fixture(scope="module")
def pipe() -> Any:
    torch.manual_seed(0)
    pipe = emoji()
    pipe.text_encoder.eval()
    return pipe


def drawn(pipe: Any, **given: Any) -> bytes:
    (made,) = pipe("a cat", num_inference_steps=2, generator=torch.Generator().manual_seed(1), **given).images
    return np.asarray(made).tobytes()


def test_of_a_reference_that_is_not_square_the_middle_is_drawn_upon(pipe: Any) -> None:
    """Not all of it, squashed."""
    wide = gradient().resize((300, 100))
    middle = wide.crop((100, 0, 200, 100))
    assert drawn(pipe, reference=wide) == drawn(pipe, reference=middle)
    assert drawn(pipe, reference=middle) != drawn(pipe)


def test_a_square_reference_is_taken_as_it_is(pipe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Image.Image] = []
    plain = type(pipe)._encode
    monkeypatch.setattr(type(pipe), "_encode", lambda self, image: seen.append(image) or plain(self, image))
    square = gradient().resize((97, 97))
    drawn(pipe, reference=square)
    assert seen[0].tobytes() == square.tobytes()
