"""Every error that a person may read, in one tree. Each message says what happened and what to do about it.

PolymuseError
    BadRequest          the request does not make sense as sent
        UnknownModel    no such model in the registry
    CatalogError        the catalog file, or two entries of the catalog, contradict themselves
    WeightsError        the weights cannot be had
        DownloadFailed  the network, the index or the hub said no, or went away
        BadWeights      what came is not what was declared: wrong hash, cut off, or an unsafe format
        DiskFull        there is no room for them
    DoesNotFit          the model needs more memory than there is
    Busy                too much is waiting already
    MissingCodec        this machine lacks what a kind of file is written with
    DeadlineExceeded    a run went silent for longer than it may
    EngineClosed        the server is stopping
    RunFailed           anything a pipeline raised that is not in this tree; the log has the traceback

Programmer errors are not in here: they stay loud (TypeError, AssertionError and the like).
"""

from __future__ import annotations

__all__ = [
    "BadRequest",
    "BadWeights",
    "Busy",
    "CatalogError",
    "DeadlineExceeded",
    "DiskFull",
    "DoesNotFit",
    "DownloadFailed",
    "EngineClosed",
    "MissingCodec",
    "PolymuseError",
    "RunFailed",
    "UnknownModel",
    "WeightsError",
    "format_bytes",
]


class PolymuseError(Exception):
    """Something a person can act on. str(error) is shown to them as it is."""


class BadRequest(PolymuseError):
    """The request is refused; the message names the field and its limits."""


class UnknownModel(BadRequest):
    """The model id is not in the registry; the message lists the ids that are."""


class CatalogError(PolymuseError):
    """A catalog entry is wrong; the message names the entry and the key."""


class WeightsError(PolymuseError):
    """Weights cannot be had; nothing half-usable was left behind."""


class DownloadFailed(WeightsError):
    """The network, the package index or the hub did not deliver; trying again resumes."""


class BadWeights(WeightsError):
    """What arrived is not what was declared, or is of a format that can run code."""


class DiskFull(WeightsError):
    """There is not enough free disk; the message says how much is needed and where."""


class DoesNotFit(PolymuseError):
    """The model cannot fit; the message says what it needs, what there is and who holds it."""


class Busy(PolymuseError):
    """Too many jobs wait already; the message says how many and whose."""


class MissingCodec(PolymuseError):
    """A kind of file cannot be written on this machine; the message says what to install."""


class DeadlineExceeded(PolymuseError):
    """A run gave no sign of life for longer than it may."""


class EngineClosed(PolymuseError):
    """The server is stopping and takes no more jobs."""


class RunFailed(PolymuseError):
    """A pipeline raised something unexpected. The cause is logged, never shown to a stranger."""


def format_bytes(count: int) -> str:
    """A byte count as a person reads it: format_bytes(1536) == '1.5 KiB'."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1000:  # not 1024: nobody reads “1023.1 MiB” as a GiB
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
