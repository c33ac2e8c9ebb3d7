"""The image benchmark's arithmetic, and that its three ways do the same work. Nothing here times anything."""

from __future__ import annotations

import json

import pytest

from benchmarks import image
from benchmarks.image import WAYS, WORK, Here
from benchmarks.report import Watch


@pytest.fixture
def here(emoji, tmp_path):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "EmojiPipeline"}))
    return Here(emoji, tmp_path, "a fox, 3d", 2)


def test_the_three_ways_give_the_same_picture(here):
    assert set(here.turn(0)) == {*WAYS, *(way + WORK for way in WAYS)}


def test_who_goes_first_changes(here):
    assert {next(iter(here.turn(seed))) for seed in range(3)} == set(WAYS)


def test_pictures_that_differ_are_not_compared(here, monkeypatch):
    plain = here._plain
    monkeypatch.setattr(here, "_plain", lambda seed: plain(seed + 1))
    with pytest.raises(RuntimeError, match="cannot be compared"):
        here.turn(0)


def measured(slowness=1.0):
    """A round on a machine as slow as this, where previews cost one part in a hundred."""
    found = {"picture": 1.2, "larger": 0.9, "first": 0.2}
    found |= {way + kind: 1.01 if way == "previews" else 1.0 for way in WAYS for kind in ("", WORK)}
    return {name: value * slowness for name, value in found.items()}


def test_ratios_are_taken_round_by_round(capsys):
    rounds = [measured(slowness) for slowness in (1, 2, 1)]
    image.report(rounds, [{"ours": 0.5, "ncnn": 1.0}], 20, Watch())
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["plain_ratio"] == {"median": 1.01, "low": 1.01, "high": 1.01}
    assert document["step_s"]["median"] == pytest.approx(1.01 / 20, rel=1e-3)
    assert [goal["met"] for goal in document["goals"]] == [True] * 5 + [False]  # twice ncnn's speed is not three times


def test_without_ncnn_its_goal_is_left_out(capsys):
    image.report([measured()], [{"ours": 0.5, "step": 0.1}], 20, Watch())
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(document["goals"]) == 5
