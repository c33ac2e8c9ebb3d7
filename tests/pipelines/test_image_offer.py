"""What an image request can name: repositories and LoRAs from a hub on this machine, through the real engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from pipelines.device import Device
from pipelines.engine import LocalEngine
from pipelines.errors import BadRequest, BadWeights, DoesNotFit, DownloadFailed, PolymuseError, UnknownModel
from pipelines.events import Preview, Progress, Result
from pipelines.image_catalog import LoadImage, image_model
from pipelines.image_families import MadeFor
from pipelines.image_lora import Lora
from pipelines.image_offer import Offer
from pipelines.image_request import ImageRequest
from pipelines.job import Job
from pipelines.memory import Memory
from pipelines.spec import Registry
from pipelines.weights import Hub, Local, Store
from tests.fakes.hub import COMMIT, folder, publish
from tests.fakes.web import Web
from tests.pipelines import tiny_image

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # in diffusers
]

GIB = 2**30
CPU = Device("cpu", "a CPU", 64 * GIB, half=False)
GPU = Device("cuda", "a GPU", 24 * GIB, half=True)
SMALL = MadeFor(3, 5.0, 64, 64 * 64)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return folder(tiny_image.save(tmp_path_factory.mktemp("sd")))


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_image.save_lora(tmp_path_factory.mktemp("lora"))


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Web]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Web() as server:
        yield server


def store(web: Web, tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", hub_endpoint=web.url)


def engine(web: Web, tmp_path: Path, offer: Offer, *models: Any, budget: int = 64 * GIB) -> LocalEngine:
    registry = Registry([offer.of(spec) for spec in models], offer.named)
    return LocalEngine(registry, CPU, store(web, tmp_path), Memory(budget, lambda: 64 * GIB))


def ask(**settings: Any) -> ImageRequest:
    return ImageRequest(prompt="a red cat", **{"steps": 3, "width": 64, "height": 64, **settings})


def result(job: Job) -> Result:
    *_, last = job
    assert isinstance(last, Result)
    return last


def pixels(job: Job) -> bytes:
    return result(job).artifact.pictures[0].image.tobytes()  # type: ignore[union-attr]


def here(path: Path, made_for: MadeFor = SMALL) -> Any:
    facts = {"id": "mine", "title": "Mine", "licence": "MIT", "card": "Tiny.", "parts": (1_000_000,)}
    return image_model(CPU, weights=Local(str(path)), made_for=made_for, **facts)


# Repositories -------------------------------------------------------------------------------------------------------


def test_a_typed_repository_is_counted_fetched_and_drawn_with(
    web: Web, tmp_path: Path, model: dict[str, bytes]
) -> None:
    publish(web, model, pipeline="StableDiffusionPipeline")
    eng = engine(web, tmp_path, Offer(CPU, typed=True))
    done = result(eng.submit("people/model", ask(model="people/model"), "ann"))
    assert done.recipe.model == "people/model" and COMMIT in done.recipe.revision
    (held,) = eng.status().models
    parameters = _parameters(model)
    assert 4 * parameters < held.resident < 4 * parameters * 1.1 + 16 * 5_000_000
    asked = len(web.asked)
    assert result(eng.submit("people/model", ask(seed=2), "ann")).recipe.seed == 2
    assert len(web.asked) == asked, "what is here is counted here"
    eng.close()


def _parameters(files: dict[str, bytes]) -> int:
    from safetensors.torch import load

    return sum(
        tensor.numel()
        for name, content in files.items()
        if name.endswith(".safetensors")
        for tensor in load(content).values()
    )


def test_the_hub_and_the_folder_count_alike(web: Web, tmp_path: Path, model: dict[str, bytes]) -> None:
    publish(web, model, pipeline="StableDiffusionPipeline")
    hub, at = Hub("people/model"), store(web, tmp_path)
    asked = at.contents(hub, lambda update: None)
    assert not web.served(f"/people/model/resolve/{COMMIT}/model_index.json"), "nothing is fetched to count it"
    at.fetch(hub, lambda update: None)
    counted = at.contents(hub, lambda update: None)
    assert asked.parameters == counted.parameters and sum(asked.parameters.values()) == _parameters(model)
    assert asked.pipeline == counted.pipeline == "StableDiffusionPipeline"


def test_a_revision_can_be_typed(web: Web, tmp_path: Path, model: dict[str, bytes]) -> None:
    publish(web, model, branch="v2")
    eng = engine(web, tmp_path, Offer(CPU, typed=True))
    assert COMMIT in result(eng.submit("people/model@v2", ask(), "ann")).recipe.revision
    with pytest.raises(PolymuseError, match="not on the hub"):
        result(eng.submit("people/model@v3", ask(), "ann"))
    eng.close()


@pytest.mark.parametrize(
    ("pipeline", "without", "error", "message"),
    [
        ("", "model_index.json", BadRequest, "people/model has no model_index.json, so it is no diffusers pipeline"),
        ("ShapEPipeline", "", BadRequest, "people/model is a ShapEPipeline, which cannot be run here"),
        ("", "safetensors", BadWeights, "people/model at main has no safetensors"),
    ],
)
def test_a_repository_that_cannot_be_run_is_refused_before_it_is_fetched(
    web: Web, tmp_path: Path, model: dict[str, bytes], pipeline: str, without: str, error: type, message: str
) -> None:
    publish(web, {name: data for name, data in model.items() if not without or without not in name}, pipeline=pipeline)
    eng = engine(web, tmp_path, Offer(CPU, typed=True))
    with pytest.raises(error, match=message):
        result(eng.submit("people/model", ask(), "ann"))
    assert _fetched_whole(web) == []
    eng.close()


def test_one_that_is_too_large_is_refused_before_it_is_fetched(
    web: Web, tmp_path: Path, model: dict[str, bytes]
) -> None:
    publish(web, model, pipeline="StableDiffusionPipeline")
    eng = engine(web, tmp_path, Offer(CPU, typed=True), budget=2**20)
    with pytest.raises(DoesNotFit, match="people/model needs"):
        result(eng.submit("people/model", ask(), "ann"))
    assert _fetched_whole(web) == []
    eng.close()


def _fetched_whole(web: Web) -> list[str]:
    return [each.path for each in web.asked if "/resolve/" in each.path and not each.range.endswith("-100000")]


def test_one_that_is_gated_or_out_of_reach_says_what_to_do(web: Web, tmp_path: Path, model: dict[str, bytes]) -> None:
    publish(web, model)
    eng = engine(web, tmp_path, Offer(CPU, typed=True))
    web.refuse = lambda asked: 403 if "/resolve/" in asked.path else 0
    web.error_headers = {"X-Error-Code": "GatedRepo"}
    with pytest.raises(DownloadFailed, match="accepted its licence"):
        result(eng.submit("people/model", ask(), "ann"))
    eng.close()
    away = LocalEngine(
        Registry([], Offer(CPU, typed=True).named),
        CPU,
        Store(tmp_path / "new", offline=True),
        Memory(GIB, lambda: GIB),
    )
    with pytest.raises(DownloadFailed, match="runs offline"):
        result(away.submit("people/model", ask(), "ann"))
    away.close()


def test_a_part_without_safetensors_is_named_as_the_reason(web: Web, tmp_path: Path, model: dict[str, bytes]) -> None:
    publish(web, {name: data for name, data in model.items() if name != "vae/diffusion_pytorch_model.safetensors"})
    eng = engine(web, tmp_path, Offer(CPU, typed=True))
    with pytest.raises(BadWeights, match="a part of it has no safetensors"):
        result(eng.submit("people/model", ask(), "ann"))
    eng.close()


@pytest.mark.parametrize("name", ["people", "/etc/passwd", "../people/model", "people/model@", "a/b/c", "p/m@../x"])
def test_what_is_no_repository_is_an_unknown_model(name: str) -> None:
    with pytest.raises(UnknownModel):
        Registry([], Offer(CPU, typed=True).named)[name]


def test_nothing_can_be_typed_where_that_is_not_allowed() -> None:
    with pytest.raises(UnknownModel):
        Registry([], Offer(CPU).named)["people/model"]
    assert "people/model" not in Registry([], Offer(CPU, typed=True).named), "only what is listed is in the list"


# LoRAs --------------------------------------------------------------------------------------------------------------


def test_runs_with_and_without_a_lora_in_turns_draw_what_each_draws_alone(
    web: Web, tmp_path: Path, model: dict[str, bytes], lora: Path
) -> None:
    publish(web, model)
    publish(web, {"pytorch_lora_weights.safetensors": lora.read_bytes()}, repo="people/inks")
    eng = engine(web, tmp_path, Offer(CPU, typed=True))
    requests = [ask(), ask(lora="people/inks"), ask(lora="people/inks", lora_scale=0.5)]
    alone = [pixels(eng.submit("people/model", request, "ann")) for request in requests]
    assert len(set(alone)) == 3
    assert pixels(eng.submit("people/model", ask(lora="people/inks", lora_scale=0), "ann")) == alone[0]
    long = [request.model_copy(update={"steps": 12}) for request in requests]
    alone = [pixels(eng.submit("people/model", request, "ann")) for request in long]
    jobs = [eng.submit("people/model", request, f"user {n}") for n, request in enumerate(long)]
    together: dict[int, bytes] = {}
    order: list[int] = []

    def read(number: int, job: Job) -> None:
        for event in job:
            order.append(number)
            if isinstance(event, Result):
                together[number] = event.artifact.pictures[0].image.tobytes()  # type: ignore[union-attr]

    readers = [threading.Thread(target=read, args=each) for each in enumerate(jobs)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(60)
    assert [together[number] for number in range(3)] == alone
    assert {held.id for held in eng.status().models} == {
        "people/model",
        "people/model+people/inks@1",
        "people/model+people/inks@0.5",
    }
    eng.close()


def test_a_lora_of_the_servers_own_comes_from_a_path_that_no_visitor_can_type(
    web: Web, tmp_path: Path, model: dict[str, bytes], lora: Path
) -> None:
    for name, content in model.items():
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(content)
    offer = Offer(CPU, loras=(Lora("inks", "Inks", Local(str(lora))),))
    eng = engine(web, tmp_path, offer, here(tmp_path / "mine"))
    done = result(eng.submit("mine", ask(lora="inks", lora_scale=0.8), "ann"))
    assert done.recipe.model == "mine" and done.recipe.options["lora"] == "inks"
    assert done.recipe.options["lora_scale"] == 0.8
    (held,) = eng.status().models
    assert (held.id, held.title) == ("mine+inks@0.8", "Mine with Inks")
    for typed in (str(lora), "people/inks"):
        with pytest.raises(BadRequest, match=r"There is no LoRA “.*” here. This server has: inks\.$"):
            result(eng.submit("mine", ask(lora=typed), "ann"))
    eng.close()


@pytest.mark.parametrize(
    ("files", "typed", "message"),
    [
        (("a.safetensors", "b.safetensors"), "people/inks", "people/inks has 2 files. Say which one, such as “peop"),
        (("pytorch_lora_weights.bin",), "people/inks", "only formats that can run code, such as pytorch_lora_weights"),
        (("a.safetensors",), "people/inks:b.safetensors", "people/inks at main has no safetensors"),
        (("a.safetensors",), "people/none", "people/none is not on the hub"),
    ],
)
def test_a_repository_in_which_no_lora_is_meant_is_refused(
    web: Web, tmp_path: Path, files: tuple[str, ...], typed: str, message: str, lora: Path
) -> None:
    publish(web, dict.fromkeys(files, lora.read_bytes()), repo="people/inks")
    eng = engine(web, tmp_path, Offer(CPU, typed=True), here(tmp_path / "not fetched any more"))
    with pytest.raises(PolymuseError, match=message):
        result(eng.submit("mine", ask(lora=typed), "ann"))
    eng.close()


def test_the_only_file_of_a_repository_is_meant(web: Web, tmp_path: Path, lora: Path) -> None:
    publish(web, {"ink.safetensors": lora.read_bytes(), "README.md": b"words"}, repo="people/inks")
    offer = Offer(CPU, typed=True)
    spec = offer(offer.of(here(tmp_path)), ask(lora="people/inks"), store(web, tmp_path), lambda update: None)
    assert dict(spec.weights.parts)["lora"] == Hub("people/inks", patterns=("ink.safetensors",))  # type: ignore[union-attr]


# Part by part -------------------------------------------------------------------------------------------------------


def test_a_catalog_model_that_a_gpu_cannot_hold_whole_is_held_part_by_part() -> None:
    facts = {"id": "big", "title": "Big", "licence": "MIT", "card": "Large.", "made_for": MadeFor(4, 0.0, 512, 512**2)}
    big = image_model(GPU, weights=Hub("a/b"), parts=(6 * 10**9, 4 * 10**9, 10**8), **facts)  # type: ignore[arg-type]
    held = Offer(GPU, 18 * GIB, ram=64 * GIB).of(big)
    assert isinstance(held.load, LoadImage) and held.load.offload
    assert 6 * 10**9 * 2 < held.resident < 6 * 10**9 * 2 + 10**8 < big.resident
    assert held.resident + held.working <= 18 * GIB < held.resident + 2 * held.working
    assert "part by part" in held.sized_by
    for offer in (Offer(GPU, 30 * GIB, ram=64 * GIB), Offer(GPU, 18 * GIB, ram=16 * GIB), Offer(GPU, 8 * GIB)):
        assert replace(offer.of(big), settle=None) == big


def test_progress_tells_that_the_hub_is_asked(web: Web, tmp_path: Path, model: dict[str, bytes]) -> None:
    publish(web, model)
    eng = engine(web, tmp_path, Offer(CPU, typed=True))
    events = list(eng.submit("people/model", ask(), "ann"))
    labels = [event.label for event in events if isinstance(event, Progress)]
    assert labels[0] == "Finding people/model" and any(isinstance(event, Preview) for event in events)
    eng.close()
