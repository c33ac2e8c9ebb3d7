"""Text is read as a person would read it; what cannot be said is left out."""

from __future__ import annotations

import pytest

from pipelines.speech_lexicon import ABBREVIATIONS, CENTS, CLOCK, FRACTIONS, LOCALES, WORDS
from pipelines.speech_voices import LANGUAGES, Language
from pipelines.speech_words import ends_in_abbreviation, spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("$5.50", "5 dollars and 50 cents"),
        ("$1", "1 dollar"),
        ("£3.01", "3 pounds and 1 penny"),
        ("$0.99", "99 cents"),
        ("$1,234,567.89", "1,234,567 dollars and 89 cents"),
        ("$1,234", "1,234 dollars"),
        ("$3.499", "3.499 dollars"),
        ("$5 million", "5 million dollars"),
        ("£1m, $2.5bn and €3k", "1 million pounds, 2.5 billion dollars and 3 thousand euros"),
        ("₹500", "500 rupees"),
        ("12 €", "12 euros"),
        ("2026-11-22", "November 22nd, 20 26"),
        ("12/25/1999", "December 25th, 19 99"),
        ("May 3", "May 3rd"),
        ("2026-13-45", "2026-13-45"),
        ("12/25/99", "December 25th, 19 99"),
        ("Apr. 3", "April 3rd"),
        ("3:45 pm", "3 45 PM"),
        ("3.45pm", "3 45 PM"),
        ("10 a.m.", "10 AM"),
        ("12:30:45", "12 30 45"),
        ("3:00", "3 o'clock"),
        ("3:05", "3 oh 5"),
        ("in 1905", "in 19 oh 5"),
        ("in 1900", "in 19 hundred"),
        ("in 2005", "in 2005"),
        ("the 1990s and the '80s", "the 19 nineties and the eighties"),
        ("50%", "50 percent"),
        ("20°C", "20 degrees Celsius"),
        ("1.234 km", "1.234 kilometers"),
        ("3.14159 m", "3.14159 meters"),
        ("5 m/s over 10 m² for 5 min", "5 meters per second over 10 square meters for 5 minutes"),
        ("1/2 cup and 3½ cups", "a half cup and 3 and a half cups"),
        ("10-20 people, pages 3–5", "10 to 20 people, pages 3 to 5"),
        ("1 000 000", "1000000"),
        ("Chapter IV of Henry VIII's life", "Chapter 4 of Henry the 8th's life"),
        ("World War II; today I went", "World War 2; today I went"),
        ("555-123-4567", "5 5 5, 1 2 3, 4 5 6 7"),
        ("+1 (555) 123-4567", "+ 1, 5 5 5, 1 2 3, 4 5 6 7"),
        ("https://www.example.com/a?b=1.", "w w w dot example dot com slash a."),
        ("me@example.org", "me at example dot org"),
        ("**Bold** and # heading", "Bold and heading"),
        ("90 km/h", "90 kilometers per hour"),
        ("Dr. Lee vs. Mr. Ray", "Doctor Lee versus Mister Ray"),
        ("No. 5 is #5", "number 5 is number 5"),
        ("No. I was asleep.", "No. I was asleep."),
        ("on Main St., St. Louis", "on Main Street, Saint Louis"),
        ("J. R. R. Tolkien", "J R R Tolkien"),
        ("version 1.2.3 costs 1.5", "version 1.2.3 costs 1.5"),
        ("Hello 🎉 world 日本語!", "Hello world !"),
        ("naïve café", "naïve café"),
        ("🎉👍🏽", ""),
    ],
)
def test_american_english_is_read_as_it_is_said(written: str, said: str) -> None:
    assert spoken(written, "en-us") == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en-gb", "3/4/2025", "the 3rd of April 20 25"),
        (
            "es",
            "El Sr. Paz pagó 5,50 € el 2026-05-03",
            "El señor Paz pagó 5 euros con 50 céntimos el 3 de mayo de 2026",
        ),
        ("fr-fr", "M. Roux, 15h30, 1 234,50 €", "monsieur Roux, 15 heures 30, 1234 euros et 50 centimes"),
        ("it", "25,30 € alle 15:30", "25 euro e 30 centesimi alle 15 e 30"),
        ("pt-br", "R$ 25,50 e 20%", "25 reais e 50 centavos e 20 por cento"),
        ("hi", "डॉ. शर्मा, 20%", "डॉक्टर शर्मा, 20 प्रतिशत"),
        ("en-gb", "020 7946 0958", "0 2 0, 7 9 4 6, 0 9 5 8"),
        ("es", "1.234,5 km y 1,234 km", "1.234,5 kilómetros y 1,234 kilómetros"),
        ("es", "2 millones €, $1,234", "2 millones de euros, 1234 dólares"),
        ("es", "Felipe VI, Isabel II, siglo XXI", "Felipe 6º, Isabel 2ª, siglo 21"),
        ("es", "10-20 ºC a las 17:30", "10 a 20 grados Celsius a las 17 y 30"),
        ("fr-fr", "Louis XIV, au XVIIe siècle, la 2e fois", "Louis 14, au 17ème siècle, la 2ème fois"),
        ("fr-fr", "N° 5, 3 Md€, 17 h 30, 1h", "numéro 5, 3 milliards d'euros, 17 heures 30, 1 heure"),
        ("it", "n. 5, 5 mln €, www.esempio.it", "numero 5, 5 milioni di euro, w w w punto esempio punto it"),
        ("pt-br", "R$ 5 mi às 17h30", "5 milhões de reais às 17 horas e 30"),
        ("hi", "₹1,00,000 और ३.१४", "100000 रुपए और 3.14"),
        ("hi", "5:30 बजे, 1,234.5 km", "5 बजकर 30 मिनट, 1234.5 किलोमीटर"),
    ],
)
def test_other_languages_have_their_own_words(language: Language, written: str, said: str) -> None:
    assert spoken(written, language) == said


def test_every_language_has_a_locale_and_abbreviations() -> None:
    assert set(LOCALES) == set(ABBREVIATIONS) == set(LANGUAGES)
    tongues = {locale[:2] for locale in LOCALES.values()}
    assert set(WORDS) == set(FRACTIONS) == set(CENTS) == set(CLOCK) | {"en"} == tongues


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [("We met Dr.", True), ("by J.", True), ("at 3 p.m.", True), ("That is all.", False), ("He knew her.", False)],
)
def test_a_full_stop_that_belongs_to_a_word_ends_no_sentence(text: str, goes_on: bool) -> None:
    assert ends_in_abbreviation(text, "en-us") is goes_on


def test_an_abbreviation_of_figures_ends_a_sentence_unless_one_follows() -> None:
    assert ends_in_abbreviation("It is No.", "en-us", " 5.")
    assert not ends_in_abbreviation("I said No.", "en-us", " He left.")
