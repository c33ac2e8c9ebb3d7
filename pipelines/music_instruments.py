"""The 128 instruments of General MIDI: their names, and which words of a prompt mean one or several of them."""

from __future__ import annotations

from collections.abc import Sequence

NAMES = (
    *("Grand Piano", "Bright Piano", "Electric Grand", "Honky-tonk Piano", "Electric Piano", "FM Electric Piano"),
    *("Harpsichord", "Clavinet", "Celesta", "Glockenspiel", "Music Box", "Vibraphone", "Marimba", "Xylophone"),
    *("Tubular Bells", "Dulcimer", "Drawbar Organ", "Percussive Organ", "Rock Organ", "Church Organ", "Reed Organ"),
    *("Accordion", "Harmonica", "Bandoneon", "Nylon Guitar", "Steel Guitar", "Jazz Guitar", "Clean Electric Guitar"),
    *("Muted Electric Guitar", "Overdriven Guitar", "Distorted Guitar", "Guitar Harmonics", "Double Bass"),
    *("Fingered Bass Guitar", "Picked Bass Guitar", "Fretless Bass", "Slap Bass", "Hard Slap Bass", "Synth Bass"),
    *("Deep Synth Bass", "Violin", "Viola", "Cello", "Contrabass", "Tremolo Strings", "Pizzicato Strings", "Harp"),
    *("Timpani", "Strings", "Slow Strings", "Synth Strings", "Warm Synth Strings", "Choir", "Voice Oohs"),
    *("Synth Voice", "Orchestra Hit", "Trumpet", "Trombone", "Tuba", "Muted Trumpet", "French Horn", "Brass"),
    *("Synth Brass", "Soft Synth Brass", "Soprano Saxophone", "Alto Saxophone", "Tenor Saxophone"),
    *("Baritone Saxophone", "Oboe", "English Horn", "Bassoon", "Clarinet", "Piccolo", "Flute", "Recorder"),
    *("Pan Flute", "Blown Bottle", "Shakuhachi", "Tin Whistle", "Ocarina", "Square Wave", "Sawtooth Wave"),
    *("Calliope", "Chiff Lead", "Charang", "Voice Lead", "Fifths Lead", "Bass Lead", "New Age Pad", "Warm Pad"),
    *("Polysynth", "Choir Pad", "Bowed Glass", "Metallic Pad", "Halo Pad", "Sweep Pad", "Rain", "Soundtrack"),
    *("Crystal", "Atmosphere", "Brightness", "Goblins", "Echoes", "Science Fiction", "Sitar", "Banjo", "Shamisen"),
    *("Koto", "Kalimba", "Bagpipes", "Fiddle", "Shanai", "Tinkle Bell", "Agogo", "Steel Drums", "Woodblock"),
    *("Taiko Drum", "Melodic Tom", "Synth Drum", "Reverse Cymbal", "Fret Noise", "Breath Noise", "Seashore"),
    *("Birds", "Telephone", "Helicopter", "Applause", "Gunshot"),
)
PLAYABLE = range(112)  # from there on they are noises and drums, which have no melodies

GROUPS = {
    "String quartet": (40, 40, 41, 42),
    "Wind quartet": (73, 68, 71, 70),
    "Brass quartet": (56, 56, 60, 57),
    "Saxophone quartet": (64, 65, 66, 67),
    "Recorder quartet": (74, 74, 74, 74),
}
"""Players who come together, the highest first."""

GROUP_WORDS = {
    "strings": "String quartet",
    "woodwinds": "Wind quartet",
    "woodwind quartet": "Wind quartet",
    "brass": "Brass quartet",
    "brass band": "Brass quartet",
    "brass ensemble": "Brass quartet",
    "recorder consort": "Recorder quartet",
    "recorders": "Recorder quartet",
}

WORDS = {
    "piano": 0,
    "grand piano": 0,
    "guitar": 24,
    "acoustic guitar": 24,
    "electric guitar": 27,
    "bass": 32,
    "organ": 19,
    "pipes": 109,
    "bagpipe": 109,
    "whistle": 78,
    "penny whistle": 78,
    "fife": 72,
    "horn": 60,
    "saxophone": 65,
    "sax": 65,
    "mandolin": 25,
    "lute": 24,
    "concertina": 23,
    "melodeon": 21,
    "bells": 14,
    "glockenspiel": 9,
    "cembalo": 6,
    "violoncello": 42,
    "voices": 52,
    "singers": 52,
}
"""Words that mean one of the names though they are not it."""


def program(name: str) -> int | None:
    """The number of an instrument, from its name or the number itself; None for any other."""
    text = " ".join(name.split()).casefold()
    if text.isdecimal():
        return int(text) if int(text) < len(NAMES) else None
    return NUMBERS.get(text, WORDS.get(text))


def group(name: str) -> tuple[int, ...]:
    """The players of a group, from its name or another word for it; none for any other."""
    text = " ".join(name.split()).casefold()
    return _GROUPS.get(GROUP_WORDS.get(text, text).casefold(), ())


def players(names: Sequence[str]) -> tuple[int, ...]:
    """The numbers of instruments, groups taken apart. Raises ValueError for what plays no melody, or is nothing."""
    found: list[int] = []
    for name in names:
        one = program(name)
        if one is None and not group(name):
            raise ValueError(f"there is no instrument “{name}”; names are as in General MIDI, such as Flute or Cello")
        if one is not None and one not in PLAYABLE:
            raise ValueError(f"“{name}” plays no melodies")
        found += group(name) if one is None else (one,)
    return tuple(found)


def named(programs: Sequence[int]) -> tuple[str, ...]:
    """The shortest names for players: that of their group, of one for all, or each one's."""
    together = next((name for name, members in GROUPS.items() if members == tuple(programs)), None)
    if together is not None:
        return (together,)
    names = tuple(NAMES[one] for one in programs)
    return names[:1] if len(set(names)) == 1 else names


NUMBERS = {name.casefold(): number for number, name in enumerate(NAMES)}
_GROUPS = {name.casefold(): members for name, members in GROUPS.items()}
