"""The probe learns things and styles, is judged rightly, and its run stops and resumes."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from pipelines.image_autoencoder import Autoencoder
from training import probe, probe_data, probe_style
from training.loop import Run, export, training
from training.muon import optimisers
from training.pictures import PictureSet
from training.probe_data import SmallPictures, may_be_mirrored, round_trip
from training.probe_model import Probe, Seen, accuracy
from training.style_statistics import COUNT, statistics


class Perfect:
    """An autoencoder that loses nothing."""

    def encode(self, pictures):
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: pictures))

    def decode(self, latents):
        return SimpleNamespace(sample=latents)


@pytest.fixture(scope="module")
def small(pictures):
    return SmallPictures.made(pictures, Perfect())


def small_probe(pictures):
    torch.manual_seed(0)
    things = sorted({record["hexcode"] for record in pictures.records})
    return Probe(things, list(probe.STYLES), width=32, blocks=(1, 1, 1), features=64)


def test_the_probe_learns(pictures, small):
    model, rows = small_probe(pictures), pictures.rows(withheld=False)
    things, _ = probe.names(model, pictures)
    model.style.requires_grad_(False)

    def loss(g):
        batch, chosen = small.batch(rows, 16, g)
        return probe.loss_of(model, batch, things[chosen])

    run = Run(40, lr=1e-2, warmup=1, cooldown=10)
    right = [step.parts["right"] for step in training(model, optimisers(model), loss, run)]
    assert sum(right[-5:]) / 5 > 0.7 > sum(right[:5]) / 5


def test_only_the_given_pictures_are_learned(small):
    _, chosen = small.batch(torch.tensor([3, 7]), 64, torch.Generator().manual_seed(0))
    assert chosen.unique().tolist() == [3, 7]


def test_a_batch_is_the_same_for_the_same_seed(pictures, small):
    rows = pictures.rows(withheld=False)
    (one, _), (again, _), (other, _) = (small.batch(rows, 4, torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert one.shape == (4, 3, 64, 64) and one.abs().max() <= 1


def test_a_round_trip_without_loss_gives_the_layers_back(pictures):
    layers = pictures.layers(torch.arange(3))
    torch.testing.assert_close(round_trip(Perfect(), layers, torch.Generator().manual_seed(0)), layers)


def test_what_decoding_leaves_around_a_thing_stays_there(pictures):
    """Blurred on a light background, a disc has a rim of its own colour beyond its edge, on any background."""
    layers = pictures.layers(torch.arange(1))
    blurred = SimpleNamespace(
        encode=Perfect().encode, decode=lambda x: SimpleNamespace(sample=F.avg_pool2d(x, 5, 1, 2))
    )
    decoded = round_trip(blurred, layers, torch.Generator().manual_seed(0))
    beyond = (layers[0, 3] == 0) & (F.max_pool2d(layers[:, 3], 5, 1, 2)[0] == 1)
    far = F.max_pool2d(layers[:, 3], 9, 1, 4)[0] == 0
    far[[0, 1, -2, -1]] = far[:, [0, 1, -2, -1]] = False  # where the blur reaches beyond the picture
    assert decoded[0, 3, beyond].mean() > 0.1 and decoded[0, 3, far].max() < 1e-5


@pytest.mark.parametrize(
    ("label", "group", "may"),
    [
        ("fox", 3, True),
        ("right arrow", 8, False),
        ("keycap: 3", 8, False),
        ("leftwards hand", 1, False),
        ("three o’clock", 5, False),
        ("ten-thirty", 5, False),
        ("waxing crescent moon", 5, False),
        ("bright star", 5, True),
    ],
)
def test_things_with_a_side_are_not_mirrored(label, group, may):
    assert may_be_mirrored({"label": label, "group": group}) is may


def test_a_picture_is_judged_the_same_alone_and_among_others(pictures):
    model = small_probe(pictures).eval()
    shown = torch.randn(5, 3, 128, 128)
    for part in ("features", "things", "styles"):
        among, alone = (getattr(model.look(some), part)[-1] for some in (shown[:3], shown[2:3]))
        torch.testing.assert_close(among, alone)


def test_large_pictures_are_shrunk(pictures):
    model = small_probe(pictures).eval()
    shown = torch.randn(2, 3, 128, 128)
    large = shown.repeat_interleave(2, -1).repeat_interleave(2, -2)
    torch.testing.assert_close(model.look(large).things, model.look(shown).things)
    torch.testing.assert_close(model.look(large).styles, model.look(shown).styles)


def test_accuracy_of_known_answers():
    things = torch.arange(8.0).flip(0).expand(4, 8)  # the likeliest is 0, then 1, ...
    styles = torch.eye(4)
    found = accuracy(Seen(torch.zeros(4, 1), things, styles), torch.tensor([0, 4, 5, 7]), torch.tensor([0, 1, 2, 0]))
    assert (found.top1, found.top5, found.style, found.pictures) == (0.25, 0.5, 0.75, 4)


def test_a_run_stops_resumes_and_leaves_a_probe_that_loads(pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(PictureSet, "load", lambda folder: pictures)
    export(Autoencoder(width=16, decoder_blocks=1, fine_width=8), tmp_path / "autoencoder")
    fixed = [f"--autoencoder={tmp_path / 'autoencoder'}", f"--out={tmp_path / 'out'}", "--batch=2", "--save-every=1"]
    monkeypatch.setattr(sys, "argv", ["probe", *fixed, "--steps=1"])
    probe.main()
    monkeypatch.setattr(probe_data.SmallPictures, "made", None)  # is not made again
    monkeypatch.setattr(sys, "argv", ["probe", *fixed, "--steps=2", "--resume"])
    probe.main()
    said = capsys.readouterr().out
    assert "from step 0" in said and "from step 1" in said and "step 2: withheld: top-1" in said
    loaded = Probe.from_pretrained(tmp_path / "out" / "export", torch_dtype=torch.float32)
    assert loaded.config.styles == list(probe.STYLES)
    assert loaded.look(torch.zeros(1, 3, 128, 128)).things.shape == (1, 4)


def test_styles_are_learned_without_touching_what_is_known_of_things(pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(PictureSet, "load", lambda folder: pictures)
    export(Autoencoder(width=16, decoder_blocks=1, fine_width=8), tmp_path / "autoencoder")
    before = small_probe(pictures)
    export(before, tmp_path / "things")
    folders = [
        f"--probe={tmp_path / 'things'}",
        f"--autoencoder={tmp_path / 'autoencoder'}",
        f"--out={tmp_path / 'out'}",
    ]
    monkeypatch.setattr(sys, "argv", ["probe_style", *folders, "--steps=20", "--batch=8"])
    probe_style.main()
    said = capsys.readouterr().out
    assert "withheld: style" in said and "decoded: style" in said
    after = Probe.from_pretrained(tmp_path / "out", torch_dtype=torch.float32)
    assert torch.equal(after.thing.weight, before.thing.weight.bfloat16().float())
    assert not torch.equal(after.style.layers[0].weight, before.style.layers[0].weight.bfloat16().float())


def test_statistics_tell_flat_from_shaded_wherever_the_thing_is():
    """A disc in one colour, and one whose colour runs from left to right, on any background."""
    side = torch.arange(128.0)
    far = ((side - 64)[:, None].square() + (side - 64).square()).sqrt() < 30
    shaded = torch.where(far, side / 64 - 1, 1.0).expand(3, 128, 128)
    flat = torch.where(far, -0.3, 1.0).expand(3, 128, 128)
    found = statistics(
        torch.stack([flat, shaded, flat.roll((8, -4), (1, 2)), torch.where(far, -0.3, 0.4).expand(3, -1, -1)])
    )
    assert found.shape == (4, COUNT) and found.isfinite().all()
    torch.testing.assert_close(found[0], found[2])
    assert (found[0] - found[1]).norm() > 2 * (found[0] - found[3]).norm()
