"""The probe learns kinds by form and colours by surface, and what is written is found again."""

from __future__ import annotations

import sys
from random import Random

import numpy as np

from training import shape_probe
from training.shape_data import KINDS, sample
from training.shape_grid import grid, save
from training.shape_paints import COLOURS, MATERIALS, colour_of, mixed
from training.shape_probe import REGIONS, WORDS, Judge, features, named


def test_it_sees_where_the_thing_is_and_which_colours_its_surface_has():
    axis = np.arange(48) - 23.5
    distance = np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None] ** 2) - 10
    colour = np.zeros((48, 48, 48, 3), np.uint8)
    colour[:, 24:] = (255, 0, 0)
    seen = features(distance, colour)
    cells, shares = seen[: 12**3].reshape(12, 12, 12), seen[12**3 :].reshape(-1, len(WORDS)) ** 2
    assert cells[6, 6, 6] == 1
    assert cells[0].max() == 0
    whole, regions = shares[0], shares[1:].reshape(REGIONS, REGIONS, REGIONS, -1)
    black, red = WORDS.index("black"), WORDS.index("red")
    assert abs(whole[black] + whole[red] - 1) < 1e-5 and abs(whole[black] - 0.5) < 0.05
    assert np.allclose(regions.sum((0, 1, 2)), whole, atol=1e-5)
    assert regions[:, 0, :, red].max() == 0 < regions[:, 2, :, red].max(), "the red half is the upper one"


def test_every_paint_has_its_word_and_so_has_what_lies_near_it():
    rng = Random(0)
    for paint in (*COLOURS, *MATERIALS):
        shades = np.array([mixed(paint, rng) for _ in range(20)], np.uint8)
        near = np.clip(shades.astype(int) + 4, 0, 255).astype(np.uint8)
        assert {WORDS[number] for number in [*named(shades), *named(near)]} == {colour_of(paint)}


def test_everything_from_shapes_to_a_judge(tmp_path, monkeypatch, capsys):
    seeds = range(40)
    shapes = [grid(sample(seed)[0]) for seed in seeds]
    save(tmp_path / "shapes.npz", seeds, shapes)
    argv = ["shape_probe", f"--shapes={tmp_path / 'shapes.npz'}", f"--out={tmp_path / 'probe'}", "--steps=60"]
    monkeypatch.setattr(sys, "argv", [*argv, "--withheld=4", "--batch=16"])
    shape_probe.main()
    assert "of 10 real shapes" in capsys.readouterr().out
    judge = Judge.load(tmp_path / "probe")
    assert set(judge.accuracy) == {"kind", "colour"}
    said = [judge.says(one.distance, one.colour) for one in shapes[:30]]
    facts = [sample(seed)[1] for seed in range(30)]
    assert all(kind in KINDS and colour in COLOURS for kind, colour in said)
    assert sum(kind == about.kind for (kind, _), about in zip(said, facts, strict=True)) >= 25
    assert sum(colour == about.colour for (_, colour), about in zip(said, facts, strict=True)) >= 25
