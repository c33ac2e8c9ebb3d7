"""The picture set: one thing in up to five styles, 128 px RGBA, with names and tags.

    python -m training.emoji_data [--out FOLDER]

Four styles and the names come from npm packages, taken with `npm pack` at fixed versions and checked against the
digests below; the fifth is drawn from Debian's colour emoji font. It writes two files:

    pictures.safetensors   pictures: uint8 (n, 128, 128, 4), straight alpha, the thing inside a margin of 4 px
    pictures.json          {"pictures": [{hexcode, style, label, tags, group, withheld}, ...], "credits": [...]}

Flags and skin tones are left out. One (thing, style) pair in twenty is marked `withheld`: no training may see it,
because drawing it is the test of whether things and styles combine.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from safetensors.numpy import save_file

SIZE, MARGIN = 128, 4
FOLDER = Path("~/.cache/polymuse/training").expanduser()
FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
LEFT_OUT_GROUPS = (None, 2, 9)  # regional letters, components (skin tones, hair), flags


@dataclass(frozen=True)
class Package:
    """An npm package at a fixed version, with what must be said about it."""

    name: str
    version: str
    sha512: str  # as npm states it: base64
    licence: str
    credit: str

    def fetch(self, cache: Path) -> Path:
        """The package's tarball, from `cache` or by `npm pack`; refused if it is not byte for byte the one we know."""
        cache.mkdir(parents=True, exist_ok=True)
        tarball = cache / f"{self.name.lstrip('@').replace('/', '-')}-{self.version}.tgz"
        if not tarball.exists():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                command = ["npm", "pack", f"{self.name}@{self.version}", "--silent", "--pack-destination", folder]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                (packed,) = Path(folder).iterdir()
                packed.replace(tarball)
        digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        if digest != self.sha512:
            raise SystemExit(f"{tarball} is not {self.name} {self.version} as published: delete it and run again.")
        return tarball


NAMES = Package(
    "emojibase-data",
    "17.0.0",
    "Yvgb5AWoHViHV/gq1qr5ZAarcBip+B27/ZLRsUJkbgAEaLlZ/fof9g882LTpmEpyhBNEC0m2SEmItljHsTygjA==",
    "MIT",
    "names and tags: Emojibase by Miles Johnson",
)
STYLES = {
    "3d": Package(
        "@lobehub/fluent-emoji-3d",
        "1.1.0",
        "Wlq2lVStTnr8BDpIJ0pEnTKO4LuDxxqTEhTvRtD1DLRF0me7ogeRQjKoehDHXuVJ2Qaecgl5wRBv60lUAG3h7g==",
        "MIT",
        "3d: Fluent Emoji, (c) Microsoft Corporation, packaged by LobeHub",
    ),
    "glossy": Package(
        "@lobehub/fluent-emoji-modern",
        "1.0.0",
        "YdZEgLC/vh29uDEl440q3W2vN50FdUFarQoKUHH9Clzx61/wW6mImLJywVBMKQPa3+GL59j3NvOlTLhH4rxleA==",
        "MIT",
        "glossy: Fluent Emoji, (c) Microsoft Corporation, packaged by LobeHub",
    ),
    "flat": Package(
        "@lobehub/fluent-emoji-flat",
        "1.1.0",
        "lPYCg8+N56MIj+iOgeBeH6AF0tneXxJCvgi41rOTjAWpA5rU2WUcmU1fiIXouEe8GrSTarWCYLY2ML+rdLRHsg==",
        "MIT",
        "flat: Fluent Emoji, (c) Microsoft Corporation, packaged by LobeHub",
    ),
    "cartoon": Package(
        "@twemoji/svg",
        "15.0.0",
        "ZSPef2B6nBaYnfgdTbAy4jgW95o7pi2xPGwGCU+WMTxo7J6B1lMPTWwSq/wTuiMq+N0khQ90CcvYp1wFoQpo/w==",
        "CC-BY 4.0",
        "cartoon: Twemoji, (c) Twitter, Inc and other contributors; rasterised and recoloured here",
    ),
    "painted": None,
}
EXPECTED = {"3d": 1599, "glossy": 1558, "flat": 1558, "cartoon": 1601, "painted": 1629}  # pictures of each style


def withheld(hexcode: str, style: str) -> bool:
    """Whether this (thing, style) pair is kept out of all training: a fixed 5 %, known from its name alone."""
    return hashlib.sha256(f"{hexcode.lower()}:{style}".encode()).digest()[0] < 13


def key(hexcode: str) -> str:
    """How the packages' different file names for one emoji are made equal."""
    return "-".join(part for part in re.split("[-_]", hexcode.lower()) if part != "fe0f").lstrip("0")


def fit(picture: Image.Image) -> np.ndarray | None:
    """The picture cropped to what is visible and centred inside the margin; None if nothing is visible."""
    picture = picture.convert("RGBA")
    if (box := picture.getbbox()) is None:
        return None
    room = SIZE - 2 * MARGIN
    width, height = box[2] - box[0], box[3] - box[1]
    scale = room / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Premultiplied while resizing, or the colour under transparent pixels bleeds into the edges.
    small = picture.crop(box).convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    canvas = Image.new("RGBA", (SIZE, SIZE))
    canvas.paste(small, ((SIZE - size[0]) // 2, (SIZE - size[1]) // 2))
    return np.asarray(canvas)


def from_file(data: bytes, suffix: str) -> np.ndarray | None:
    if suffix == ".svg":
        import resvg_py  # only this recipe needs it: pip install resvg-py

        side = 2 * SIZE  # larger than needed: the drawing is cropped to what is visible, then reduced
        data = bytes(resvg_py.svg_to_bytes(svg_string=data.decode(), width=side, height=side, skip_system_fonts=True))
    return fit(Image.open(io.BytesIO(data)))


def from_font(emoji: str) -> np.ndarray | None:
    font = ImageFont.truetype(FONT, 109)  # the one size this bitmap font has
    canvas = Image.new("RGBA", (200, 160))
    ImageDraw.Draw(canvas).text((10, 10), emoji, font=font, embedded_color=True)
    box = canvas.getbbox()
    if box is None or box[2] - box[0] > 145:  # wider than one glyph: the font lacks this sequence and drew its parts
        return None
    return fit(canvas)


def render(job: tuple[str, bytes, str]) -> np.ndarray | None:
    emoji, data, suffix = job
    return from_file(data, suffix) if suffix else from_font(emoji)


def files(tarball: Path) -> dict[str, tuple[bytes, str]]:
    """Every picture in a package by its emoji's key; read from the tarball, nothing is unpacked."""
    found = {}
    with tarfile.open(tarball) as archive:
        for member in archive:
            path = Path(member.name)
            if path.suffix in (".svg", ".webp") and (data := archive.extractfile(member)):
                found[key(path.stem)] = data.read(), path.suffix
    return found


def names(tarball: Path) -> list[dict[str, Any]]:
    with tarfile.open(tarball) as archive:
        entries = json.load(archive.extractfile("package/en/data.json"))  # type: ignore[arg-type]
    return [entry for entry in entries if entry.get("group") not in LEFT_OUT_GROUPS]


def jobs(cache: Path) -> Iterator[tuple[dict[str, Any], tuple[str, bytes, str]]]:
    """What is to be drawn: a record for pictures.json, and the bytes to draw it from."""
    things = names(NAMES.fetch(cache))
    for style, package in STYLES.items():
        available = files(package.fetch(cache)) if package else None
        for thing in things:
            data, suffix = (b"", "") if available is None else available.get(key(thing["hexcode"]), (b"", "missing"))
            if suffix != "missing":
                record = {name: thing.get(name, []) for name in ("hexcode", "label", "tags", "group")}
                record |= {"style": style, "withheld": withheld(thing["hexcode"], style)}
                yield record, (thing["emoji"], data, suffix)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the two files go (default: %(default)s)")
    out = parser.parse_args().out
    if not FONT.exists():
        raise SystemExit(f"{FONT} is missing: apt-get install fonts-noto-color-emoji")
    records, work = zip(*jobs(out / "packages"), strict=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        drawn = list(pool.map(render, work, chunksize=32))
    kept = [(record, picture) for record, picture in zip(records, drawn, strict=True) if picture is not None]
    counts = Counter(record["style"] for record, _ in kept)
    if counts != EXPECTED:
        raise SystemExit(f"Expected {EXPECTED} pictures but drew {dict(counts)}: has the font changed?")
    digest = hashlib.sha256(FONT.read_bytes()).hexdigest()
    credits = [asdict(package) for package in (NAMES, *STYLES.values()) if package]
    credits.append(
        {"name": FONT.name, "sha256": digest, "licence": "OFL 1.1", "credit": "painted: Noto Color Emoji, (c) Google"}
    )
    save_file({"pictures": np.stack([picture for _, picture in kept])}, out / "pictures.safetensors")
    text = json.dumps({"pictures": [record for record, _ in kept], "credits": credits}, indent=1, ensure_ascii=False)
    (out / "pictures.json").write_text(text)
    held = sum(record["withheld"] for record, _ in kept)
    print(f"{len(kept)} pictures ({held} withheld) of {len({r['hexcode'] for r, _ in kept})} things in {out}")


if __name__ == "__main__":
    main()
