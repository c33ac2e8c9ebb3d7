"""Text is read as a person would read it; what cannot be said is left out."""

from __future__ import annotations

import pytest

from pipelines.speech_voices import LANGUAGES, Language
from pipelines.speech_words import ABBREVIATIONS, LOCALES, ends_in_abbreviation, spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("$5.50", "5 dollars and 50 cents"),
        ("$1", "1 dollar"),
        ("£3.01", "3 pounds and 1 penny"),
        ("$0.99", "99 cents"),
        ("$1,234,567.89", "1234567 dollars and 89 cents"),
        ("$5 million", "5 million dollars"),
        ("12 €", "12 euros"),
        ("2026-11-22", "November 22nd, 20 26"),
        ("12/25/1999", "December 25th, 19 99"),
        ("May 3", "May 3rd"),
        ("2026-13-45", "2026-13-45"),
        ("3:45 pm", "3 45 p m"),
        ("3:00", "3 o'clock"),
        ("3:05", "3 oh 5"),
        ("in 1905", "in 19 oh 5"),
        ("in 1900", "in 19 hundred"),
        ("in 2005", "in 2005"),
        ("the 1990s", "the 19 90s"),
        ("50%", "50 percent"),
        ("20°C", "20 degrees Celsius"),
        ("90 km/h", "90 kilometers per hour"),
        ("Dr. Lee vs. Mr. Ray", "Doctor Lee versus Mister Ray"),
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
        ("it", "25,30 € alle 15:30", "25 euro e 30 centesimi alle 15 ore 30"),
        ("pt-br", "R$ 25,50 e 20%", "25 reais brasileiros e 50 centavos e 20 por cento"),
        ("hi", "डॉ. शर्मा, 20%", "डॉक्टर शर्मा, 20 प्रतिशत"),
    ],
)
def test_other_languages_have_their_own_words(language: Language, written: str, said: str) -> None:
    assert spoken(written, language) == said


def test_every_language_has_a_locale_and_abbreviations() -> None:
    assert set(LOCALES) == set(ABBREVIATIONS) == set(LANGUAGES)


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [("We met Dr.", True), ("by J.", True), ("at 3 p.m.", True), ("That is all.", False), ("He knew her.", False)],
)
def test_a_full_stop_that_belongs_to_a_word_ends_no_sentence(text: str, goes_on: bool) -> None:
    assert ends_in_abbreviation(text, "en-us") is goes_on
