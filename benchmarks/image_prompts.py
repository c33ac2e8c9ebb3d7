"""What the image model is asked for when its pictures are judged: lists made from the picture set, and a fixed one.

Every list is the same each time, and so is every part of it: the first N of a list are a sample, because the lists are
shuffled with a fixed seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from random import Random

import torch
from torch import Tensor

from benchmarks.image_judges import nearest_hue
from pipelines.image_grounds import COLOURS
from training.captions import HUES, Captions, article, turned
from training.pictures import PictureSet, on

BACKGROUNDS = {word: colour for word, colour in COLOURS.items() if word != "white"}
TRAINED, PAINTED, BEHIND, SEVERAL = 300, 70, 72, 10

SHEET = (
    *("a fox, 3d", "a fox, glossy", "a fox, flat", "a fox, cartoon", "a fox, painted"),
    *("a slice of pizza, 3d", "popcorn, glossy", "a guitar, flat", "a castle, painted", "a rocket, cartoon"),
    *("an octopus, 3d", "a robot, glossy", "a house with garden, flat", "an owl, painted", "a unicorn, cartoon"),
    *("a birthday cake, 3d", "a bicycle, flat", "a volcano, painted", "a cactus, glossy", "a trophy, cartoon"),
    *("a grinning face, 3d", "a crying cat, cartoon", "an astronaut, 3d", "a mermaid, painted", "a red heart, glossy"),
    *("a blue apple, glossy", "a green cat, cartoon", "a purple dragon, 3d", "a pink elephant, flat"),
    *("a red banana, painted", "an orange whale, 3d", "a yellow car, glossy", "a blue strawberry, 3d"),
    *("a robot on a teal background, 3d", "a cup of coffee on a brown background, flat", "a moon on navy, painted"),
    *(
        "a sunflower on a blue background, glossy",
        "a ghost on a black background, 3d",
        "a pear, pink background, flat",
    ),
    *("a fox next to an apple, 3d", "an owl beside a cactus, glossy", "a dog and a cat, cartoon"),
    *("a rocket above a pizza, flat", "a bee on top of a tulip, painted", "a key below a lock, glossy"),
    *("a snail to the left of a mushroom, 3d", "a crab to the right of a palm tree, cartoon"),
    *("two strawberries, painted", "three red apples, cartoon", "two owls on a yellow background, 3d"),
    *("three balloons, glossy", "two robots, flat", "a small fish, 3d", "a tiny octopus on a pink background, 3d"),
    *("a purple dragon on a yellow background, glossy", "two blue cars on a grey background, flat"),
    *(
        "a fox wearing glasses, 3d",
        "a sleepy moon, painted",
        "a golden trophy, flat design",
        "a wizard's hat, cartoon",
    ),
    *("a puppy", "breakfast, 3d", "happiness, glossy", "a storm at sea, painted"),
)


@dataclass(frozen=True)
class Asked:
    """A prompt, the noise it starts from, and what its picture ought to be."""

    prompt: str
    seed: int
    row: int = -1  # the picture of the set that it names
    colour: str = ""  # the colour word in it
    truth: Tensor | None = None  # a real picture that the prompt is true of: RGB in -1..1, (3, 128, 128)


def real(pictures: PictureSet, rows: list[int]) -> Tensor:
    """Pictures of the set on white: RGB in -1..1, (n, 3, 128, 128)."""
    return on(pictures.layers(torch.tensor(rows)), torch.ones(len(rows), 3))


def plain(pictures: PictureSet, *, withheld: bool) -> list[Asked]:
    """ "a fox, 3d": one prompt for each withheld picture, or for as many others."""
    rows = shuffled(pictures.rows(withheld=withheld).tolist())
    records = pictures.records
    chosen = rows if withheld else rows[:TRAINED]
    return [
        Asked(f"{article(records[row]['label'])}, {records[row]['style']}", seed, row)
        for seed, row in enumerate(chosen)
    ]


def painted(pictures: PictureSet) -> list[Asked]:
    """ "a blue apple, 3d": things that have one colour, asked for in each of the others in turn."""
    captions = Captions(pictures)
    found: list[Asked] = []
    words = cycle(HUES)
    word = next(words)
    for row in shuffled(captions.rows):
        if len(found) == PAINTED:
            break
        own = captions.hue(row) if captions.paintable(row) else None
        if own is None or nearest_hue(own) == word:
            continue
        record = pictures.records[row]
        repainted = turned(pictures.layers(torch.tensor([row]))[0], HUES[word] - own)
        truth = on(repainted[None], torch.ones(1, 3))[0]
        prompt = f"{article(word + ' ' + record['label'])}, {record['style']}"
        found.append(Asked(prompt, len(found), row, word, truth))
        word = next(words)
    return found


def behind(pictures: PictureSet) -> list[Asked]:
    """ "a fox on a blue background, 3d": each colour in turn."""
    found = []
    rows = shuffled(pictures.rows(withheld=False).tolist())[-BEHIND:]  # others than `plain` asks for
    for seed, (row, (word, colour)) in enumerate(zip(rows, cycle(BACKGROUNDS.items()), strict=False)):
        record = pictures.records[row]
        prompt = f"{article(record['label'])} on {article(word)} background, {record['style']}"
        truth = on(pictures.layers(torch.tensor([row])), torch.tensor([colour]) / 255)[0]
        found.append(Asked(prompt, seed, row, word, truth))
    return found


def several(asked: list[Asked], seeds: int) -> list[Asked]:
    """Each of the first prompts with this many seeds, one prompt's after another's."""
    return [Asked(one.prompt, 1000 + seed, one.row) for one in asked[:SEVERAL] for seed in range(seeds)]


def shuffled(rows: list[int]) -> list[int]:
    return Random(0).sample(rows, len(rows))
