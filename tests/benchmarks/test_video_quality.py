"""What the video model is asked for was withheld from it; what stands in for drawings is the very picture."""

import numpy as np
import pytest
import torch

from benchmarks import video, video_quality
from benchmarks.video_quality import FromSet, prompts, still
from pipelines.image_request import ImageRequest
from pipelines.video_motions import PASSING
from pipelines.video_things import SIDE
from pipelines.video_words import understood
from training.emoji_data import MARGIN
from training.motion import MOTIONS, withheld_motion
from training.motion_captions import MotionCaptions


def nothing(texts):
    raise AssertionError(f"no motion should have to be guessed: {texts}")


def test_every_prompt_is_of_a_withheld_pair_and_is_understood(pictures, monkeypatch):
    monkeypatch.setattr(video_quality, "withheld_motion", lambda hexcode, motion: True)
    captions = MotionCaptions(pictures)
    for motion in MOTIONS:
        asked = prompts(captions, motion, 2)
        assert len(asked) == 2
        for prompt, rows in asked:
            assert len(rows) == (2 if motion == PASSING else 1)
            found = understood(prompt, "", "", nothing)
            assert found.motion == motion and len(found.seen) == len(rows), prompt
    monkeypatch.undo()
    for motion in MOTIONS:
        for _, rows in prompts(captions, motion, 2):
            assert all(withheld_motion(pictures.records[row]["hexcode"], motion) for row in rows)


def test_pictures_of_the_set_are_given_as_they_are(pictures):
    drawn = FromSet(pictures)
    drawn.rows = [3]
    given = drawn.run(ImageRequest(prompt="a fox", seed=7), lambda update: None)
    assert np.array_equal(np.asarray(given.pictures[0].image), np.asarray(still(pictures, 3)))


@pytest.mark.parametrize("module", [video, video_quality])
def test_the_defaults_are_those_of_the_page(module):
    options = module.arguments([])
    assert options.model.name == "motion"


def test_what_is_judged_fills_the_frame_wherever_it_was():
    frame = torch.ones(3, SIDE, SIDE)
    frame[0, 20:40, 90:110] = -1  # 20 x 20
    shown = video_quality.filling(frame)
    seen = (shown[0] < 0).nonzero()
    assert (seen.amin(0) - MARGIN).abs().max() <= 2 and (seen.amax(0) - (SIDE - MARGIN - 1)).abs().max() <= 2
    edge = torch.ones(3, SIDE, SIDE)
    edge[1, :10, :30] = -1  # at the rim, and not square
    assert ((video_quality.filling(edge)[1] < 0).nonzero().amax(0) - SIDE // 2).abs().max() > 40
    assert torch.equal(video_quality.filling(torch.ones(3, SIDE, SIDE)), torch.ones(3, SIDE, SIDE)), "nothing is seen"


def test_what_spins_is_judged_the_way_up_that_it_began():
    first = torch.ones(3, SIDE, SIDE)
    first[:, 34:94, 54:66] = -1  # an L
    first[:, 82:94, 54:94] = -1
    frames = torch.stack([first.rot90(-quarters, (1, 2)) for quarters in (0, 0, 1, 2)])  # clockwise
    for number in (2, 3):
        turned, back = frames[number], video_quality.turned_back(frames, number)
        assert (first - back).abs().mean() < 0.2 * (first - turned).abs().mean()
