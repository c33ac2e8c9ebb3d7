"""What a picker says of a model is true, and is text and nothing else."""

from __future__ import annotations

from typing import Any

from pipelines.weights import Availability
from tests.pipelines.fakes import KB, FakeStore, engine, say, spec
from ui.models import describe, option


class Elsewhere(FakeStore):
    """Weights that would have to be fetched."""

    def look(self, weights: Any) -> Availability:
        return Availability(False, 5 * KB, 7 * KB, "a <far> place")


def test_the_facts_say_whether_a_model_is_ready_must_be_fetched_or_does_not_fit() -> None:
    small, large = spec("small", say()), spec("large", say(), resident=200 * KB)
    ready, far = engine(small, large), engine(small, store=Elsewhere())
    assert 'data-fit="good">Ready. Takes 11.0 KiB of memory.' in describe(ready, small)
    assert 'data-fit="bad">Too large for this device: it needs 201.0 KiB of memory.' in describe(ready, large)
    assert 'data-fit="warm">First use fetches 5.0 KiB from a &lt;far&gt; place (7.0 KiB free on disk).' in describe(
        far, small
    )
    assert "Licence: MIT" in describe(ready, small)


def test_the_facts_are_escaped() -> None:
    tricky = spec("tricky", say(), card="<script>alert(1)</script>", licence="<i>")
    assert "<script>" not in describe(engine(tricky), tricky) and "<i>" not in describe(engine(tricky), tricky)


def test_the_picker_says_how_large_a_model_is_and_whether_it_fits() -> None:
    small, large = spec("small", say()), spec("large", say(), resident=200 * KB)
    eng = engine(small, large)
    assert option(eng, small).startswith("Small") and "11.0 KiB" in option(eng, small)
    assert "too large" in option(eng, large) and "too large" not in option(eng, small)
