"""The kinds of music that the built-in composer learned, as data: what each is, and who plays it in which time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.music_score import Mode

Metre = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Style:
    """`voices` are the numbers of voices that it can be written in, the usual one first; `instruments` are sets of
    General MIDI programs that suit it, one program for each voice of the usual number; `ranges` the lowest and the
    highest pitch of each voice that it has at most; `bars` is how long such pieces are. The first of each is the most
    typical. `paced` says that the tempo was learned too: elsewhere it is only how fast a piece is played."""

    id: str
    title: str
    description: str
    voices: tuple[int, ...]
    instruments: tuple[tuple[int, ...], ...]
    tempo: int  # quarter notes per minute
    metres: tuple[Metre, ...]
    modes: tuple[Mode, ...]
    bars: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...]
    upbeats: float  # how many of such pieces begin with an upbeat
    paced: bool = False

    @property
    def centre(self) -> int:
        """The pitch that the highest voice moves around; its key note is the one nearest to this."""
        low, high = self.ranges[0]
        return (low + high) // 2

    def parts(self, voices: int) -> tuple[int, ...]:
        """Which of the style's voices are written when there are so many: the outer ones are the first to be."""
        count = len(self.ranges)
        return tuple(range(count)) if voices == count else (*range(voices - 1), count - 1) if voices > 1 else (0,)


FIDDLE, VIOLIN, FLUTE, PICCOLO, RECORDER, WHISTLE = 110, 40, 73, 72, 74, 78
ACCORDION, BAGPIPE, OBOE, CLARINET, HARP, GUITAR = 21, 109, 68, 71, 46, 24
ORGAN, CHOIR, STRINGS, PIANO, VIOLA, CELLO, BASSOON = 19, 52, 48, 0, 41, 42, 70

TUNE = ((55, 88),)  # a fiddle's range in the first position, and a little more
SATB = ((57, 81), (52, 77), (45, 71), (36, 66))


def _tune(
    id: str,
    title: str,
    description: str,
    tempo: int,
    metres: tuple[Metre, ...],
    players: tuple[int, ...],
    upbeats: float,
    paced: bool = False,
) -> Style:
    sets = tuple((player,) for player in players)
    modes: tuple[Mode, ...] = ("major", "minor")
    return Style(id, title, description, (1,), sets, tempo, metres, modes, (16, 24, 32, 8), TUNE, upbeats, paced)


STYLES: Mapping[str, Style] = {
    style.id: style
    for style in (
        Style(
            "chorale",
            "Chorale",
            "a slow, solemn hymn in four voices like those of Johann Sebastian Bach, for choir, organ or strings; "
            "church music, baroque harmony, classical counterpoint, sacred and calm",
            (4, 2, 3, 1),
            (
                (ORGAN,) * 4,
                (CHOIR,) * 4,
                (VIOLIN, VIOLIN, VIOLA, CELLO),
                (PIANO,) * 4,
                (FLUTE, OBOE, CLARINET, BASSOON),
                (STRINGS,) * 4,
            ),
            72,
            ((4, 4), (3, 4)),
            ("major", "minor"),
            (12, 16, 8, 24),
            SATB,
            0.7,
        ),
        _tune(
            "air",
            "Air",
            "a slow, gentle, singing folk song or air, old Irish or English; a lament, a lullaby, a love song, "
            "a ballad; calm, sad, tender, dreamy",
            80,
            ((3, 4), (4, 4), (6, 8), (2, 4)),
            (FLUTE, VIOLIN, WHISTLE, HARP, OBOE, GUITAR),
            0.63,
            paced=True,
        ),
        _tune(
            "jig",
            "Jig",
            "a lively, bouncing Irish dance in 6/8, a double jig for fiddle, flute or pipes; merry, skipping, jolly",
            165,
            ((6, 8),),
            (FIDDLE, FLUTE, ACCORDION, WHISTLE, BAGPIPE),
            0.81,
        ),
        _tune(
            "slip-jig",
            "Slip jig",
            "a light, graceful Irish dance in 9/8, a slip jig or hop jig; flowing, tripping, whirling",
            165,
            ((9, 8),),
            (FLUTE, FIDDLE, WHISTLE),
            0.41,
        ),
        _tune(
            "reel",
            "Reel",
            "a fast, driving dance with even running notes, an Irish, Scottish or American reel for fiddle; "
            "energetic, exciting, wild, a party",
            200,
            ((4, 4),),
            (FIDDLE, ACCORDION, FLUTE, WHISTLE, BAGPIPE),
            0.61,
        ),
        _tune(
            "hornpipe",
            "Hornpipe",
            "a steady, springy dance of sailors with dotted notes, a hornpipe or clog dance; jaunty, proud, playful",
            150,
            ((4, 4),),
            (FIDDLE, ACCORDION, CLARINET, WHISTLE),
            0.92,
        ),
        _tune(
            "strathspey",
            "Strathspey",
            "a stately Scottish dance with snapped, dotted rhythms, a strathspey or Highland fling; proud, Scottish",
            120,
            ((4, 4),),
            (FIDDLE, BAGPIPE, ACCORDION),
            0.82,
        ),
        _tune(
            "march",
            "March",
            "a march or quickstep for fife, drum or pipes; soldiers, a parade, military, brave, firm, heroic",
            112,
            ((2, 4), (4, 4), (6, 8)),
            (PICCOLO, BAGPIPE, CLARINET, FIDDLE),
            0.59,
        ),
        _tune(
            "country",
            "Country dance",
            "a cheerful old Scottish or English country dance or song of the eighteenth century, for violin, flute "
            "or recorder; village, ballroom, minuet, gentle and merry",
            112,
            ((4, 4), (6, 8), (2, 4), (3, 4), (9, 8)),
            (RECORDER, VIOLIN, FLUTE, OBOE),
            0.65,
            paced=True,
        ),
    )
}
