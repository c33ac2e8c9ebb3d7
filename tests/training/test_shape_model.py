"""Shapes as latents: nothing is lost on the way but detail, training learns, and what is written is found again."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from pipelines.shape_codec import Grids, ShapeCodec, cells, joined
from pipelines.shape_library import ShapeLibrary
from pipelines.shape_model import LIKE, ShapeDenoiser, patches, unpatched
from training import shape, shape_latents
from training.loop import Run, training
from training.muon import optimisers
from training.shape_data import sample
from training.shape_grid import Stored, grid, save
from training.shape_latents import Latents, grids, solve, spread

COUNT = 24


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    file = tmp_path_factory.mktemp("shapes") / "shapes.npz"
    seeds = range(COUNT)
    save(file, seeds, (grid(sample(seed)[0]) for seed in seeds))
    return Stored.load(file)


@pytest.fixture(scope="module")
def shapes(stored):
    return grids([stored[i] for i in range(COUNT)])


@pytest.fixture(scope="module")
def codec(shapes):
    torch.manual_seed(0)
    made = ShapeCodec(channels=48, width=16, blocks=1)
    with torch.no_grad():
        solve(made, shapes)
    return made


class Words:
    """A sentence encoder of one vector per word."""

    def tokens(self, texts):
        counts = [len(text.split()) for text in texts]
        mask = torch.arange(max(counts))[None] < torch.tensor(counts)[:, None]
        return torch.ones(len(texts), max(counts), 384) * torch.tensor(counts)[:, None, None], mask

    def sentences(self, texts):
        return torch.nn.functional.normalize(torch.randn(len(texts), 384), dim=1)


@pytest.mark.parametrize(("channels", "side"), [(1, 48), (3, 24)])
def test_cells_come_together_again(channels, side):
    x = torch.randn(2, channels, side, side, side)
    assert torch.equal(joined(cells(x), channels), x)
    assert torch.equal(cells(x)[0, :, 2, 0, 0], x[0, :, side // 4 : 3 * side // 8, : side // 8, : side // 8].flatten())


def test_patches_come_together_again():
    x = torch.randn(2, 3, 8, 8, 8)
    assert torch.equal(unpatched(patches(x, 2), 2, 8), x)
    assert torch.equal(patches(x, 2)[1, 17].view(3, 2, 2, 2), x[1, :, 2:4, 0:2, 2:4])


def test_the_linear_part_keeps_the_shape(codec, shapes):
    latents = codec.encode(shapes)
    assert latents.shape == (COUNT, 48, 8, 8, 8)
    assert latents.mean((0, 2, 3, 4)).abs().max() < 1e-3
    assert (latents.std((0, 2, 3, 4)) - 1).abs().max() < 1e-3
    with torch.no_grad():
        told = shape_latents.loss_of(codec, shapes)[1]
    assert told["overlap"] > 0.85
    assert told["colour"] < 0.1


def test_colours_near_the_surface_are_the_shapes(stored):
    one = stored[3]
    colour = (spread(one) + 1) * 127.5
    near = (abs(one.distance[::2, ::2, ::2]) < 0.3) & (one.paint[::2, ::2, ::2] == one.paint[1::2, 1::2, 1::2])
    found, real = colour[:, near].T.round().astype(int), one.colour[::2, ::2, ::2][near]
    assert near.sum() > 50
    assert (abs(found - real).max(1) <= 1).mean() > 0.9


def test_the_codec_learns_what_the_linear_part_misses(shapes):
    torch.manual_seed(0)
    model = ShapeCodec(channels=8, width=32, blocks=1)
    with torch.no_grad():
        solve(model, shapes)

    def loss(g):
        rows = torch.randint(COUNT, (4,), generator=g)
        return shape_latents.loss_of(model, Grids(shapes.distance[rows], shapes.colour[rows]))

    run = Run(30, lr=3e-3, warmup=3, cooldown=10)
    lost = [step.loss for step in training(model, optimisers(model, outside=("enter", "leave")), loss, run)]
    assert sum(lost[-5:]) < 0.9 * sum(lost[:5])


def small_denoiser():
    torch.manual_seed(0)
    return ShapeDenoiser(channels=32, width=64, layers=2, head_width=32, fine_width=16)


def test_everything_from_shapes_to_a_model_that_loads(stored, tmp_path, monkeypatch, capsys):
    for recipe in (shape_latents, shape):
        monkeypatch.setattr(recipe, "text_encoder", lambda folder: Words())
    monkeypatch.setattr(shape_latents, "HELD", 4)
    file = tmp_path / "shapes.npz"
    np.savez(file, seeds=stored.seeds, ends=stored.ends, data=stored.data)
    argv = ["shape_latents", f"--shapes={file}", f"--out={tmp_path / 'latents'}", "--steps=1", "--batch=2"]
    monkeypatch.setattr(sys, "argv", [*argv, f"--count={COUNT}"])
    shape_latents.main()
    assert "'overlap': 0." in capsys.readouterr().out
    data = Latents.load(tmp_path / "latents")
    assert len(data.latents) == len(data.captions) == COUNT
    words, mask = data.told([5, COUNT])
    assert mask.sum(1).tolist()[0] == len(data.captions[5].split())
    assert words[0, 0, 0] == len(data.captions[5].split())
    for steps, more in (("1", []), ("2", ["--resume"])):
        fixed = [
            f"--shapes={tmp_path / 'latents'}",
            f"--out={tmp_path / 'out'}",
            "--width=64",
            "--layers=1",
            "--batch=2",
        ]
        monkeypatch.setattr(sys, "argv", ["shape", *fixed, f"--steps={steps}", *more])
        shape.main()
    assert "from step 1" in capsys.readouterr().out
    model = ShapeDenoiser.from_pretrained(tmp_path / "out" / "export" / "denoiser", torch_dtype=torch.float32)
    library = ShapeLibrary.from_pretrained(tmp_path / "out" / "export" / "library")
    assert library.latents.dtype == torch.uint8
    told = model.condition(words[:1], mask[:1], library.stack([0, 1], 2))
    made = model(torch.randn(1, 32, 8, 8, 8), torch.tensor([0.5]), told)
    decoded = ShapeCodec.from_pretrained(tmp_path / "out" / "export" / "codec", torch_dtype=torch.float32).decode(made)
    assert decoded.distance.shape == (1, 1, 48, 48, 48)
    assert decoded.colour.shape == (1, 3, 24, 24, 24)


def test_the_denoiser_learns(codec, shapes, monkeypatch):
    monkeypatch.setattr(shape, "text_encoder", lambda folder: Words())
    model, g = small_denoiser(), torch.Generator().manual_seed(0)
    latents = shape_latents.quantised(codec.encode(shapes)[:, :32])
    words = torch.randn(COUNT + 1, 384, generator=g).half()
    kinds = [sample(seed)[1].kind for seed in range(COUNT)]
    data = Latents(latents, words, torch.arange(COUNT + 1) + 1, list(range(COUNT)), [""] * COUNT, kinds)
    lessons = shape.Lessons.of(data, 4, None)

    def loss(g):
        return shape.loss_of(model, lessons, torch.randint(4, (8,), generator=g).tolist(), g)

    run = Run(30, lr=1e-2, warmup=2, cooldown=5)
    lost = [step.loss for step in training(model, optimisers(model, outside=shape.OUTSIDE), loss, run)]
    assert sum(lost[-5:]) < 0.8 * sum(lost[:5])


def test_words_matter_and_padding_does_not():
    model = small_denoiser()
    for p in model.parameters():  # what starts at zero would hide everything
        torch.nn.init.normal_(p, std=0.05)
    latents, time = torch.randn(1, 32, 8, 8, 8), torch.tensor([0.7])
    words = torch.randn(1, 5, 384)
    mask, shown = torch.tensor([[True, True, True, False, False]]), torch.randn(1, 2, 32, 8, 8, 8)
    one = model(latents, time, model.condition(words, mask, shown))
    padded = words.clone()
    padded[:, 3:] = 9
    torch.testing.assert_close(one, model(latents, time, model.condition(padded, mask, shown)))
    other = words.clone()
    other[:, 0] = 9
    assert not torch.allclose(one, model(latents, time, model.condition(other, mask, shown)))


def test_before_training_it_says_what_the_first_reference_says():
    model = ShapeDenoiser(width=64, layers=1, head_width=32, fine_width=16)
    torch.nn.init.zeros_(model.leave_fine.bias)
    shown = torch.randn(1, 2, 32, 8, 8, 8)
    told = model.condition(torch.randn(1, 3, 384), torch.ones(1, 3).bool(), shown)
    noise = torch.randn(1, 32, 8, 8, 8)
    torch.testing.assert_close(model(noise, torch.ones(1), told), LIKE * shown[:, 0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model(noise, torch.full((1,), 1e-4), told), noise, atol=1e-2, rtol=1e-2)


def test_a_library_has_every_paint_of_a_kind_before_it_has_one_twice():
    kinds = ["a"] * 5 + ["b"]
    paints = ["red", "red", "blue", "red", "blue", "red"]
    assert shape.chosen(kinds, paints, 3) == [0, 1, 2, 5]
    assert shape.chosen(kinds, paints, 2) == [0, 2, 5]


def test_no_shape_learns_beside_itself(shapes, codec, monkeypatch):
    monkeypatch.setattr(shape, "text_encoder", lambda folder: Words())
    latents = shape_latents.quantised(codec.encode(shapes)[:, :32])
    data = Latents(
        latents, torch.randn(COUNT + 1, 384), torch.arange(COUNT + 1) + 1, list(range(COUNT)), [""] * COUNT,
        ["same"] * COUNT,
    )  # fmt: skip
    lessons = shape.Lessons.of(data, COUNT, None)
    object.__setattr__(lessons, "own", {"same": list(range(COUNT))})
    shown = [lessons.shown(5, torch.Generator().manual_seed(seed)) for seed in range(30)]
    assert all(5 not in [lessons.rows[each] for each in rows] for rows in shown)
    assert {len(rows) for rows in shown} == {0, 2}
