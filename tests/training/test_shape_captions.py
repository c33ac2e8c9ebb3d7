"""Captions say nothing but what the facts say, the facts what was built, and colours are what they are called."""

from __future__ import annotations

import re

import pytest

from training.shape_captions import NUMBERS, several
from training.shape_data import KINDS, PAINTS, captions, paints, sample
from training.shape_paints import COLOURS, GLASS, MATERIALS, bounds, colour_of, withheld

SEEDS = range(900)
KIND_WORDS = {word for kind in KINDS.values() for name in (kind.name, *kind.also) for word in name.split()}


@pytest.fixture(scope="module")
def things():
    return [(seed, *sample(seed)) for seed in SEEDS]


def inside(rgb, range_):
    return all(low <= value <= high for value, low, high in zip(rgb, *range_, strict=True))


def test_every_paint_is_in_the_range_of_its_word(things):
    for _, shape, facts in things:
        assert inside(shape.palette[0], bounds(facts.material or facts.colour))
        for rgb in shape.palette:
            assert sum(inside(rgb, range_) for range_ in [*map(bounds, PAINTS), GLASS]) == 1


def test_no_two_words_share_a_colour():
    ranges = [*map(bounds, PAINTS), GLASS]
    for i, (low, high) in enumerate(ranges):
        for other_low, other_high in ranges[:i]:
            channels = zip(low, high, other_low, other_high, strict=True)
            assert not all(a <= d and c <= b for a, b, c, d in channels)


def test_withheld_pairs_are_never_sampled_for_training_and_only_they_for_the_test(things):
    assert not any(withheld(facts.kind, facts.colour) for _, _, facts in things)
    held = [sample(seed, held=True)[1] for seed in range(200)]
    assert all(withheld(facts.kind, facts.colour) for facts in held)
    share = sum(withheld(kind, colour) for kind in KINDS for colour in COLOURS) / len(KINDS) / len(COLOURS)
    assert 0.07 < share < 0.13


def test_every_kind_keeps_most_colours_for_training():
    for kind in KINDS:
        assert len({colour_of(word) for word in paints(kind, held=False)}) >= 7


def test_all_kinds_come(things):
    assert {facts.kind for _, _, facts in things} == set(KINDS)


def test_captions_name_the_kind_and_its_paint(things):
    for seed, _, facts in things:
        for text in captions(seed, facts, 4):
            assert any(re.search(rf"\b{name}\b", text) for name in (facts.kind, *KINDS[facts.kind].also)), text
            assert facts.colour in text or (facts.material and facts.material in text), text


def test_every_colour_and_number_in_a_caption_is_in_the_facts(things):
    told = 0  # "two-storey" is one word here, and a trait
    for seed, _, facts in things:
        true = {facts.colour, facts.material, *(feature.paint for feature in facts.features)}
        counts = {NUMBERS[feature.count] for feature in facts.features if feature.count is not None}
        for text in captions(seed, facts, 4):
            words = set(re.findall(r"[a-z-]+", text))
            assert words & {*COLOURS, *MATERIALS} <= true, text
            assert words & set(NUMBERS) <= counts, text
            told += len(words & counts)
    assert told > 500


def test_a_count_is_told_with_its_own_feature(things):
    for seed, _, facts in things:
        for text in captions(seed, facts, 4):
            for feature in facts.features:
                name = several(feature.name)
                for number in re.findall(rf"\b({'|'.join(NUMBERS[2:])}) (?:[a-z]+ )?{re.escape(name)}\b", text):
                    same = {NUMBERS[f.count] for f in facts.features if f.count and name in several(f.name)}
                    assert number in same, text


def test_every_adjective_is_a_trait(things):
    traits = {trait for _, _, facts in things for trait in facts.traits}
    features = {word for _, _, facts in things for feature in facts.features for word in feature.name.split()}
    for seed, _, facts in things:
        for text in captions(seed, facts, 4):
            said = set(re.findall(r"[a-z-]+", text)) & (traits - features - KIND_WORDS)
            assert said <= set(facts.traits), text


def test_traits_do_not_contradict_each_other(things):
    for _, _, facts in things:
        for pair in (("tall", "short"), ("tall", "low"), ("long", "short"), ("wide", "narrow"), ("fat", "slim")):
            assert not set(pair) <= set(facts.traits), facts


def test_captions_are_many_and_repeatable(things):
    for seed, _, facts in things[:50]:
        texts = captions(seed, facts, 6)
        assert len(set(texts)) == len(texts) >= 3
        assert texts == captions(seed, facts, 6)


def test_articles_fit(things):
    for seed, _, facts in things:
        for text in captions(seed, facts, 2):
            assert not re.search(r"\ba [aeiou]", text) and not re.search(r"\ban [^aeiou]", text), text


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("leg", "legs"),
        ("leaf", "leaves"),
        ("yellow foot", "yellow feet"),
        ("window on each side", "windows on each side"),
    ],
)
def test_plurals(one, many):
    assert several(one) == many
