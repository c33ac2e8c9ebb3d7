"""A sweep or a comparison as one picture: the grid with its labels, to be saved and shown elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ui.image_plan import Plan

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

CELL = 256  # pixels of a cell's side
LARGE_CELL = 512  # where there are few
GAP = 12
INK, MUTED, PAPER, WELL = "#15211d", "#4f5f59", "#ffffff", "#edf0ed"


def draw_sheet(plan: Plan, pictures: Sequence[Path | None]) -> Image:
    """The pictures of a plan's cells in their grid, under the prompt; a cell without one stays grey."""
    from PIL import Image as images
    from PIL import ImageDraw, ImageFont, ImageOps

    side = LARGE_CELL if len(pictures) <= 4 else CELL
    font = ImageFont.load_default(size=18)
    assert isinstance(font, ImageFont.FreeTypeFont)
    rows = -(-len(pictures) // plan.columns)
    margin = max((round(font.getlength(label)) + GAP for label in plan.down), default=0)
    margin = min(margin, side)
    top = 2 * GAP + 24 + (28 if plan.across else 0)
    width = GAP + margin + plan.columns * (side + GAP)
    sheet = images.new("RGB", (width, top + rows * (side + GAP)), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), _cut(plan.requests[0].prompt, font, width - 2 * GAP), INK, font)
    for cell, path in enumerate(pictures):
        row, column = divmod(cell, plan.columns)
        left, upper = GAP + margin + column * (side + GAP), top + row * (side + GAP)
        pen.rectangle((left, upper, left + side - 1, upper + side - 1), WELL)
        if path is not None:
            with images.open(path) as picture:
                fitted = ImageOps.contain(picture.convert("RGB"), (side, side))
            sheet.paste(fitted, (left + (side - fitted.width) // 2, upper + (side - fitted.height) // 2))
    _label(pen, font, plan, side, margin, top)
    return sheet


def _label(pen: ImageDraw, font: FreeTypeFont, plan: Plan, side: int, margin: int, top: int) -> None:
    for column, label in enumerate(plan.across):
        pen.text((GAP + margin + column * (side + GAP), top - 28), _cut(label, font, side), MUTED, font)
    for row, label in enumerate(plan.down):
        pen.text((GAP, top + row * (side + GAP) + side // 2 - 10), _cut(label, font, margin), MUTED, font)


def _cut(text: str, font: FreeTypeFont, width: int) -> str:
    """As much of a text, in one line, as there is room for."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[: -max(1, len(text) // 20)]
    return f"{text}…"
