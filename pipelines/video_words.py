"""What a prompt says, taken apart: what is seen, how it moves, how fast.

Motions are known by their words. A motion in other words, or one that the model does not know ("explodes"), becomes
the known one whose meaning is nearest, as the sentence encoder sees it; a remark says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.video_motions import ALIVE, BY_ITSELF, PASSING, PHRASES, SPEED_WORDS, TOGETHER, gerund

if TYPE_CHECKING:
    from torch import Tensor

Speed = Literal["slowly", "", "quickly"]

_GO = r"(?:slid(?:es?|ing)|mov(?:es?|ing)|glid(?:es?|ing)|go(?:es|ing)?|drift(?:s|ing)?)"
_TURN = r"(?:spin(?:s|ning)?|rotat(?:es?|ing)|turn(?:s|ing)?)"
_PICTURE = r"(?: (?:of|out of|from) (?:the )?(?:picture|frame|view|screen))?"
KNOWN = {
    PASSING: r"(?:pass(?:es|ing)? each other|mov(?:es?|ing) past each other|cross(?:es|ing)? paths)",
    "slides left": rf"{_GO} (?:to the left|left(?:wards)?)",
    "slides right": rf"{_GO} (?:to the right|right(?:wards)?)",
    "slides up": rf"{_GO} up(?:wards)?|ris(?:es?|ing)(?: up)?",
    "slides down": rf"{_GO} down(?:wards)?|sink(?:s|ing)?(?: down)?",
    "bounces": r"(?:bounc(?:es?|ing)|hop(?:s|ping)?|jump(?:s|ing)?)(?: up and down)?",
    "spins counter-clockwise": rf"{_TURN}(?: around)? (?:counter-?\s?clockwise|anti-?\s?clockwise)",
    "spins clockwise": rf"{_TURN}(?: around)?(?: clockwise)?",
    "grows": r"grow(?:s|ing)?(?: (?:bigger|larger))?|(?:gets?|getting|becomes?|becoming) (?:bigger|larger)",
    "shrinks": r"shrink(?:s|ing)?|(?:gets?|getting|becomes?|becoming) smaller",
    "shakes": r"(?:shak(?:es?|ing)|trembl(?:es?|ing)|vibrat(?:es?|ing))(?: from side to side)?",
    "swings": r"(?:swing(?:s|ing)?|sway(?:s|ing)?)(?: back and forth| like a pendulum)?",
    "flies off": (rf"fl(?:ies|y|ying) (?:off|away|out){_PICTURE}(?: to the (?:left|right)| up(?:wards)?)?"),
    "fades in": (r"fad(?:es?|ing) in(?:to view)?|appear(?:s|ing)?(?: out of nothing)?|(?:becomes?|becoming) visible"),
    "stays still": r"(?:stay(?:s|ing)?|stand(?:s|ing)?) (?:still|where (?:it is|they are))|rest(?:s|ing)?"
    r"|(?:does |do )?not mov(?:e|ing)|motionless",
    ALIVE: r"(?:is |are )?(?:moves by itself|moving|moves|animated|in motion|alive)|animation of",
}
SPEEDS: dict[Speed, str] = {
    "slowly": r"slow(?:ly)?|at a slow pace|gently|calmly",
    "quickly": r"quick(?:ly)?|fast|rapid(?:ly)?|swift(?:ly)?",
}
STYLE_FIRST = r"^(?:an? )?(?:3d render|glossy icon|flat icon|cartoon|painted picture) of "
VERB = re.compile(r"^(?!.*(?:ss|us|is|ous)$)[a-z]{3,}(?:s|ing)$")  # "explodes", "melting"; no "glass"


@dataclass(frozen=True)
class Understood:
    seen: tuple[str, ...]  # what to draw: a prompt for each thing that moves on its own
    motion: str
    speed: Speed
    caption: str  # for the network
    remarks: tuple[str, ...] = ()


Embed = Callable[[list[str]], "Tensor"]


def understood(prompt: str, motion: str, speed: Speed, embed: Embed, names: Sequence[str] = ()) -> Understood:
    """`motion` and `speed` are what the request says beside its prompt; `names` are things that can be drawn."""
    said, rest = _taken(prompt)
    quick, rest = _speed(rest)
    remarks: tuple[str, ...] = ()
    wanted = motion.strip() or _unknown(rest, names) * (said is None)
    if motion.strip():
        said, quick_too = _taken(motion)[0], _speed(motion)[0]
        quick = quick_too or quick
    elif wanted:
        rest = _tidy(re.sub(rf"\b{wanted}\b", "", rest, flags=re.IGNORECASE))
    if wanted and said is None:
        said = nearest(wanted, embed)
        remarks = (f"“{wanted}” is no motion that this model knows; the nearest, “{said}”, is shown. {known()}",)
    motion = said or ALIVE
    quick = speed or quick
    seen = _two(rest) if motion == PASSING else (rest,)
    return Understood(seen, motion, quick, caption(rest, motion, quick), remarks)


def nearest(wanted: str, embed: Embed) -> str:
    """The known motion whose phrases mean most nearly this."""
    phrases = [(name, phrase) for name, some in PHRASES.items() for phrase in some if "{" not in phrase]
    phrases += [(PASSING, phrase) for phrase in TOGETHER]
    vectors = embed([wanted, *(phrase for _, phrase in phrases)])
    scores = (vectors[1:] @ vectors[0]).tolist()
    return phrases[max(range(len(scores)), key=scores.__getitem__)][0]


def known() -> str:
    """The motions there are, in a sentence."""
    return f"It knows: {', '.join((*PHRASES, PASSING, ALIVE))}."


def caption(seen: str, motion: str, speed: Speed) -> str:
    """As captions in training are worded."""
    if motion == ALIVE:
        return BY_ITSELF[1].format(seen)
    phrase = TOGETHER[0] if motion == PASSING else PHRASES[motion][0]
    return f"{seen}, {SPEED_WORDS[speed][-1 if speed == 'slowly' else 0].format(gerund(phrase))}"


def _taken(text: str) -> tuple[str | None, str]:
    """The motion in a text, and the text without it."""
    for name, words in KNOWN.items():
        if found := re.search(rf"\b(?:is |are )?(?:{words})\b", text, re.IGNORECASE):
            return name, _tidy(text[: found.start()] + " " + text[found.end() :])
    return None, _tidy(text)


def _speed(text: str) -> tuple[Speed, str]:
    for name, words in SPEEDS.items():
        if found := re.search(rf"\b(?:{words})\b", text, re.IGNORECASE):
            return name, _tidy(text[: found.start()] + " " + text[found.end() :])
    return "", text


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s*,(?:\s*,)*\s*", ", ", text)
    return text.strip(" ,.")


def _unknown(text: str, names: Sequence[str]) -> str:
    """A verb that is part of no thing's name, "" if there is none; what precedes it is the thing."""
    parts = {word for name in names for word in re.findall(r"[a-z]+", name.lower())}
    words = re.findall(r"[a-z]+", text.lower())
    return next((word for word in words[1:] if VERB.match(word) and word not in parts | {"glasses", "nothing"}), "")


def _two(text: str) -> tuple[str, ...]:
    """Both things, each with the style and the background that are told of both."""
    first = re.search(STYLE_FIRST, text, re.IGNORECASE)
    style = first.group(0) if first else ""
    body = text[len(style) :]
    one, and_, other = body.partition(" and ")
    if not and_:
        return (text, text)
    other, after = re.match(r"([^,]*?)((?:,| on | against | in front of ).*)?$", other).groups("")  # type: ignore[union-attr]
    return tuple(f"{style}{thing.strip(' ,')}{after}" for thing in (one, other))
