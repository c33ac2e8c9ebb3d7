"""Prompts are taken apart: what is seen, how it moves, how fast; unknown motions become the nearest."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pipelines.video_motions import ALIVE, PASSING, PHRASES, SPEED_WORDS, TOGETHER, gerund
from pipelines.video_words import KNOWN, caption, understood


def embed(texts: list[str]) -> Tensor:
    """Texts with the same letters lie close."""
    rows = torch.zeros(len(texts), 26)
    for row, text in zip(rows, texts, strict=True):
        for letter in text.lower():
            if letter.isascii() and letter.isalpha():
                row[ord(letter) - 97] += 1
    return torch.nn.functional.normalize(rows, dim=1)


@pytest.mark.parametrize("motion", PHRASES)
def test_every_phrase_of_training_is_understood_however_it_is_put(motion: str) -> None:
    for phrase in PHRASES[motion]:
        for each in (phrase.format(way="to the left"), gerund(phrase).format(way="upwards")):
            for speed, words in SPEED_WORDS.items():
                for word in words:
                    found = understood(f"a fox {word.format(each)}, 3d", "", "", embed)
                    assert (found.motion, found.speed) == (motion, speed), each
                    assert found.seen == ("a fox, 3d",) and not found.remarks


def test_every_motion_has_words() -> None:
    assert set(KNOWN) == {*PHRASES, PASSING, ALIVE}


@pytest.mark.parametrize("phrase", TOGETHER)
def test_two_things_are_drawn_each_alone_in_the_same_style(phrase: str) -> None:
    found = understood(f"a fox and a red apple {phrase} on a blue background, flat", "", "", embed)
    assert found.motion == PASSING
    assert found.seen == ("a fox on a blue background, flat", "a red apple on a blue background, flat")
    before = understood(f"a flat icon of a fox and a cat, {phrase} slowly", "", "", embed)
    assert before.seen == ("a flat icon of a fox", "a flat icon of a cat") and before.speed == "slowly"


def test_a_thing_without_a_motion_moves_by_itself() -> None:
    found = understood("a smiling face, 3d", "", "", embed, ("smiling face",))
    assert found.motion == ALIVE and found.seen == ("a smiling face, 3d",)


@pytest.mark.parametrize("name", ["glasses", "a pair of scissors", "a ring", "fishing pole", "a bus on red, flat"])
def test_things_whose_names_look_like_verbs_are_no_motions(name: str) -> None:
    assert understood(name, "", "", embed, ("glasses", "scissors", "ring", "fishing pole", "bus")).motion == ALIVE


def test_an_unknown_motion_becomes_the_nearest_and_it_is_said() -> None:
    found = understood("a fox explodes, 3d", "", "", embed, ("fox",))
    assert found.motion in {*PHRASES, PASSING} and found.seen[0].startswith("a fox")
    assert "explodes" not in found.seen[0]
    (remark,) = found.remarks
    assert "explodes" in remark and found.motion in remark and "bounces" in remark


def test_the_request_s_own_words_come_before_the_prompt_s() -> None:
    found = understood("a fox bounces slowly", "spins clockwise", "quickly", embed)
    assert (found.motion, found.speed) == ("spins clockwise", "quickly") and found.seen == ("a fox",)


def test_a_motion_of_one_s_own_words_is_understood_too() -> None:
    found = understood("a fox", "goes to the left quickly", "", embed)
    assert (found.motion, found.speed, found.remarks) == ("slides left", "quickly", ())
    other = understood("a fox", "zzz", "", embed)
    assert other.motion in PHRASES and "zzz" in other.remarks[0]


def test_captions_read_as_in_training() -> None:
    assert caption("a fox", "bounces", "quickly") == "a fox, quickly bouncing"
    assert caption("a fox", ALIVE, "") == "a fox, animated"


@pytest.mark.parametrize("prompt", ["A Fox EXPLODES, 3d", "a fox explodes, 3d"])
def test_an_unknown_motion_is_left_out_of_what_is_drawn_however_it_is_written(prompt: str) -> None:
    assert understood(prompt, "", "", embed, ("fox",)).seen[0].lower() == "a fox, 3d"
