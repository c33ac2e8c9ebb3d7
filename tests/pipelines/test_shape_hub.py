"""Shap-E through diffusers' own classes, at tiny size: grids, previews, seeds, cancel, what it refuses."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch

from pipelines import shape_hub
from pipelines.device import Device
from pipelines.errors import BadRequest, BadWeights
from pipelines.events import Cancelled, Frames
from pipelines.shape_hub import distances, upright
from pipelines.shape_request import ShapeRequest
from tests.pipelines import tiny_shape
from tests.pipelines.drawings import gradient, png
from tests.pipelines.test_music import Stopped

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # the scheduler's, of torch's tensors

CPU = Device("cpu", "a CPU", 16 * 2**30, half=False)
WORDS = ShapeRequest(model="shap-e", prompt="a shark", steps=5, seed=1)
MAKERS = {"words": (tiny_shape.from_text, WORDS), "picture": (tiny_shape.from_picture, None)}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(shape_hub, "FINE", 12)
    monkeypatch.setattr(shape_hub, "COARSE", 8)


@pytest.fixture(scope="module", params=MAKERS)
def loaded(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    make, asked = MAKERS[request.param]
    make(folder)
    return shape_hub.load(CPU, folder), asked or ShapeRequest(model="x", image=png(gradient()), steps=5, seed=1)


def run(loaded, **changes):
    pipeline, asked = loaded
    updates = []
    return updates, pipeline.run(asked.model_copy(update=changes), updates.append)


def test_it_makes_a_grid_and_repeats_itself_by_seed(loaded):
    _, one = run(loaded)
    assert one.distance.shape == (12, 12, 12)
    assert one.colour.shape == (12, 12, 12, 3)
    assert one.settings["steps"] == 5
    again, other = run(loaded)[1], run(loaded, seed=2)[1]
    assert one.distance.tobytes() == again.distance.tobytes()
    assert one.colour.tobytes() == again.colour.tobytes()
    assert one.colour.tobytes() != other.colour.tobytes()


def test_it_is_seen_on_the_way(loaded):
    updates, _ = run(loaded)
    frames = [update for update in updates if isinstance(update, Frames)]
    assert frames
    assert all(len(each.images) == 4 for each in frames)
    assert frames[-1].step < frames[-1].total


@pytest.mark.parametrize("after", [0, 3])
def test_a_cancel_ends_it_at_the_next_step(loaded, after):
    pipeline, asked = loaded
    stopped = Stopped(after)
    with pytest.raises(Cancelled):
        pipeline.run(asked, stopped)
    assert stopped.left == -1


def test_what_it_cannot_use_is_refused(loaded):
    pipeline, asked = loaded
    wrong = ShapeRequest(prompt="a shark") if asked.image else ShapeRequest(prompt="a shark", image=png(gradient()))
    with pytest.raises(BadRequest, match="picture"):
        pipeline.run(wrong, lambda update: None)
    if not asked.image:
        with pytest.raises(BadRequest, match="Say in “prompt”"):
            pipeline.run(ShapeRequest(prompt=" "), lambda update: None)


def test_a_model_of_another_kind_is_refused(tmp_path):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    with pytest.raises(BadWeights, match="StableDiffusionPipeline is no 3D model"):
        shape_hub.load(CPU, tmp_path)


def test_signs_become_distances():
    axis = np.arange(24) - 11.5
    away = np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None] ** 2)
    found = distances(np.tanh((away - 7) / 40).astype(np.float32))
    assert abs(found - (away - 7))[away > 2].max() < 0.8
    assert ((found < 0) == (away < 7)).all()
    assert (distances(np.ones((4, 4, 4), np.float32)) > 0).all()


def test_what_is_above_in_shap_e_is_above_here():
    grid = np.zeros((3, 3, 3))
    grid[1, 0, 2] = 1  # right in the middle, in front, above
    assert upright(grid)[1, 2, 2] == 1


def test_the_network_looks_at_places_in_full_precision(loaded, monkeypatch):
    """A GPU holds models in 16 bits; a place told in those is none to the network's finest waves."""
    renderer = loaded[0]._pipe.shap_e_renderer
    kind, seen = type(renderer.mlp), []
    plain = kind.forward

    def forward(self, *, position, **rest):
        seen.append((position.dtype, self.dtype))
        return plain(self, position=position, **rest)

    monkeypatch.setattr(kind, "forward", forward)
    half = copy.deepcopy(renderer).to(torch.bfloat16)
    rows = sum(shape[0] for shape in half.params_proj.config.param_shapes)
    latents = torch.randn(1, rows, half.params_proj.config.d_latent, generator=torch.Generator().manual_seed(0))
    shape_hub.solid_of(half, latents, 8)
    assert set(seen) == {(torch.float32, torch.float32)}
    assert half.mlp.dtype == torch.bfloat16
