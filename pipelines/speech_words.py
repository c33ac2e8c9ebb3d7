"""Written text as it is read aloud: dates, times, money, measures, years, addresses and abbreviations in words.

Plain numbers are left to espeak, which reads them in each language. Names of months, units and currencies are those
of Unicode's CLDR, through Babel, unless people say less (speech_lexicon.py). What a language has no sounds for (emoji,
other scripts) is left out.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from functools import cache

from pipelines.speech_lexicon import (
    ABBREVIATIONS,
    BEFORE_FIGURES,
    CENTS,
    CLOCK,
    COUNTED,
    CURRENCIES,
    FRACTIONS,
    LOCALES,
    REIGNED,
    SAID_MONEY,
    SCALE,
    SCALES,
    SIGNS,
    UNITS,
    WORDS,
)
from pipelines.speech_voices import Language

SHORT = "|".join(sorted({short for each in SCALES.values() for short in each}, key=len, reverse=True))
GAP = "[ \u00a0\u202f]"
FIGURES = rf"(?:\d{{1,3}}(?:{GAP}\d{{3}})+(?!\d)|\d+(?:[.,]\d{{2,3}}(?!\d))*)(?:[.,]\d+)?"
AMOUNT = rf"(?P<figures>{FIGURES})(?!\d|[.,]\d)"
SCALED = rf"{AMOUNT}(?:\s(?P<scale>{SCALE})\b|\s?(?P<short>(?i:{SHORT}))(?![^\W_]))?"
SIGN = "|".join(map(re.escape, CURRENCIES))
MONEY = re.compile(rf"(?<![\w.,])(?P<sign>{SIGN})\s?{SCALED}(?!\w)")
MONEY_AFTER = re.compile(rf"(?<![\w.,]){SCALED}\s?(?P<sign>{SIGN})(?!\w)")
UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True)).replace("|s|", r"|(?<=\s)s|")  # no 90s
MEASURE = re.compile(rf"(?<![\w.,]){AMOUNT}\s?(?P<unit>{UNIT})(?![\w/'])")
SPACED = re.compile(rf"(?<![\w.,])[1-9]\d?(?:{GAP}\d{{3}}){{2,}}(?!{GAP}?\d)")
RANGE = re.compile(rf"(?<![\w.,:/-])(\d+(?:[.,]\d+)?)[-–](?=(?:{SIGN})?\d+(?:[.,]\d+)?(?![\d/:-]|[.,]\d|[^\W\d_]*\d))")
FRACTION = re.compile(
    rf"(?<![\w./,])(?:(?P<whole>\d+)(?:\s|(?=[{''.join(SIGNS)}])))?"
    rf"(?P<part>[12]/3|[13]/4|1/2|[{''.join(SIGNS)}])(?![\w/]|[.,]\d)"
)
PHONE = re.compile(
    r"(?<![\w.,/-])(?:\+\d[\d ()-]{6,}\d|(?:1[ -])?(?:\(\d{2,5}\) ?|\d{3}-)\d{3,5}[ -]\d{4}|\d{3}-\d{4}"
    r"|0\d{1,4} \d{3,8}(?: \d{3,4})?)"
    r"(?![\w/-]|[.,]\d)"
)
ADDRESS = re.compile(
    r"(?<![\w@.])(?:https?://)?(?:(?<=//)[\w-]+(?:\.[\w-]+)+|(?:www\.|[\w.+-]+@)[\w-]+(?:\.[\w-]+)+"
    r"|[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|io|app|dev))\b(?:/[\w./?=&%#~-]*[\w/])?"
)
ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
SLASH_DATE = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\d/])")
TIME = re.compile(
    r"(?<![\w.:])([01]?\d|2[0-3])(?:[:h]|\sh\s|\.(?=\d\d\s?[ap]\.?m\b))([0-5]\d)(?::([0-5]\d))?"
    r"(?:\s?([ap])\.?\s?m\b\.?)?(?:\s?बजे)?(?![\d:])",
    re.IGNORECASE,
)
MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
DAY = r"([12]?\d|3[01])"
MONTH_DAY = re.compile(rf"\b({MONTH}) {DAY}\b(?!\d|st|nd|rd|th)")
DAY_MONTH = re.compile(rf"\b{DAY} ({MONTH})\b")
YEAR = re.compile(r"(?<![\w.,:/-])(1[1-9]|20(?=[1-9]))(\d\d)(s?)(?![\w:/]|[.,]\d|-\d\d-)")
DECADE = re.compile(r"(?<![\w.,])'?([2-9]0)s\b")
TENS = dict(zip("23456789", ("twen", "thir", "for", "fif", "six", "seven", "eigh", "nine"), strict=True))
INITIAL = re.compile(r"\b([A-Z])\.(?=\s?[A-Z])")
STREET = re.compile(r"\b([A-Z]\w+|\d+(?:st|nd|rd|th)) St\.(?!\s?[A-Z])")
ROMAN = re.compile(r"\b([A-ZÀ-Þ][\w'-]*|siglo|século|capítulo) ([IVX]+)(?!\w|\.\w|'(?!s\b))")
ROMAN_TH = re.compile(r"\b(X{0,3}(?:IX|IV|V?I{0,3}))(?<=[IVX])(er|re|e|ème)\b")
MARKUP = re.compile(r"(?<!\d)(?<!\d\s)\*+|\*+(?!\s?\d)|(?<!\S)#+(?!\S)")
DEVANAGARI = {0x966 + figure: str(figure) for figure in range(10)}


def spoken(text: str, language: Language) -> str:
    """The text as it is said; empty where nothing of it can be said in this language."""
    locale, tongue = LOCALES[language], LOCALES[language][:2]
    text = unicodedata.normalize("NFC", text).replace("’", "'").translate(DEVANAGARI)
    text = MARKUP.sub(" ", text)
    text = ADDRESS.sub(lambda found: _address(found[0], tongue), text)
    if tongue == "en":
        text = STREET.sub(r"\1 Street", text)
    text = _abbreviations(language).sub(lambda found: ABBREVIATIONS[language][found[0]], text)
    text = INITIAL.sub(r"\1", text)
    text = _romans(text, tongue)
    text = ISO_DATE.sub(lambda found: _iso_date(found, locale), text)
    text = SLASH_DATE.sub(lambda found: _slash_date(found, locale), text)
    text = SPACED.sub(lambda found: re.sub(GAP, "", found[0]), text)
    text = PHONE.sub(lambda found: _phone(found[0]), text)
    text = RANGE.sub(rf"\1 {WORDS[tongue]['to']} ", text)
    for pattern in (MONEY, MONEY_AFTER):
        text = pattern.sub(lambda found: _money(found, locale), text)
    text = TIME.sub(lambda found: _time(found, tongue), text)
    text = MEASURE.sub(lambda found: _measure(found, locale), text)
    text = FRACTION.sub(lambda found: _fraction(found, tongue), text)
    if tongue == "en":
        text = MONTH_DAY.sub(lambda found: f"{found[1]} {_ordinal(int(found[2]))}", text)
        text = DAY_MONTH.sub(lambda found: f"the {_ordinal(int(found[1]))} of {found[2]}", text)
        text = YEAR.sub(_year, text)
        text = DECADE.sub(lambda found: _decade(found[1]), text)
    if tongue == "hi":  # espeak drops the decimals of numbers with commas
        text = re.sub(r"(?<=\d),(?=[\d,]*\.\d)", "", text)
    return " ".join("".join(_sayable(character, tongue) for character in text).split())


@cache
def _abbreviations(language: Language) -> re.Pattern[str]:
    longest_first = sorted(ABBREVIATIONS[language], key=len, reverse=True)
    ways = (re.escape(one) + (r"(?=\s?\d)" if one in BEFORE_FIGURES else r"(?!\w)") for one in longest_first)
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)})")


def ends_in_abbreviation(text: str, language: Language, rest: str = "") -> bool:
    """Whether the full stop at the end of the text belongs to an abbreviation or an initial, so that it goes on.

    `rest` is what comes then: there are abbreviations before figures only.
    """
    end = text[-20:]
    last = any(found.end() == len(end) for found in _abbreviations(language).finditer(end + rest[:2]))
    return last or re.search(r"(?<!\w)[^\W\d_]\.$", text) is not None


def _address(written: str, tongue: str) -> str:
    """A page or a mailbox as it is dictated, without what nobody says of it."""
    words = WORDS[tongue]
    plain = re.sub(r"^https?://", "", written).rstrip("/").partition("?")[0].replace("www.", "w w w.")
    for sign, word in ((".", words["dot"]), ("@", words["at"]), ("/", words["slash"])):
        plain = plain.replace(sign, f" {word} ")
    return plain


def _romans(text: str, tongue: str) -> str:
    """Numbers of kings, chapters and centuries in figures, where espeak would say that they are Roman."""
    if tongue == "fr":
        text = ROMAN_TH.sub(lambda found: f"{_value(found[1])}{found[2] if found[1] == 'I' else 'ème'}", text)
        text = re.sub(r"\b(\d+)e\b", r"\1ème", text)
    if tongue in ("hi", "it"):  # Italian has them right
        return text

    def said(found: re.Match[str]) -> str:
        before, roman = found.groups()
        value, name = _value(roman), before in REIGNED
        if not value or (len(roman) == 1 and (roman == "I" or not name) and before not in COUNTED):
            return found[0]
        if tongue == "en" and name:
            return f"{before} the {_ordinal(value)}"
        if tongue in ("es", "pt") and value <= 10:
            return f"{before} {value}{'ª' if before in ('Isabel', 'Maria', 'María') else 'º'}"
        return f"{before} {value}"

    return ROMAN.sub(said, text)


def _value(roman: str) -> int:
    """What a Roman number up to 39 is; 0 for what is none."""
    if not re.fullmatch("X{0,3}(IX|IV|V?I{0,3})", roman):
        return 0
    digits = [{"I": 1, "V": 5, "X": 10}[one] for one in roman]
    return sum(-one if one < after else one for one, after in zip(digits, [*digits[1:], 0], strict=True))


def _phone(written: str) -> str:
    """Figure by figure, with a pause where there is a gap."""
    groups = (" ".join(group) for group in re.findall(r"\d+", written))
    return ("+ " if written.startswith("+") else "") + ", ".join(groups)


def _figures(written: str, locale: str) -> tuple[str, str]:
    """The digits before and after the decimal mark: the last one, unless it groups thousands as far as can be told."""
    marks = [sign for sign in written if sign in ".,"]
    *whole, part = re.split("[.,]", re.sub(GAP, "", written))
    decimal = marks and marks.count(marks[-1]) == 1
    if decimal and (len(set(marks)) == 2 or marks[-1] == _mark(locale) or len(part) != 3):
        return "".join(whole), part
    return "".join([*whole, part]), ""


def _money(found: re.Match[str], locale: str) -> str:
    code, tongue = CURRENCIES[found["sign"]], locale[:2]
    whole, part = _figures(found["figures"], locale)
    scale = found["scale"] or SCALES.get(tongue, {}).get((found["short"] or "").lower(), "")
    if found["short"] and not scale:
        return found[0]
    if len(part) == 3 and "," in found["figures"]:  # no coin is as small
        whole, part = whole + part, ""
    if scale or len(part) > 2:
        of = WORDS[tongue]["of"] if scale not in ("", "mil", "mille", "mila") else ""
        named = " ".join(filter(None, (scale, of, _named(code, 2, locale))))
        if tongue == "fr":
            named = named.replace("de euros", "d'euros")
        return f"{whole}{_mark(locale) + part if part else ''} {named}"
    count = int(whole)
    cents = int(part.ljust(2, "0")) if part else 0
    one, several, joined_by = CENTS[tongue]
    if tongue == "en" and code == "GBP":
        one, several = "penny", "pence"
    small = f"{cents} {one if cents == 1 else several}" if cents else ""
    if small and not count:
        return small
    number = f"{count:,}" if tongue == "en" else count  # without its comma, 1,234 would be taken for a year
    return " ".join(filter(None, (f"{number} {_named(code, count, locale)}", joined_by if small else "", small)))


def _named(code: str, count: int, locale: str) -> str:
    from babel.numbers import get_currency_name

    said = SAID_MONEY.get(locale[:2], {}).get(code)
    return said[count != 1] if said else get_currency_name(code, count, locale).lower()


def _mark(locale: str) -> str:
    from babel.numbers import get_decimal_symbol

    return get_decimal_symbol(locale)


def _measure(found: re.Match[str], locale: str) -> str:
    from babel.units import format_unit

    whole, part = _figures(found["figures"], locale)
    number = Decimal(f"{whole}.{part or 0}") if part else Decimal(whole)
    return format_unit(number, UNITS[found["unit"]], "long", format=f"#,##0.{'#' * len(part)}", locale=locale)


def _fraction(found: re.Match[str], tongue: str) -> str:
    said = FRACTIONS[tongue][SIGNS.get(found["part"], found["part"])]
    return f"{found['whole']} {WORDS[tongue]['and']} {said}" if found["whole"] else said


def _iso_date(found: re.Match[str], locale: str) -> str:
    return _date(found[0], int(found[1]), int(found[2]), int(found[3]), locale)


def _date(written: str, year: int, month: int, day: int, locale: str) -> str:
    from babel.dates import format_date

    try:
        return format_date(date(year, month, day), "long", locale=locale)
    except ValueError:  # looks like a date and is none
        return written


def _slash_date(found: re.Match[str], locale: str) -> str:
    first, second, year = map(int, found.groups())
    if len(found[3]) == 2:
        year += 1900 if year > 50 else 2000
    month, day = (first, second) if locale == "en_US" else (second, first)
    return _date(found[0], year, month, day, locale)


def _time(found: re.Match[str], tongue: str) -> str:
    if "h" in found[0] and tongue in ("en", "hi"):
        return found[0]
    hour, minute, second, half = int(found[1]), int(found[2]), int(found[3] or 0), found[4]
    if tongue != "en":
        with_minutes, without = CLOCK[tongue]
        said = with_minutes.format(hour, minute) if minute or second else without.format(hour)
        said = re.sub("^1 (hora|heure)s", r"1 \1", said)
    else:
        minutes = f"{minute}" if minute > 9 else f"oh {minute}" if minute else "" if half else "o'clock"
        said = " ".join(filter(None, (str(hour), minutes, f"{half.upper()}M" if half else "")))
    return f"{said} {second}" if second else said


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _year(found: re.Match[str]) -> str:
    """1999 as nineteen ninety-nine, 1905 as nineteen oh five, 1900 as nineteen hundred."""
    century, rest, decade = found.groups()
    if decade:
        return f"{century} {'hundreds' if rest == '00' else _decade(rest)}"
    return f"{century} {'hundred' if rest == '00' else 'oh ' + rest[1] if rest[0] == '0' else rest}"


def _decade(tens: str) -> str:
    """90 as nineties, 10 as tens."""
    return f"{TENS[tens[0]]}ties" if tens[0] in TENS and tens[1] == "0" else f"{tens}s"


def _sayable(character: str, tongue: str) -> str:
    """The character, or a space where this language has no sound for it."""
    category = unicodedata.category(character)
    if category[0] == "L":
        scripts = ("LATIN", "DEVANAGARI") if tongue == "hi" else ("LATIN", "FEMININE", "MASCULINE")
        return character if unicodedata.name(character, "").startswith(scripts) else " "
    joiners = tongue == "hi" and character in "\u200c\u200d"
    if category in ("So", "Sk", "Cf", "Cs", "Co", "Cn", "Cc") and not joiners:
        return "" if category == "Cf" else " "
    return "" if "\ufe00" <= character <= "\ufe0f" else character
