"""Files that people send with a request, as types of its fields. Each is looked at once, when the request is made.

A recipe names a file by its digest, and does not keep it.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer

from pipelines import pictures_in, sound_in
from pipelines.errors import BadRequest


def digest(data: bytes | None) -> str | None:
    """What a recipe says of a file; None where none was sent."""
    return None if data is None else f"sha256:{sha256(data).hexdigest()}"


def _digests(files: tuple[bytes, ...]) -> list[str | None]:
    return [digest(data) for data in files]


def _looked_at(check: Callable[[bytes], None]) -> Callable[[bytes | None], bytes | None]:
    """A validator that refuses what `check` raises BadRequest for, in its words; the field's name is pydantic's."""

    def validated(data: bytes | None) -> bytes | None:
        if data is not None:
            try:
                check(data)
            except BadRequest as error:
                raise ValueError(str(error).removeprefix("“file” ")) from None
        return data

    return validated


def _there(data: bytes | None) -> bytes | None:
    if data is None:
        raise ValueError("send a sound file")
    return data


def _pictures(files: tuple[bytes, ...]) -> tuple[bytes, ...]:
    for number, data in enumerate(files, 1):
        try:
            pictures_in.check(data, f"picture {number}")
        except BadRequest as error:
            raise ValueError(str(error)) from None
    return files


_picture = _looked_at(lambda data: pictures_in.check(data, "file"))
_sound = _looked_at(lambda data: sound_in.check(data, "file"))

Pictures = Annotated[tuple[bytes, ...], AfterValidator(_pictures), PlainSerializer(_digests)]
File = Annotated[bytes | None, PlainSerializer(digest)]
Picture = Annotated[File, AfterValidator(_picture)]
Sound = Annotated[File, AfterValidator(_sound)]
NeededSound = Annotated[File, AfterValidator(_there), AfterValidator(_sound)]
