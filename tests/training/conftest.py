"""A small picture set made here: rings, bars and discs in five styles, so that no test needs the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.captions import STYLES
from training.emoji_data import SIZE, withheld
from training.pictures import PictureSet
from training.video_data import MovingSet, loop, packed, write

THINGS = {"apple": (220, 40, 40), "blue book": (50, 90, 220), "fox": (240, 130, 30), "moon": (240, 210, 60)}


def thing(number: int, style: int, colour: tuple[int, int, int]) -> np.ndarray:
    """A disc with a bar across it; the style moves the bar."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2 + 0.5
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    inside = np.hypot(x, y) < 56 - 4 * number
    picture[inside] = (*colour, 255)
    picture[inside & (np.abs(y - 8 * style) < 4)] = (*(c // 2 for c in colour), 255)
    return picture


def picture_set() -> PictureSet:
    pixels, records = [], []
    for number, (label, colour) in enumerate(THINGS.items()):
        for place, style in enumerate(STYLES):
            hexcode = f"1F{number:03X}"
            pixels.append(thing(number, place, colour))
            held = withheld(hexcode, style) or (label, style) == ("fox", "3d")  # so that there is one in so few
            records.append(
                {"hexcode": hexcode, "style": style, "label": label, "tags": ["round"], "group": 4, "withheld": held}
            )
    return PictureSet(torch.from_numpy(np.stack(pixels)), records)


@pytest.fixture(scope="session")
def pictures() -> PictureSet:
    return picture_set()


@pytest.fixture(scope="session")
def moving(tmp_path_factory: pytest.TempPathFactory) -> MovingSet:
    """Three loops; the last one is withheld."""
    from tests.training.test_video_data import FRAMES, animated, face

    found = loop(animated([face(40 - 2 * number) for number in range(FRAMES)]), FRAMES)
    folder = tmp_path_factory.mktemp("moving")
    records = [
        {"hexcode": f"1F{n}", "style": "3d", "label": f"face {n}", "tags": [], "group": 0, "withheld": n == 2}
        for n in range(3)
    ]
    assert found is not None
    shades = [np.clip(found.frames.astype(int) - 40 * n, 0, 255).astype(np.uint8) for n in range(3)]
    made = [(record, packed(shade)) for record, shade in zip(records, shades, strict=True)]
    write(folder / "moving-16.safetensors", made, [{"name": "a package"}])
    return MovingSet.load(folder)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
