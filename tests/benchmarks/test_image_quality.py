"""What the quality benchmark asks for and how it reports; with a model of random weights it runs from end to end."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks import image_quality
from benchmarks.card import BEGIN, END, Card
from benchmarks.image_drawing import Artist
from benchmarks.image_judges import background_word, hue_word
from benchmarks.image_prompts import SHEET, Asked, behind, painted, plain, real, several
from benchmarks.image_quality import Figure, Quality
from benchmarks.report import Watch
from pipelines.image_references import style_of
from training import probe


def test_the_sheet_has_64_different_prompts():
    assert len(SHEET) == len(set(SHEET)) == 64


def test_every_withheld_pair_is_asked_for_once_and_no_other(pictures):
    held, trained = plain(pictures, withheld=True), plain(pictures, withheld=False)
    assert sorted(one.row for one in held) == pictures.rows(withheld=True).tolist()
    assert all(not pictures.records[one.row]["withheld"] for one in trained)
    for one in (*held, *trained):
        record = pictures.records[one.row]
        assert record["label"] in one.prompt and style_of(one.prompt) == record["style"]


def test_no_thing_is_asked_for_in_the_colour_that_it_has(pictures):
    asked = painted(pictures)
    assert len({one.colour for one in asked}) > 1
    for one in asked:
        assert one.colour in one.prompt and not pictures.records[one.row]["withheld"]
        assert hue_word(one.truth) == one.colour != hue_word(real(pictures, [one.row])[0])


def test_backgrounds_are_true_of_their_pictures(pictures):
    asked = behind(pictures)
    assert all(background_word(one.truth) == one.colour for one in asked)
    assert all(f"{one.colour} background" in one.prompt for one in asked)


def test_lists_are_the_same_each_time(pictures):
    assert plain(pictures, withheld=False) == plain(pictures, withheld=False)


def test_one_prompts_seeds_follow_each_other():
    asked = several([Asked("a", 0), Asked("b", 0)], 3)
    assert [one.prompt for one in asked] == ["a"] * 3 + ["b"] * 3
    assert len({one.seed for one in asked[:3]}) == 3


def test_a_seed_gives_the_same_picture_again(emoji):
    artist = Artist(emoji, steps=1, guidance=1.5)
    one, again, other = artist.draw([Asked("a fox, 3d", 1), Asked("a fox, 3d", 1), Asked("a fox, 3d", 2)], "test")
    # But for a step of a byte: an artist takes the cores that are idle, and with fewer it sums in another order.
    assert (one - again).abs().max() < 1.5 / 127.5
    assert (one - other).abs().max() > 0.1
    assert one.shape == (3, 128, 128) and one.abs().max() <= 1


def test_a_perfect_artist_gets_full_marks(emoji, pictures):
    """One that draws the real picture: no further from what is real than real pictures are."""

    class Perfect(Artist):
        def draw(self, asked, what):
            if asked[0].truth is not None:
                return torch.stack([one.truth for one in asked])
            return real(pictures, [one.row for one in asked])

    quality = Quality(Perfect(emoji, 1, 1.5), None, pictures, None)
    found = {one.key: one for one in quality.figures(None)}
    assert found["thing_colour"].value == found["background_colour"].value == 1
    assert found["trained_near"].value == 1 and found["trained_distance"].value < 1e-3
    assert found["withheld_distance"].value == found["withheld_distance"].real > 0
    assert found["seeds_latents"].value < 1e-6  # it draws the same for every seed


def test_it_runs_from_end_to_end(emoji, pictures, tmp_path, capsys):
    card = tmp_path / "README.md"
    card.write_text(f"# Model\n\n{BEGIN.format('image_quality')}\nold\n{END}\n\nCredits\n")
    quality = Quality(Artist(emoji, 1, 1.5), probe.new_probe(pictures).eval(), pictures, 2)
    with torch.no_grad():
        figures = quality.figures(tmp_path)
    image_quality.report(figures, {"steps": 1}, Watch())
    Card(card).write(image_quality.HEAD, [one.cells() for one in figures], {"steps": 1})
    printed = capsys.readouterr().out
    document = json.loads(printed.splitlines()[-1])
    assert len(document["goals"]) == 5 and document["goals_met"] is False
    assert {path.name for path in tmp_path.glob("*.png")} == {"trained.png", "withheld.png", "prompts.png"}
    for one in figures:
        assert document[one.key] == one.value
        assert one.cells()[1] in card.read_text() and one.title in printed
    assert card.read_text().startswith("# Model\n") and card.read_text().endswith(f"{END}\n\nCredits\n")
    assert "old" not in card.read_text()


def test_a_card_without_a_place_for_figures_is_refused_at_once(tmp_path):
    card = tmp_path / "README.md"
    card.write_text("# Model\n")
    with pytest.raises(SystemExit, match="no place"):
        Card(card)


def test_figures_are_shown_as_they_are_meant():
    share = Figure("a", "A", 0.8512, 1.0, 0.85)
    assert share.cells() == ("A", "85.1 %", "100.0 %", "≥ 85.0 %")
    assert Figure("b", "B", 29.54, None, 28.0, "dB").cells() == ("B", "29.5 dB", "", "≥ 28 dB")


def test_less_than_two_pictures_are_refused(capsys):
    with pytest.raises(SystemExit):
        image_quality.arguments(["--pictures", "1"])
    assert "at least 2" in capsys.readouterr().err
