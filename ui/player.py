"""Sound that plays in the page while the rest is being made: what the player is told, and where its files lie.

The player (assets/player.js) is given addresses and words, never samples: a value of gradio's would be kept, compared
and sent again as it grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from pipelines.events import Sound
from ui import files
from ui.theme import ASSETS

PEAKS_PER_S = 25  # bars of the waveform
SCRIPT = ASSETS / "player.js"
TOGGLE = """
    <button class="{}-toggle pm-play-button" type="button" disabled aria-label="Play">
      <svg viewBox="0 0 20 20" aria-hidden="true"><path class="pm-play" d="M6 4v12l10-6Z"/>
      <path class="pm-pause" d="M5 4h4v12H5ZM11 4h4v12h-4Z"/></svg>
    </button>
"""
BAR = f"""
  <div class="pm-player-bar">
    {TOGGLE.format("pm-player")}
    <div class="pm-player-wave">
      <canvas aria-hidden="true"></canvas>
      <input type="range" min="0" max="1" step="0.01" value="0" disabled aria-label="Position">
    </div>
    <output class="pm-player-time">0:00</output>
  </div>
"""


def player(
    value: Mapping[str, Any],
    elem_id: str,
    inside: str,
    rate: int,
    pressed: Sequence[str],
    cushion: float = 0,
    script: Path | None = None,
) -> gr.HTML:
    """The player, with more markup under its bar, and a script that goes on where player.js ends.

    A press on one of the elements `pressed`, by their ids, is what lets it make a sound. Having run dry, it waits for
    so many seconds of sound as `cushion` says before it goes on.
    """
    keys = ", ".join(f"#{one}" for one in (*pressed, elem_id))
    facts = f'data-state="empty" data-played="0" data-rate="{rate}" data-keys="{keys}" data-cushion="{cushion}"'
    under = f'{inside}<p class="pm-work-actions pm-downloads"></p>'
    scripts = [SCRIPT] if script is None else [SCRIPT, script]
    return gr.HTML(
        value,
        html_template=f'<div class="pm-player" {facts}>{BAR}{under}</div>',
        js_on_load="\n".join(one.read_text("utf-8") for one in scripts),
        apply_default_css=False,
        elem_id=elem_id,
    )


class Track:
    """What has been made so far: each stretch of sound in a file of its own, then the whole in several formats."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.downloads: list[dict[str, str]] = []
        self.seconds = 0.0

    def add(self, sound: Sound, folder: Path, **more: Any) -> None:
        """The next stretch; `more` is what else the page is to know of it."""
        path = folder / f"{len(self.parts)}.pcm"
        path.write_bytes(sound.samples.astype("<i2").tobytes())
        about = {"channels": 1 if sound.samples.ndim == 1 else sound.samples.shape[1], "rate": sound.rate}
        length = len(sound.samples) / sound.rate
        self.parts.append(
            {"src": files.address(path), "start": self.seconds, "seconds": length, **about, **more}
            | {"peaks": _peaks(sound)}
        )
        self.seconds += length

    def joined(self, folder: Path) -> Sound:
        """All of it, read back."""
        channels, rate = self.parts[0]["channels"], self.parts[0]["rate"]
        stretches = [np.fromfile(folder / f"{number}.pcm", "<i2") for number in range(len(self.parts))]
        samples = np.concatenate(stretches).astype(np.int16)
        return Sound(samples if channels == 1 else samples.reshape(-1, channels), rate)

    def offer(self, folder: Path, name: str, contents: Mapping[str, bytes], titles: Mapping[str, str]) -> None:
        """Files to download, by their endings, each with a title."""
        self.downloads = []
        for kind, content in contents.items():
            path = folder / f"{name}.{kind}"
            path.write_bytes(content)
            self.downloads.append({"href": files.address(path), "name": path.name, "title": titles[kind]})

    def shown(self, run: str, state: str) -> dict[str, Any]:
        """What the player is told. A `live` one begins to play by itself, a stopped one is silent."""
        return {"run": run, "state": state, "parts": [*self.parts], "downloads": [*self.downloads]}


def _peaks(sound: Sound) -> list[int]:
    """How loud it is, 0 to 100, a number for each bar of the waveform."""
    each = sound.rate // PEAKS_PER_S
    loud = np.abs(sound.samples.astype(np.int32).reshape(len(sound.samples), -1)).max(axis=1)
    padded = np.pad(loud, (0, -len(loud) % each)).reshape(-1, each)
    return [int(peak) for peak in np.sqrt(padded.max(axis=1) / 32768) * 100]
