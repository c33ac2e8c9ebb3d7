"""What a visitor of the image tab keeps: the newest works with their files, one start picture, a mask that is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines.errors import BadRequest
from tests.ui.test_image import png
from tests.ui.test_image_work import kept
from ui import image_desk, image_view, painter, states
from ui.image_desk import Desk


def test_the_oldest_pictures_go_with_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_desk, "MOST_WORKS", 3)
    desk = Desk()
    works = kept(tmp_path, count=4) + kept(tmp_path)
    for work in works:
        desk.add(work)
    assert [work.folder.exists() for work in works] == [False, False, True, True, True]
    assert desk.find(works[0].id) is None and desk.find(works[4].id) is works[4]


def test_a_desk_that_is_left_leaves_no_files() -> None:
    desk = Desk()
    desk.forget()
    desk.put_start(png(size=(4000, 2000)))
    assert desk.start is not None
    with Image.open(desk.start) as start:
        assert start.size == (image_desk.MOST_SIDE, image_desk.MOST_SIDE // 2)
    first = desk.start
    desk.put_start(png())
    assert not first.exists() and desk.start.exists()
    shelf = desk.shelf
    desk.forget()
    assert not shelf.exists()


def test_a_new_desk_says_what_to_do() -> None:
    desk = Desk()
    assert "Describe a picture" in desk.canvas and desk.line == states.idle()
    assert all(example in desk.canvas for example in image_view.EXAMPLES)


# The mask -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [None, "", "data:,", "gradio_api/file=/tmp/a.png", 7, ["data:image/png;base64,AAAA"]]
)
def test_what_is_no_mask_is_none(value: Any) -> None:
    assert painter.mask(value) is None


@pytest.mark.parametrize("value", [painter.PNG + "%%%", painter.PNG + "A" * painter.MOST_CHARACTERS])
def test_a_broken_or_endless_mask_is_refused(value: str) -> None:
    with pytest.raises(BadRequest, match="Clear it and paint again"):
        painter.mask(value)
