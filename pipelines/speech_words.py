"""Written text as it is read aloud: dates, times, money, measures, years and abbreviations in words.

Plain numbers are left to espeak, which reads them in each language. Names of months, units and currencies are those
of Unicode's CLDR, through Babel. What a language has no sounds for (emoji, other scripts) is left out.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from functools import cache

from pipelines.speech_voices import Language

LOCALES: dict[Language, str] = {
    "en-us": "en_US",
    "en-gb": "en_GB",
    "es": "es",
    "fr-fr": "fr",
    "hi": "hi",
    "it": "it",
    "pt-br": "pt_BR",
}

_ENGLISH = {
    "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miz", "Dr.": "Doctor", "Prof.": "Professor", "St.": "Saint",
    "Jr.": "Junior", "Sr.": "Senior", "vs.": "versus", "etc.": "et cetera", "e.g.": "for example", "i.e.": "that is",
    "approx.": "approximately", "No.": "number", "Nos.": "numbers", "Fig.": "figure", "Vol.": "volume", "pp.": "pages",
    "Mt.": "Mount", "Ave.": "Avenue", "Rd.": "Road", "Inc.": "Incorporated", "Ltd.": "Limited", "Co.": "Company",
    "Corp.": "Corporation", "dept.": "department", "est.": "established", "Gen.": "General", "Lt.": "Lieutenant",
    "Jan.": "January", "Feb.": "February", "Aug.": "August", "Sept.": "September", "Oct.": "October",
    "Nov.": "November", "Dec.": "December", "a.m.": "a m", "p.m.": "p m", "U.S.": "U S", "U.K.": "U K",
}  # fmt: skip
ABBREVIATIONS: dict[Language, dict[str, str]] = {
    "en-us": _ENGLISH,
    "en-gb": _ENGLISH,
    "es": {
        "Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Dr.": "doctor", "Dra.": "doctora", "Ud.": "usted",
        "Uds.": "ustedes", "etc.": "etcétera", "p. ej.": "por ejemplo", "EE. UU.": "Estados Unidos", "pág.": "página",
        "núm.": "número", "aprox.": "aproximadamente", "Av.": "avenida",
    },
    "fr-fr": {
        "M.": "monsieur", "Mme": "madame", "Mlle": "mademoiselle", "Dr": "docteur", "Pr": "professeur",
        "etc.": "et cetera", "p. ex.": "par exemple", "c.-à-d.": "c'est-à-dire", "n°": "numéro", "St": "saint",
    },
    "hi": {"डॉ.": "डॉक्टर", "श्री.": "श्री", "रु.": "रुपए"},
    "it": {
        "Sig.": "signor", "Sig.ra": "signora", "Dott.": "dottor", "Dott.ssa": "dottoressa", "Prof.": "professor",
        "ecc.": "eccetera", "es.": "esempio", "pag.": "pagina", "Avv.": "avvocato", "Ing.": "ingegner",
    },
    "pt-br": {
        "Sr.": "senhor", "Sra.": "senhora", "Dr.": "doutor", "Dra.": "doutora", "Prof.": "professor",
        "etc.": "etcétera", "p. ex.": "por exemplo", "pág.": "página", "Av.": "avenida",
    },
}  # fmt: skip

CURRENCIES = {"R$": "BRL", "$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "¥": "JPY"}
CENTS = {  # the small coin, one and several, and the word before it; "" where it is said without one
    "en": ("cent", "cents", "and"),
    "es": ("céntimo", "céntimos", "con"),
    "fr": ("centime", "centimes", "et"),
    "hi": ("पैसा", "पैसे", ""),
    "it": ("centesimo", "centesimi", "e"),
    "pt": ("centavo", "centavos", "e"),
}
ENGLISH_MONEY = {"USD": ("dollar", "dollars"), "GBP": ("pound", "pounds"), "JPY": ("yen", "yen")}
UNITS = {
    "km/h": "kilometer-per-hour", "mph": "mile-per-hour", "km": "kilometer", "cm": "centimeter", "mm": "millimeter",
    "m": "meter", "kg": "kilogram", "mg": "milligram", "g": "gram", "ml": "milliliter", "l": "liter", "L": "liter",
    "°C": "celsius", "°F": "fahrenheit", "%": "percent", "GB": "gigabyte", "MB": "megabyte", "kB": "kilobyte",
    "TB": "terabyte", "GHz": "gigahertz", "MHz": "megahertz", "kHz": "kilohertz", "Hz": "hertz", "kW": "kilowatt",
    "ms": "millisecond", "ft": "foot", "lb": "pound", "lbs": "pound", "oz": "ounce", "°": "degree",
}  # fmt: skip

SCALE = (
    "thousand|million|billion|trillion|mil|millón|millones|millions?|milliards?|milion[ei]|miliard[oi]|milhão|milhões|"
    "bilhões|लाख|करोड़"
)
WHOLE = r"\d{1,3}(?:[., \u00a0\u202f]\d{3})+(?!\d)|\d+"
AMOUNT = rf"(?P<whole>{WHOLE})(?:[.,](?P<part>\d{{1,2}}))?(?![\d]|[.,]\d)"
SIGN = r"R\$|[$€£₹¥]"
MONEY = re.compile(rf"(?<![\w.,])(?P<sign>{SIGN})\s?{AMOUNT}(?:\s(?P<scale>{SCALE})\b)?")
MONEY_AFTER = re.compile(rf"(?<![\w.,]){AMOUNT}(?:\s(?P<scale>{SCALE}))?\s?(?P<sign>{SIGN})(?!\w)")
MEASURE = re.compile(
    rf"(?<![\w.,]){AMOUNT}\s?(?P<unit>{'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})(?![\w/])"
)
ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
SLASH_DATE = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\d/])")
TIME = re.compile(r"\b([01]?\d|2[0-3])[:h]([0-5]\d)(?::[0-5]\d)?(?:\s?([ap])\.?\s?m\b\.?)?(?![\d:])", re.IGNORECASE)
MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
DAY = r"([12]?\d|3[01])"
MONTH_DAY = re.compile(rf"\b({MONTH}) {DAY}\b(?!\d|st|nd|rd|th)")
DAY_MONTH = re.compile(rf"\b{DAY} ({MONTH})\b")
YEAR = re.compile(r"(?<![\w.,:/-])(1[1-9]|20(?=[1-9]))(\d\d)(s?)(?![\w:/]|[.,]\d|-\d\d-)")
INITIAL = re.compile(r"\b([A-Z])\.(?=\s?[A-Z])")


def spoken(text: str, language: Language) -> str:
    """The text as it is said; empty where nothing of it can be said in this language."""
    locale, tongue = LOCALES[language], LOCALES[language][:2]
    text = unicodedata.normalize("NFC", text).replace("’", "'")
    text = _abbreviations(language).sub(lambda found: ABBREVIATIONS[language][found[0]], text)
    text = INITIAL.sub(r"\1", text)
    for pattern in (MONEY, MONEY_AFTER):
        text = pattern.sub(lambda found: _money(found, locale), text)
    text = MEASURE.sub(lambda found: _measure(found, locale), text)
    text = ISO_DATE.sub(lambda found: _iso_date(found, locale), text)
    text = SLASH_DATE.sub(lambda found: _slash_date(found, locale), text)
    text = TIME.sub(lambda found: _time(found, locale), text)
    if tongue == "en":
        text = MONTH_DAY.sub(lambda found: f"{found[1]} {_ordinal(int(found[2]))}", text)
        text = DAY_MONTH.sub(lambda found: f"the {_ordinal(int(found[1]))} of {found[2]}", text)
        text = YEAR.sub(_year, text)
    return " ".join("".join(_sayable(character, tongue) for character in text).split())


@cache
def _abbreviations(language: Language) -> re.Pattern[str]:
    longest_first = sorted(ABBREVIATIONS[language], key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def ends_in_abbreviation(text: str, language: Language) -> bool:
    """Whether the full stop at the end of the text belongs to an abbreviation or an initial, so that it goes on."""
    last = max((found.end() for found in _abbreviations(language).finditer(text[-20:])), default=0)
    return last == len(text[-20:]) or re.search(r"(?<!\w)[^\W\d_]\.$", text) is not None


def _money(found: re.Match[str], locale: str) -> str:
    from babel.numbers import get_currency_name

    code = CURRENCIES[found["sign"]]
    whole, part = re.sub(r"\D", "", found["whole"]), found["part"]
    if found["scale"]:
        return f"{whole}{_mark(locale) + part if part else ''} {found['scale']} {_named(code, 2, locale)}"
    count = int(whole)
    cents = int(part.ljust(2, "0")) if part else 0
    one, several, joined_by = CENTS[locale[:2]]
    if locale[:2] == "en" and code == "GBP":
        one, several = "penny", "pence"
    small = f"{cents} {one if cents == 1 else several}" if cents else ""
    if small and not count:
        return small
    large = f"{count} {_named(code, count, locale) if locale[:2] == 'en' else get_currency_name(code, count, locale)}"
    return " ".join(filter(None, (large.lower(), joined_by if small else "", small)))


def _named(code: str, count: int, locale: str) -> str:
    from babel.numbers import get_currency_name

    if locale[:2] == "en" and code in ENGLISH_MONEY:
        return ENGLISH_MONEY[code][count != 1]
    return get_currency_name(code, count, locale)


def _mark(locale: str) -> str:
    from babel.numbers import get_decimal_symbol

    return get_decimal_symbol(locale)


def _measure(found: re.Match[str], locale: str) -> str:
    from babel.units import format_unit

    number = Decimal(re.sub(r"\D", "", found["whole"]) + (f".{found['part']}" if found["part"] else ""))
    return format_unit(number, UNITS[found["unit"]], "long", locale=locale)


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
    month, day = (first, second) if locale == "en_US" else (second, first)
    return _date(found[0], year, month, day, locale)


def _time(found: re.Match[str], locale: str) -> str:
    from babel.units import format_unit

    if "h" in found[0] and locale != "fr":
        return found[0]
    hour, minute, half = int(found[1]), int(found[2]), found[3]
    if locale[:2] != "en":
        return f"{format_unit(hour, 'hour', 'long', locale=locale)} {minute or ''}".strip()
    minutes = f"{minute}" if minute > 9 else f"oh {minute}" if minute else "" if half else "o'clock"
    return " ".join(filter(None, (str(hour), minutes, f"{half.lower()} m" if half else "")))


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _year(found: re.Match[str]) -> str:
    """1999 as nineteen ninety-nine, 1905 as nineteen oh five, 1900 as nineteen hundred."""
    century, rest, decade = found.groups()
    if decade:
        return f"{century} {'hundreds' if rest == '00' else rest + 's'}"
    return f"{century} {'hundred' if rest == '00' else 'oh ' + rest[1] if rest[0] == '0' else rest}"


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
