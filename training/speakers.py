"""Where the built-in voices lie among speakers: each reads a text, and the speaker encoder listens.

    python -m training.speakers [--out assets/models/kokoro-voices]

Nothing is trained. The table is what voice matching compares recordings with.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from pipelines import speech, speech_speaker
from pipelines.device import detect
from pipelines.speech_catalog import SPEAKER, speech_models
from pipelines.speech_request import SpeechRequest
from pipelines.speech_voices import BUNDLED
from pipelines.weights import ASSETS, Store

TEXT = "The old bridge was closed for repairs until the end of the summer. Nobody noticed that the clock had stopped."


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.speakers", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ASSETS / "kokoro-voices", help="folder for speakers.safetensors")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    out: Path = arguments(argv).out
    store = Store()
    (model, *_) = speech_models(detect("cpu"))
    pipeline = speech.load(store.fetch(model.weights, lambda update: None).path)
    encoder = speech_speaker.load(store.fetch(SPEAKER, lambda update: None).path)
    speakers = {}
    for voice in BUNDLED:
        audio = pipeline.run(SpeechRequest(text=TEXT, voice=voice, language="en-us"), lambda update: None)
        speakers[voice] = encoder.embed((audio.samples / 32768).astype(np.float32), audio.rate)
        print(voice, flush=True)
    save_file(speakers, out / "speakers.safetensors")


if __name__ == "__main__":
    main()
