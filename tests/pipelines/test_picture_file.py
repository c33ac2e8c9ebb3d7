"""Pictures as files: what they say of themselves, and reading it back from files that anybody may send."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from pipelines import picture_file
from pipelines.errors import BadRequest
from pipelines.events import Picture, Recipe
from tests.pipelines.test_pictures_in import png_header

RECIPE = Recipe("polymuse-emoji", "1", 7, {"prompt": "a fox 🦊, “red”", "count": 2}, {"torch": "2"})


def test_a_file_gives_its_recipe_back_with_its_own_seed() -> None:
    data = picture_file.png(Picture(Image.new("RGB", (8, 8)), 9), RECIPE)
    assert picture_file.read(data) == Recipe(
        RECIPE.model, RECIPE.revision, 9, {**RECIPE.options, "count": 1}, RECIPE.versions
    )


def test_to_read_a_recipe_no_pixel_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = picture_file.png(Picture(Image.new("RGB", (8, 8)), 9), RECIPE)

    def unpack(self: Image.Image) -> None:
        raise AssertionError("unpacked")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", unpack)
    assert picture_file.read(data).seed == 9


def other(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("data", [b"", b"hello", other("PNG"), other("JPEG"), png_header(50_000, 50_000)])
def test_a_file_without_settings_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest, match="carries no settings"):
        picture_file.read(data)
