"""The voices and the languages they speak: data, without a model. Ten come with Polymuse, others can be fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["en-us", "en-gb", "es", "fr-fr", "hi", "it", "pt-br"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

LANGUAGE_TITLES: dict[Language, str] = {
    "en-us": "English (US)",
    "en-gb": "English (UK)",
    "es": "Spanish",
    "fr-fr": "French",
    "hi": "Hindi",
    "it": "Italian",
    "pt-br": "Portuguese (Brazil)",
}


@dataclass(frozen=True)
class Voice:
    """A stock voice of Kokoro, by its name there. `gain_db` brings it to the loudness of the others."""

    id: str
    title: str
    language: Language
    sounds: Literal["female", "male"]
    gain_db: float = 0.0

    @property
    def label(self) -> str:
        return f"{self.title} · {LANGUAGE_TITLES[self.language]}, {self.sounds}"


BUNDLED = {
    voice.id: voice
    for voice in (
        Voice("af_heart", "Heart", "en-us", "female"),
        Voice("af_bella", "Bella", "en-us", "female"),
        Voice("am_michael", "Michael", "en-us", "male"),
        Voice("bf_emma", "Emma", "en-gb", "female", -3),
        Voice("bm_george", "George", "en-gb", "male"),
        Voice("ef_dora", "Dora", "es", "female"),
        Voice("ff_siwis", "Siwis", "fr-fr", "female", -3),
        Voice("hf_alpha", "Alpha", "hi", "female", -7),
        Voice("if_sara", "Sara", "it", "female", -8),
        Voice("pm_alex", "Alex", "pt-br", "male"),
    )
}

MORE = {
    "en-us": "af_alloy af_aoede af_jessica af_kore af_nicole af_nova af_river af_sarah af_sky "
    "am_adam am_echo am_eric am_fenrir am_liam am_onyx am_puck am_santa",
    "en-gb": "bf_alice bf_isabella bf_lily bm_daniel bm_fable bm_lewis",
    "es": "em_alex em_santa",
    "hi": "hf_beta hm_omega hm_psi",
    "it": "im_nicola",
    "pt-br": "pf_dora pm_santa",
}
"""Kokoro's other voices in these languages, by their names there: f is female, m is male."""

GAINS_DB: dict[str, float] = {
    "af_alloy": -3, "af_aoede": -4, "af_jessica": -1.5, "af_kore": -3, "af_nicole": -1.5, "af_nova": 2.5,
    "af_river": -3, "am_adam": -3.5, "am_echo": -2, "am_eric": -2, "am_fenrir": -2.5, "am_liam": -1.5, "am_onyx": -1,
    "am_puck": -3.5, "am_santa": -1,
    "bf_alice": -3, "bf_isabella": -6.5, "bf_lily": -2.5, "bm_daniel": -1.5, "bm_fable": -2.5, "bm_lewis": 2.5,
    "hf_beta": -5.5, "hm_omega": -7, "hm_psi": -5,
    "im_nicola": -4,
}  # fmt: skip
"""What brings these to -23 LUFS, where the others are; measured with a sentence in the language of each."""


def _voice(id: str, language: Language) -> Voice:
    sounds: Literal["female", "male"] = "female" if id[1] == "f" else "male"
    return Voice(id, id.partition("_")[2].title(), language, sounds, GAINS_DB.get(id, 0.0))


VOICES = BUNDLED | {
    id: _voice(id, language) for language in LANGUAGES if language in MORE for id in MORE[language].split()
}
