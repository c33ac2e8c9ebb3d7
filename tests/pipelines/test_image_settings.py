"""What an image request can ask for: a start, a mask, a scheduler, a size, an enlargement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines import image
from pipelines.errors import BadRequest
from pipelines.events import Emit, Preview, Progress
from pipelines.image import ImagePipeline
from pipelines.image_request import ImageRequest
from tests.pipelines.drawings import (
    HEIGHT,
    STEPS,
    WIDTH,
    ask,
    ask_of,
    drawn,
    flows,
    gradient,
    left_half,
    png,
    run,
    size_of,
    tasks,
)

pytestmark = [
    pytest.mark.usefixtures("one_thread"),  # tiny models are done before threads have found each other
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # in diffusers' schedulers
]


# From a picture, and under a mask -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "task"), tasks())
def test_a_picture_is_redrawn_or_repainted(pipelines: dict[str, ImagePipeline], name: str, task: str) -> None:
    pipeline = pipelines[name]
    width, height = size_of(pipeline)
    given = gradient(width, height)
    masks = {"mask": png(left_half(width, height))} if task == "inpaint" else {}
    request = ask_of(pipeline, image=png(given), strength=0.75, **masks)
    result, events = run(pipeline, request)
    made = result.pictures[0].image
    assert made.size == (width, height)
    assert made.tobytes() != given.tobytes()
    previews = [event for event in events if isinstance(event, Preview)]
    assert previews and previews[-1].step == previews[-1].total == len(previews) <= STEPS
    assert drawn(pipeline, request) == [made.tobytes()]
    assert drawn(pipeline, ask_of(pipeline)) != [made.tobytes()]
    if masks:
        right = (width // 2, 0, width, height)
        assert made.crop(right).tobytes() == given.crop(right).tobytes(), "what was not painted over stays"


def test_less_strength_takes_fewer_steps(sd: ImagePipeline) -> None:
    def steps(strength: float) -> int:
        request = ask(image=png(gradient()), strength=strength, scheduler="Euler")
        return sum(isinstance(event, Preview) for event in run(sd, request)[1])

    assert [steps(strength) for strength in (0.25, 0.5, 1.0)] == [1, 2, 4]


def test_a_strength_that_leaves_no_step_is_refused_with_what_would_do(sd: ImagePipeline) -> None:
    with pytest.raises(BadRequest, match="Take 10 steps or more"):
        run(sd, ask(image=png(gradient()), strength=0.1))


def test_a_model_that_only_refers_to_the_picture_takes_any_strength(pipelines: dict[str, ImagePipeline]) -> None:
    asked = ask(image=png(gradient(64, 64)), height=64, strength=0.05)
    assert drawn(pipelines["klein"], asked) == drawn(pipelines["klein"], asked.model_copy(update={"strength": 0.9}))


def test_a_family_without_the_class_says_what_it_can_do(pipelines: dict[str, ImagePipeline]) -> None:
    with pytest.raises(BadRequest, match="Sana cannot start from a picture, only draw from a prompt alone"):
        run(pipelines["sana"], ask(image=png(gradient())))


def test_a_picture_of_another_shape_gives_the_size_unless_one_is_asked_for(sd: ImagePipeline) -> None:
    sd_side = sd._made_for.side
    free = sd._plan(ask(image=png(gradient(100, 50)), width=0, height=0))
    assert free.width > 1.9 * free.height and abs(free.width * free.height - sd_side**2) < 0.05 * sd_side**2
    assert free.image is not None and free.image.size == (free.width, free.height)
    fixed = sd._plan(ask(image=png(gradient(100, 50)), width=32, height=48))
    assert fixed.image is not None and fixed.image.size == (32, 48)


# Schedulers and settings --------------------------------------------------------------------------------------------


def test_what_the_request_leaves_open_is_the_models_own_and_told(sd: ImagePipeline) -> None:
    plan = sd._plan(ImageRequest(prompt="a cat"))
    assert (plan.steps, plan.guidance, plan.width, plan.height) == (25, 7.5, 512, 512)
    assert run(sd, ask())[0].settings == {
        "steps": STEPS,
        "guidance": 7.5,
        "width": WIDTH,
        "height": HEIGHT,
        "upscale": 1,
    }


@pytest.mark.parametrize("name", image.schedulers.NAMES[1:])
def test_every_scheduler_draws_with_a_preview_at_every_step(sd: ImagePipeline, name: str) -> None:
    result, events = run(sd, ask(scheduler=name, seed=1))
    looks = 2 * STEPS - 1 if name == "Heun" else STEPS  # which looks at each level twice, but the last
    assert sum(isinstance(event, Preview) for event in events) == looks
    assert drawn(sd, ask(scheduler=name, seed=1)) == [result.pictures[0].image.tobytes()]


def test_schedulers_differ_and_leave_the_models_own_alone(sd: ImagePipeline) -> None:
    own = drawn(sd, ask())
    different = {drawn(sd, ask(scheduler=name))[0] for name in image.schedulers.NAMES}
    assert len(different) == len(image.schedulers.NAMES)
    assert drawn(sd, ask()) == own


@pytest.mark.parametrize("family", flows())
@pytest.mark.parametrize("name", [*image.schedulers.FLOW_CLASSES])
def test_every_solver_of_a_flow_draws_in_every_task_with_a_preview_at_every_step(
    pipelines: dict[str, ImagePipeline], family: str, name: str
) -> None:
    pipeline = pipelines[family]
    width, height = size_of(pipeline)
    pictures: list[dict[str, Any]] = [{}]
    if pipeline._family.redraw:
        pictures.append({"image": png(gradient(width, height)), "strength": 0.75})
    if pipeline._family.inpaint:
        pictures.append({**pictures[1], "mask": png(left_half(width, height))})
    for given in pictures:
        result, events = run(pipeline, ask_of(pipeline, scheduler=name, **given))
        previews = [event for event in events if isinstance(event, Preview)]
        assert [preview.step for preview in previews] == list(range(1, previews[0].total + 1))
        assert drawn(pipeline, ask_of(pipeline, scheduler=name, **given)) == [result.pictures[0].image.tobytes()]


@pytest.mark.parametrize("family", flows())
def test_with_many_steps_every_solver_of_a_flow_draws_what_its_own_scheduler_draws(
    pipelines: dict[str, ImagePipeline], family: str
) -> None:
    """As close as its own scheduler with half as many steps, or closer."""
    import numpy as np

    pipeline, steps = pipelines[family], 48

    def far(one: list[bytes], other: list[bytes]) -> float:
        a, b = (np.frombuffer(each[0], np.uint8).astype(float) for each in (one, other))
        return float(np.abs(a - b).mean())

    own = drawn(pipeline, ask_of(pipeline, steps=steps))
    coarse = far(own, drawn(pipeline, ask_of(pipeline, steps=steps // 2)))
    other_seed = far(own, drawn(pipeline, ask_of(pipeline, steps=steps, seed=1)))
    for name in image.schedulers.FLOW_CLASSES:
        distance = far(own, drawn(pipeline, ask_of(pipeline, steps=steps, scheduler=name)))
        assert distance < max(2 * coarse, 0.1 * other_seed), name


def test_a_flow_refuses_a_scheduler_that_cannot_go_there(pipelines: dict[str, ImagePipeline]) -> None:
    with pytest.raises(BadRequest, match=r"“DDIM” cannot go. Choose one of “default”, “Euler”, "):
        run(pipelines["flux"], ask(scheduler="DDIM"))


@pytest.mark.parametrize("name", ["sd", "flux"])
def test_it_draws_what_diffusers_called_plainly_draws(
    pipelines: dict[str, ImagePipeline], folders: dict[str, Path], name: str
) -> None:
    import torch
    from diffusers import DiffusionPipeline

    plain = DiffusionPipeline.from_pretrained(folders[name], use_safetensors=True)
    theirs = plain(
        "a red cat",
        num_inference_steps=STEPS,
        guidance_scale=3.0,
        width=WIDTH,
        height=HEIGHT,
        generator=torch.Generator().manual_seed(9),
    ).images[0]
    assert drawn(pipelines[name], ask(seed=9, guidance=3.0)) == [theirs.tobytes()]


def test_a_size_that_the_model_cannot_do_is_refused_with_the_nearest(sd: ImagePipeline) -> None:
    with pytest.raises(BadRequest, match="Nearest: 60 x 32 or 64 x 36"):
        run(sd, ask(width=63, height=34))


def test_enlarging_is_refused_where_there_is_nothing_to_do_it(sd: ImagePipeline) -> None:
    with pytest.raises(BadRequest, match="Set “upscale” to 1"):
        run(sd, ask(upscale=4))


def test_pictures_are_enlarged_where_there_is_something_to_do_it(
    sd: ImagePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def enlarge(picture: Image.Image, emit: Emit) -> Image.Image:
        emit(Progress(1, 1, "Enlarging"))
        return picture.resize((picture.width * 4, picture.height * 4))

    monkeypatch.setattr(sd, "_enlarge", enlarge)
    result, events = run(sd, ask(upscale=4, count=2))
    assert [picture.image.size for picture in result.pictures] == [(4 * WIDTH, 4 * HEIGHT)] * 2
    assert events.count(Progress(1, 1, "Enlarging")) == 2
    assert run(sd, ask())[0].pictures[0].image.size == (WIDTH, HEIGHT)
