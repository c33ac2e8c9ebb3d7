"""The built-in composer at full size, and with a soundfont of one's own from a catalog file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines import catalog_file
from pipelines.device import Device
from pipelines.errors import BadWeights, WeightsError
from pipelines.events import Music, Sound, Update
from pipelines.music_catalog import COMPOSER, SOUNDFONT, music_models
from pipelines.music_request import MusicRequest
from pipelines.weights import MINILM, Hub, Local, Store, Together
from tests.pipelines.tiny_soundfont import soundfont

CPU = Device("cpu", "a CPU", 16 * 2**30, half=False)
BAND = """
[[music]]
id = "my-band"
title = "My band"
path = "PATH"
licence = "MIT"
card = "Plays sines."
"""


def added(folder: Path, text: str) -> catalog_file.Added:
    file = folder / "models.toml"
    file.write_text(text, encoding="utf-8")
    return catalog_file.read(file, CPU)


def test_a_catalog_file_brings_a_soundfont(tmp_path: Path) -> None:
    font = tmp_path / "sines.sf2"
    font.write_bytes(soundfont())
    (spec,) = added(tmp_path, BAND.replace("PATH", str(font))).models
    assert (spec.id, spec.modality, spec.request) == ("my-band", "music", MusicRequest)
    assert spec.weights == Together((("model", COMPOSER), ("sentences", MINILM), ("soundfont", Local(str(font)))))
    built_in, *_ = music_models(CPU)
    assert spec.resident == built_in.resident - SOUNDFONT.size + len(soundfont())
    (spec,) = added(tmp_path, BAND.replace('path = "PATH"', 'repo = "org/fonts"')).models
    assert dict(spec.weights.parts)["soundfont"] == Hub("org/fonts", "main", ("*.sf2",))


def test_what_is_no_soundfont_is_refused(tmp_path: Path) -> None:
    (tmp_path / "font.pkl").write_bytes(b"")
    with pytest.raises(BadWeights):
        Store(tmp_path).fetch(Local(str(tmp_path / "font.pkl")), lambda update: None)


def test_the_built_in_model_composes_with_any_soundfont(tmp_path: Path) -> None:
    font = tmp_path / "sines.sf2"
    font.write_bytes(soundfont())
    request = MusicRequest(prompt="a merry jig for fiddle and flute in D major", bars=4, seed=1)
    pieces = []
    for spec in (music_models(CPU)[0], *added(tmp_path, BAND.replace("PATH", str(font))).models):
        try:
            folder = Store().fetch(spec.weights, lambda update: None).path
        except WeightsError as error:
            pytest.skip(f"the weights of the music model cannot be had: {error}")
        updates: list[Update] = []
        music = spec.load(CPU, folder).run(request, updates.append)
        assert isinstance(music, Music) and (music.score.head.style, music.score.head.key) == ("jig", "D major")
        heard = np.concatenate([update.samples for update in updates if isinstance(update, Sound)])
        assert np.array_equal(heard, music.samples)
        pieces.append(music)
    assert pieces[0].score == pieces[1].score
    assert not np.array_equal(pieces[0].samples[:48_000], pieces[1].samples[:48_000])
