"""What can be asked of an image model: limits, messages, the recipe's view of pictures, and sizes."""

from __future__ import annotations

import io
import json
import pickle
from typing import Any

import pytest
from PIL import Image

from pipelines.errors import BadRequest
from pipelines.image_request import ImageRequest
from pipelines.image_sizes import Sizes
from pipelines.spec import validate


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"prompt": " \n"}, "“prompt”: must say something."),
        ({}, "“prompt” is missing."),
        ({"prompt": "x" * 4_001}, "“prompt”: must have at most 4000 characters."),
        ({"prompt": "a", "scheduler": "Karras"}, "“scheduler”: must be 'default', 'Euler', 'Euler a', 'DPM++ 2M'"),
        ({"prompt": "a", "count": 5}, "“count”: must be less than or equal to 4."),
        ({"prompt": "a", "steps": 151}, "“steps”: must be less than or equal to 150."),
        ({"prompt": "a", "strength": 0}, "“strength”: must be greater than or equal to 0.05."),
        ({"prompt": "a", "upscale": 2}, "“upscale”: must be 0, 1 or 4."),
        ({"prompt": "a", "image": b"hello"}, "“image”: is not a picture that can be read (PNG, JPEG"),
        ({"prompt": "a", "image": picture(), "mask": b"hello"}, "“mask”: is not a picture that can be read"),
        ({"prompt": "a", "mask": picture()}, "A mask needs the picture that it lies on"),
        ({"prompt": "a", "width": 64}, "Give both “width” and “height”, or neither"),
        ({"prompt": "a", "sampler": "DDIM"}, "There is no setting “sampler”; there are: model, seed, prompt"),
    ],
)
def test_bad_settings_are_named_with_their_limits(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as error:
        validate(ImageRequest, values)
    assert message in str(error.value)


def test_a_request_travels_whole_and_its_recipe_is_json_with_the_pictures_digest() -> None:
    request = ImageRequest(prompt="a red square", image=picture(), mask=picture())
    assert pickle.loads(pickle.dumps(request)) == request
    options = json.loads(json.dumps(request.model_dump(exclude={"model", "seed"})))
    assert options["image"].startswith("sha256:") and len(options["image"]) == 71
    assert options["image"] == options["mask"]
    assert str(picture()) not in repr(request), "a log line holds no picture"
    assert ImageRequest(prompt="a").model_dump()["image"] is None


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ((500, 500), "496 x 496 or 512 x 512"),
        ((500, 512), "496 x 512 or 512 x 512"),
        ((10, 10), "64 x 64"),
        ((2048, 1024), "1440 x 720"),
        ((4096, 16), "4096 x 64"),
    ],
)
def test_a_size_is_refused_with_the_nearest_that_are_allowed(asked: tuple[int, int], nearest: str) -> None:
    sizes = Sizes(16, 1024 * 1024)
    with pytest.raises(BadRequest) as error:
        sizes.check(*asked)
    assert "multiples of 16, from 64 on, and it has at most 1,048,576 pixels" in str(error.value)
    for width, height in sizes.nearest(*asked):
        sizes.check(width, height)
    assert f"Nearest: {nearest}." in str(error.value)


@pytest.mark.parametrize("multiple", [8, 16, 32])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (9, 16), (4000, 3000), (1, 50), (100, 1), (1, 50_000_000)])
def test_a_size_like_a_picture_is_allowed_and_of_about_its_shape(multiple: int, shape: tuple[int, int]) -> None:
    sizes = Sizes(multiple, 2 * 1024 * 1024)
    width, height = sizes.like(*shape, 1024 * 1024)
    sizes.check(width, height)
    if max(shape) < 3 * min(shape):
        assert abs(width / height - shape[0] / shape[1]) < 0.07 * shape[0] / shape[1]
        assert 0.9 < width * height / 1024**2 < 1.1
