"""The image pipeline on the real classes of every family, at tiny size, through from_pretrained."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines import image
from pipelines.errors import BadRequest
from pipelines.events import Cancelled, Emit, Pictures, Preview, Progress, Result, Update
from pipelines.image import ImagePipeline
from pipelines.image_families import FAMILIES
from pipelines.image_request import ImageRequest
from tests.pipelines import tiny_image
from tests.pipelines.fakes import CPU, engine, spec

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # in diffusers' schedulers

WIDTH, HEIGHT = 64, 32
STEPS = 4


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny models are done before threads have found each other: on a busy machine, several take ten times as long."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Made when first asked for."""

    class Folders(dict[str, Path]):
        def __missing__(self, family: str) -> Path:
            return self.setdefault(family, tiny_image.save(tmp_path_factory.mktemp(family), family))

    return Folders()


@pytest.fixture(scope="session")
def pipelines(folders: dict[str, Path]) -> dict[str, ImagePipeline]:
    class Pipelines(dict[str, ImagePipeline]):
        def __missing__(self, family: str) -> ImagePipeline:
            return self.setdefault(family, load(folders[family]))

    return Pipelines()


@pytest.fixture(params=tiny_image.FAMILIES)
def family(request: pytest.FixtureRequest, pipelines: dict[str, ImagePipeline]) -> ImagePipeline:
    return pipelines[request.param]


@pytest.fixture
def sd(pipelines: dict[str, ImagePipeline]) -> ImagePipeline:
    return pipelines["sd"]


def load(folder: Path) -> ImagePipeline:
    return image.load(CPU, folder)


def ask(prompt: str = "a red cat", **settings: Any) -> ImageRequest:
    return ImageRequest(prompt=prompt, **{"steps": STEPS, "width": WIDTH, "height": HEIGHT, "upscale": 1, **settings})


def size_of(family: ImagePipeline) -> tuple[int, int]:
    name = next(name for name, kind in tiny_image.CLASSES.items() if kind == family._family.draw)
    return tiny_image.SIZES.get(name, (WIDTH, HEIGHT))


def ask_of(family: ImagePipeline, prompt: str = "a red cat", **settings: Any) -> ImageRequest:
    """A request of the size that this family can do."""
    width, height = size_of(family)
    return ask(prompt, width=width, height=height, **settings)


def run(pipeline: ImagePipeline, request: ImageRequest) -> tuple[Pictures, list[Update]]:
    events: list[Update] = []
    return pipeline.run(request, events.append), events


def drawn(pipeline: ImagePipeline, request: ImageRequest) -> list[bytes]:
    return [picture.image.tobytes() for picture in run(pipeline, request)[0].pictures]


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def gradient(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    ramp = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (ramp, ramp.transpose(Image.Transpose.ROTATE_180), ramp))


def left_half(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (0, 0, width // 2, height))
    return mask


def tasks() -> list[tuple[str, str]]:
    """Each family with each task, besides drawing from a prompt alone, that diffusers has a class for."""
    return [
        (name, task)
        for name, build in tiny_image.FAMILIES.items()
        for task in ("redraw", "inpaint")
        if getattr(FAMILIES[tiny_image.CLASSES[name]], task)
    ]


def flows() -> list[str]:
    return [name for name, kind in tiny_image.CLASSES.items() if FAMILIES[kind].flow]


# What every family does ---------------------------------------------------------------------------------------------


def test_a_prompt_becomes_a_picture_of_the_asked_size_with_a_preview_at_every_step(family: ImagePipeline) -> None:
    size = size_of(family)
    result, events = run(family, ask_of(family))
    (picture,) = result.pictures
    assert (picture.image.size, picture.image.mode, picture.seed) == (size, "RGB", 0)
    assert isinstance(events[0], Progress)
    previews = [event for event in events if isinstance(event, Preview)]
    assert len(previews) == len(events) - 1 >= STEPS
    assert [preview.step for preview in previews] == list(range(1, previews[0].total + 1))
    width, height = previews[0].image.size
    assert width * size[1] == height * size[0]
    assert len({preview.image.tobytes() for preview in previews}) > 1


def test_the_last_preview_is_made_from_the_very_latent_that_is_decoded(
    family: ImagePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unpacked, unscaled and denoised: what the preview looks at is what the autoencoder is handed."""
    import torch

    looked_at, decoded = [], []
    vae, latent = family._views["draw"].vae, image.preview.latent

    def look(*given: Any) -> torch.Tensor:
        looked_at.append(latent(*given))
        return looked_at[-1]

    decode = vae.decode
    monkeypatch.setattr(vae, "decode", lambda z, *args, **kwargs: (decoded.append(z), decode(z, *args, **kwargs))[1])
    monkeypatch.setattr(image.preview, "latent", look)
    name = "Euler" if family._family.draw == "StableDiffusionPipeline" else "default"  # PNDM ends in some noise
    run(family, ask_of(family, scheduler=name))
    (final,) = decoded
    *_, clean, noisy = looked_at
    torch.testing.assert_close(clean, final[0].reshape(clean.shape).float(), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(looked_at[0], clean) and not torch.allclose(clean, noisy)


def test_the_same_seed_gives_the_same_bytes_and_another_another(family: ImagePipeline) -> None:
    first, again, other = (drawn(family, ask_of(family, seed=seed)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_the_first_of_two_pictures_is_the_one_alone_and_the_second_has_the_next_seed(family: ImagePipeline) -> None:
    both = drawn(family, ask_of(family, seed=3, count=2))
    assert both == drawn(family, ask_of(family, seed=3)) + drawn(family, ask_of(family, seed=4))


def test_previews_do_not_change_the_bytes(family: ImagePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    with_previews = drawn(family, ask_of(family))
    monkeypatch.setattr(family, "_previews", False)
    result, events = run(family, ask_of(family))
    assert [picture.image.tobytes() for picture in result.pictures] == with_previews
    assert all(isinstance(event, Progress) for event in events)
    assert len(events) >= 1 + STEPS, "every step is still a chance to stop and to give way"


def test_cancel_ends_at_the_very_step(family: ImagePipeline) -> None:
    seen: list[Update] = []

    def emit(event: Update) -> None:
        seen.append(event)
        if len(seen) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        family.run(ask_of(family), emit)
    assert len(seen) == 3
    assert drawn(family, ask_of(family)) == drawn(family, ask_of(family)), "it left nothing behind"


def test_another_run_between_the_steps_disturbs_nothing(family: ImagePipeline) -> None:
    """Two runs of one loaded model in turns, as the engine lets them: each draws what it draws alone."""
    mine, theirs = ask_of(family, seed=1), ask_of(family, "a blue dog", seed=2, steps=3)
    alone = [drawn(family, mine), drawn(family, theirs)]
    between: list[list[bytes]] = []

    def emit(event: Update) -> None:
        if len(between) < 2:
            between.append([])
            between[-1] = drawn(family, theirs)

    company = family.run(mine, emit)
    assert [picture.image.tobytes() for picture in company.pictures] == alone[0]
    assert between == [alone[1], alone[1]]


def test_the_prompt_and_the_guidance_count(family: ImagePipeline) -> None:
    assert drawn(family, ask_of(family)) != drawn(family, ask_of(family, "an old green house by the sea"))
    if not family._family.draw.startswith("Flux2Klein"):  # distilled: it has no guidance
        assert drawn(family, ask_of(family, guidance=2.0)) != drawn(family, ask_of(family, guidance=6.0))


def test_a_negative_prompt_counts_or_is_refused(family: ImagePipeline) -> None:
    without, given = ask_of(family, guidance=5.0), ask_of(family, guidance=5.0, negative_prompt="ugly and blurred")
    if family._family.takes_negative:
        assert drawn(family, without) != drawn(family, given)
    else:
        with pytest.raises(BadRequest, match="takes no negative prompt"):
            run(family, given)


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


# Loading ------------------------------------------------------------------------------------------------------------


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"no model_index\.json"):
        image.load(CPU, tmp_path)
    (tmp_path / "model_index.json").write_text('{"_class_name": "ShapEPipeline"}')
    with pytest.raises(BadRequest, match=r"is a ShapEPipeline, which cannot be run here. Choose a model of one of"):
        image.load(CPU, tmp_path)


def test_a_folder_that_names_parts_from_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "FluxPipeline", "vae": ["antigravity", "fly"]}')
    with pytest.raises(BadRequest, match="has a “vae” from “antigravity”; parts are read from diffusers and transf"):
        image.load(CPU, tmp_path)


def test_every_family_names_classes_that_there_are() -> None:
    from importlib import import_module

    assert set(tiny_image.CLASSES.values()) >= set(FAMILIES) - {"PixArtAlphaPipeline"}  # as Σ, with one more input
    for family in FAMILIES.values():
        for name in (family.draw, family.redraw, family.inpaint):
            assert not name or isinstance(getattr(import_module(family.module), name), type)


# Behind the engine --------------------------------------------------------------------------------------------------


def test_behind_the_engine_a_recipe_is_json_and_a_cancelled_run_leaves_nothing_leased(
    pipelines: dict[str, ImagePipeline],
) -> None:
    import json

    facts = {"modality": "image", "request": ImageRequest, "load": lambda device, path: pipelines["sd"]}
    eng = engine(spec("tiny", lambda request, emit: "", **facts))
    job = eng.submit("tiny", ask(image=png(gradient()), seed=7), "ann")
    *updates, result = list(job)
    assert isinstance(result, Result) and any(isinstance(update, Preview) for update in updates)
    recipe = json.loads(json.dumps(asdict(result.recipe)))
    assert recipe["seed"] == 7 and recipe["options"]["image"].startswith("sha256:")
    assert recipe["options"]["prompt"] == "a red cat"

    job = eng.submit("tiny", ask(steps=150, scheduler="Euler"), "ann")
    previews = 0
    with pytest.raises(Cancelled):
        for event in job:
            previews += isinstance(event, Preview)
            if previews == 2:
                job.cancel()
    assert job.wait_let_go(10)
    assert [held.leases for held in eng.status().models] == [0]
    eng.close()
