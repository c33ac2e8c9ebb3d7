"""What one press of Draw sets off: one request, a grid of requests with other settings, or two side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines import schedulers
from pipelines.errors import BadRequest
from pipelines.events import Recipe
from pipelines.image_request import ImageRequest
from pipelines.spec import validate

MOST_CELLS = 36
PICTURES = {"image": "the picture that it started from", "mask": "the mask", "reference": "the reference picture"}
NOTHING = "none"


@dataclass(frozen=True)
class Plan:
    """Requests in reading order, `columns` of them in a row, each with a label for each of its sides."""

    requests: tuple[ImageRequest, ...]
    columns: int = 1
    across: tuple[str, ...] = ()  # above the columns
    down: tuple[str, ...] = ()  # before the rows

    @property
    def single(self) -> bool:
        """Whether it is one request, which needs no labels."""
        return len(self.requests) == 1 and not self.across

    def label(self, cell: int) -> str:
        """What is particular about one cell."""
        row, column = divmod(cell, self.columns)
        return ", ".join(labels[at] for labels, at in ((self.down, row), (self.across, column)) if labels)


@dataclass(frozen=True)
class Axis:
    """A setting and the values that it takes along one side of a grid."""

    setting: str
    values: tuple[Any, ...]

    def labels(self) -> tuple[str, ...]:
        """What stands at each place."""
        title = SETTINGS[self.setting].title.lower()
        return tuple(str(value) if self.setting == "words" else f"{title} {value}" for value in self.values)

    def at(self, place: int, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with this setting as it is at one place."""
        value = self.values[place]
        if self.setting == "words":
            return {**options, "prompt": f"{options['prompt']}, {value}"}
        return {**options, self.setting: value}


def one(options: Mapping[str, Any]) -> Plan:
    """One request."""
    return Plan((_request(options),))


def compare(options: Mapping[str, Any], other: Mapping[str, Any], labels: tuple[str, str]) -> Plan:
    """Two requests that differ in `other`, side by side."""
    first = {**options, "count": 1}
    requests = (_request(first), _request({**first, **other}))
    if requests[0] == requests[1]:
        raise BadRequest("Both sides would be the same. Choose another model, or change a setting of the second.")
    return Plan(requests, columns=2, across=labels)


def sweep(options: Mapping[str, Any], across: Axis | None, down: Axis | None) -> Plan:
    """A grid: one axis from left to right, one from top to bottom."""
    axes = [axis for axis in (down, across) if axis is not None]
    if not axes:
        raise BadRequest("A sweep needs a setting and its values. Choose one to vary.")
    if len(axes) == 2 and axes[0].setting == axes[1].setting:
        raise BadRequest("Both sides of the grid vary the same setting. Choose two different ones, or one only.")
    rows, columns = (len(axis.values) if axis else 1 for axis in (down, across))
    if rows * columns > MOST_CELLS:
        raise BadRequest(
            f"{rows} x {columns} are {rows * columns} pictures; a sweep has at most {MOST_CELLS}. Take fewer values."
        )
    requests = []
    for row in range(rows):
        for column in range(columns):
            cell = {**options, "count": 1}
            for axis, place in ((down, row), (across, column)):
                cell = cell if axis is None else axis.at(place, cell)
            requests.append(_request(cell))
    above, before = (axis.labels() if axis else () for axis in (across, down))
    return Plan(tuple(requests), columns, above, before)


def again(recipe: Recipe) -> Recipe:
    """A recipe out of a file, which may say anything: its settings as a request takes them, without pictures.

    Raises BadRequest for what is no request.
    """
    known = {name: value for name, value in recipe.options.items() if name in ImageRequest.model_fields}
    options = {name: value for name, value in known.items() if name not in PICTURES}
    request = _request({**options, "model": recipe.model, "seed": recipe.seed})
    pictures = {name: known[name] for name in PICTURES if known.get(name)}
    return replace(recipe, seed=request.seed, options=request.model_dump(exclude=set(PICTURES)) | pictures)


def lacking(recipe: Recipe) -> str:
    """The pictures that a recipe names but does not hold, in words."""
    return " and ".join(title for name, title in PICTURES.items() if recipe.options.get(name))


def axis(setting: str, text: str) -> Axis | None:
    """An axis as a visitor types it: "5, 10, 20", "1-4", "Euler, DDIM"; None for the setting "none"."""
    if setting == NOTHING:
        return None
    if setting not in SETTINGS:
        raise BadRequest(f"A sweep cannot vary “{setting}”. Choose from: {', '.join(SETTINGS)}.")
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise BadRequest(
            f"“{SETTINGS[setting].title}” has no values. Write some, with commas: {SETTINGS[setting].hint}."
        )
    values = [value for word in words for value in SETTINGS[setting].read(word)]
    if len(values) > MOST_CELLS:
        raise BadRequest(f"{len(values)} values are too many; a sweep has at most {MOST_CELLS} pictures.")
    return Axis(setting, tuple(dict.fromkeys(values)))


def _request(options: Mapping[str, Any]) -> ImageRequest:
    return validate(ImageRequest, options)


# How each setting's values are written ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """A setting that a sweep can vary: its title, an example of its values, and how one of them is read."""

    title: str
    hint: str
    read: Callable[[str], Sequence[Any]]


def _whole(word: str) -> Sequence[int]:
    if not (found := re.fullmatch(r"(\d{1,16})(?:\s*[-–]\s*(\d{1,16}))?", word)):
        raise BadRequest(f"“{word}” is not a whole number, or two of them as in 1-4.")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 0 <= last - first < MOST_CELLS:
        raise BadRequest(f"“{word}” is not a range of at most {MOST_CELLS} numbers, the smaller first.")
    return range(first, last + 1)


def _number(word: str) -> Sequence[float]:
    try:
        value = float(word)
    except ValueError:
        raise BadRequest(f"“{word}” is not a number. Write it like 0.5.") from None
    return [int(value) if value.is_integer() else value]


def _scheduler(word: str) -> Sequence[str]:
    for name in schedulers.NAMES:
        if name.casefold() == word.casefold():
            return [name]
    raise BadRequest(f"There is no scheduler “{word}”. Choose from: {', '.join(schedulers.NAMES)}.")


SETTINGS: dict[str, Setting] = {
    "steps": Setting("Steps", "5, 10, 20, 40", _whole),
    "guidance": Setting("Guidance", "1, 1.5, 3, 6", _number),
    "seed": Setting("Seed", "1-4", _whole),
    "scheduler": Setting("Scheduler", "Euler, UniPC, Heun", _scheduler),
    "strength": Setting("Strength", "0.3, 0.5, 0.7, 0.9", _number),
    "upscale": Setting("Enlarge", "1, 4", _whole),
    "words": Setting("Added words", "3d, flat, painted", lambda word: [word]),
}
