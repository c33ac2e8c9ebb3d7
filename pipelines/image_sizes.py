"""The sizes of pictures that a model can make."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.errors import BadRequest


@dataclass(frozen=True)
class Sizes:
    """Both sides are multiples of `multiple` pixels; width times height is at most `most`."""

    multiple: int
    most: int
    shortest: int = 4  # in multiples: below that, convolutions and attention have nothing to look at

    @property
    def smallest(self) -> int:
        """Pixels of the shortest side."""
        return self.shortest * self.multiple

    def check(self, width: int, height: int) -> None:
        """Raise BadRequest, with the nearest sizes, when this is not a size that the model can do."""
        if self._allowed(width, height):
            return
        nearest = " or ".join(f"{w} x {h}" for w, h in self.nearest(width, height))
        raise BadRequest(
            f"This model cannot make a picture of {width} x {height} pixels: its sides are multiples of "
            f"{self.multiple}, from {self.smallest} on, and it has at most {self.most:,} pixels in all. "
            f"Nearest: {nearest}."
        )

    def nearest(self, width: int, height: int) -> list[tuple[int, int]]:
        """One or two sizes close to this one, the smaller first."""
        shrink = min(1.0, (self.most / (width * height)) ** 0.5)
        width, height = int(width * shrink), int(height * shrink)
        down = self._floor(width), self._floor(height)
        while not self._allowed(*down):  # one long thin side
            down = (down[0] - self.multiple, down[1]) if down[0] > down[1] else (down[0], down[1] - self.multiple)
        up = self._floor(width + self.multiple - 1), self._floor(height + self.multiple - 1)
        return [down, up] if up != down and self._allowed(*up) else [down]

    def like(self, width: int, height: int, area: int) -> tuple[int, int]:
        """The size that has about this shape and `area` pixels."""
        scale = (min(area, self.most) / (width * height)) ** 0.5
        return self.nearest(max(1, round(width * scale)), max(1, round(height * scale)))[0]

    def _floor(self, side: int) -> int:
        return max(self.smallest, side // self.multiple * self.multiple)

    def _allowed(self, width: int, height: int) -> bool:
        sides = (width, height)
        return (
            all(side >= self.smallest and side % self.multiple == 0 for side in sides) and width * height <= self.most
        )
