"""The image pipeline on the real classes of every family, at tiny size, through from_pretrained."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pipelines import image
from pipelines.errors import BadRequest
from pipelines.events import Cancelled, Preview, Progress, Result, Update
from pipelines.image import ImagePipeline
from pipelines.image_families import FAMILIES
from pipelines.image_request import ImageRequest
from tests.pipelines import tiny_image
from tests.pipelines.drawings import (
    STEPS,
    ask,
    ask_of,
    drawn,
    gradient,
    png,
    run,
    size_of,
)
from tests.pipelines.fakes import CPU, engine, spec

pytestmark = [
    pytest.mark.usefixtures("one_thread"),  # tiny models are done before threads have found each other
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # in diffusers' schedulers
]


# What every family does ---------------------------------------------------------------------------------------------


def test_a_prompt_becomes_a_picture_of_the_asked_size_with_a_preview_at_every_step(family: ImagePipeline) -> None:
    size = size_of(family)
    result, events = run(family, ask_of(family))
    (picture,) = result.pictures
    assert (picture.image.size, picture.image.mode, picture.seed) == (size, "RGB", 0)
    assert isinstance(events[0], Progress)
    assert isinstance(events[1], Preview), "the first step is shown at once"
    previews = [event for event in events if isinstance(event, Preview)]
    assert len(previews) >= STEPS
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
    vae, latents = family._views["draw"].vae, image.preview.latents

    def look(*given: Any) -> torch.Tensor:
        looked_at.append(latents(*given))
        return looked_at[-1]

    decode = vae.decode
    monkeypatch.setattr(vae, "decode", lambda z, *args, **kwargs: (decoded.append(z), decode(z, *args, **kwargs))[1])
    monkeypatch.setattr(image.preview, "latents", look)
    name = "Euler" if family._family.draw == "StableDiffusionPipeline" else "default"  # PNDM ends in some noise
    run(family, ask_of(family, scheduler=name))
    (final,) = decoded
    *_, cleans, noisies = looked_at
    clean = cleans[-1]
    torch.testing.assert_close(clean, final[0].reshape(clean.shape).float(), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(looked_at[0][0], clean) and not torch.allclose(clean, noisies[-1])


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
