"""Captions as files: SRT, which players and editors read, and WebVTT, which pages read."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pipelines.events import Caption


def srt(captions: Sequence[Caption]) -> str:
    """SubRip: a number, the times with commas, the words."""
    blocks = [
        f"{number}\n{_time(one.start, ',')} --> {_time(one.end, ',')}\n{_named(one)}\n"
        for number, one in enumerate(captions, 1)
    ]
    return "\n".join(blocks)


def vtt(captions: Sequence[Caption]) -> str:
    """WebVTT, with each speaker as a voice."""
    blocks = [
        f"{_time(one.start, '.')} --> {_time(one.end, '.')}\n"
        + (f"<v {escape(one.speaker)}>" if one.speaker else "")
        + f"{escape(one.text, quote=False)}\n"
        for one in captions
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _time(seconds: float, mark: str) -> str:
    """_time(75.5, ",") == "00:01:15,500"."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"


def _named(caption: Caption) -> str:
    return f"{caption.speaker}: {caption.text}" if caption.speaker else caption.text
