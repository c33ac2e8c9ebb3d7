"""Weights from the hub: a hub on this machine, asked by the real huggingface_hub."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest

from pipelines.errors import BadWeights, DiskFull, DownloadFailed, PolymuseError
from pipelines.events import Progress, Update
from pipelines.weights import Fetched, Hub, Store
from tests.fakes.hub import COMMIT, publish
from tests.fakes.web import Asked, Web

LATER = "b" * 40
TENSORS = random.Random(0).randbytes(300_000)
FILES = {
    "config.json": b"{}",
    "text/model.safetensors": TENSORS,
    "tokenizer.json": b'{"a": 1}',
    "chat_template.jinja": b"{{ messages }}",
    "consolidated.safetensors": b"the same again",
    "pytorch_model.bin": b"a pickle",
    "training_args.pt": b"a pickle",
    "modeling_odd.py": b"code",
    "README.md": b"words",
}
WANTED = ["chat_template.jinja", "config.json", "text/model.safetensors", "tokenizer.json"]
MODEL = Hub("people/model", size=301_000)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Web]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Web() as server:
        publish(server, FILES)
        yield server


def store(web: Web, tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", hub_endpoint=web.url)


def ignore(update: Update) -> None:
    """Nobody watches."""


def names(fetched: Fetched) -> list[str]:
    files = [path.relative_to(fetched.path).as_posix() for path in fetched.path.rglob("*") if path.is_file()]
    return sorted(name for name in files if not name.startswith("."))


def test_a_branch_becomes_a_commit_and_only_safe_files_come(web: Web, tmp_path: Path) -> None:
    here = store(web, tmp_path)
    before = here.look(MODEL)
    assert (before.present, before.download, before.source) == (False, 301_000, "Hugging Face people/model")
    told: list[Update] = []
    fetched = here.fetch(MODEL, told.append)
    assert fetched.revision == COMMIT
    assert names(fetched) == WANTED
    assert (fetched.path / "text/model.safetensors").read_bytes() == TENSORS
    assert here.look(MODEL).present

    total = sum(len(FILES[name]) for name in WANTED)
    counted = [each for each in told if isinstance(each, Progress) and each.label == "Fetching people/model"]
    assert (counted[0].done, counted[-1].done) == (0, total)
    assert {each.total for each in counted} == {total}


def test_what_was_fetched_needs_no_hub_whether_pinned_or_a_branch(web: Web, tmp_path: Path) -> None:
    by_branch = store(web, tmp_path).fetch(MODEL, ignore)
    offline = Store(tmp_path / "cache", offline=True)
    assert offline.fetch(MODEL, ignore) == by_branch
    assert offline.fetch(Hub("people/model", revision=COMMIT), ignore) == by_branch
    with pytest.raises(DownloadFailed, match=r"people/model is not in .*runs offline.*copy"):
        offline.fetch(Hub("people/model", revision=LATER), ignore)


def test_a_model_does_not_change_between_two_loads(web: Web, tmp_path: Path) -> None:
    store(web, tmp_path).fetch(MODEL, ignore)
    publish(web, {**FILES, "config.json": b'{"new": true}'}, commit=LATER)
    assert store(web, tmp_path).fetch(MODEL, ignore).revision == COMMIT
    assert store(web, tmp_path).fetch(Hub("people/model", revision=LATER), ignore).revision == LATER


def test_patterns_choose_and_leave_out_but_never_admit_code(web: Web, tmp_path: Path) -> None:
    everything = Hub("people/model", patterns=("*", "!*.md"))
    assert names(store(web, tmp_path).fetch(everything, ignore)) == sorted([*WANTED, "consolidated.safetensors"])
    assert not store(web, tmp_path).look(MODEL).present  # another choice of files is another folder


def test_a_repository_without_safe_weights_is_refused_by_name(web: Web, tmp_path: Path) -> None:
    publish(web, {"config.json": b"{}", "pytorch_model.bin": b"a pickle"})
    with pytest.raises(BadWeights, match=r"no safetensors.*such as pytorch_model.bin.*Choose"):
        store(web, tmp_path).fetch(MODEL, ignore)
    assert web.served(f"/people/model/resolve/{COMMIT}/config.json") == []


def test_names_that_lead_out_of_the_folder_are_not_fetched(web: Web, tmp_path: Path) -> None:
    publish(
        web, {"model.safetensors": TENSORS, "../../evil.json": b"{}", "/tmp/evil.json": b"{}", "..\\evil.json": b"{}"}
    )
    assert names(store(web, tmp_path).fetch(MODEL, ignore)) == ["model.safetensors"]
    assert not list(tmp_path.rglob("*evil*"))


def test_an_interrupted_download_fetches_only_what_is_missing(web: Web, tmp_path: Path) -> None:
    path = f"/people/model/resolve/{COMMIT}/text/model.safetensors"
    web.cuts[path] = [200_000, 0]
    with pytest.raises(DownloadFailed, match="try again"):
        store(web, tmp_path).fetch(MODEL, ignore)
    web.asked.clear()
    told: list[Update] = []
    assert names(store(web, tmp_path).fetch(MODEL, told.append)) == WANTED
    assert web.served(path) == ["bytes=200000-"]
    assert web.served(f"/people/model/resolve/{COMMIT}/config.json") == []
    first = next(each for each in told if isinstance(each, Progress) and each.total)
    assert first.done == 200_002


@pytest.mark.parametrize("name", ["text/model.safetensors", "config.json"])
def test_a_file_that_is_not_what_the_hub_declared_is_refused(web: Web, tmp_path: Path, name: str) -> None:
    path = f"/people/model/resolve/{COMMIT}/{name}"
    web.files[path] = web.files[path][::-1]
    with pytest.raises(BadWeights, match="not the file that was declared"):
        store(web, tmp_path).fetch(MODEL, ignore)
    assert not (tmp_path / "cache" / "ready").exists()


def test_a_full_disk_is_told_before_anything_is_fetched(web: Web, tmp_path: Path) -> None:
    with pytest.raises(
        DiskFull, match=r"people/model needs 293.0 KiB of disk, but only 1.0 KiB are free.*POLYMUSE_CACHE"
    ):
        Store(tmp_path / "cache", hub_endpoint=web.url, disk_free=lambda path: 1024).fetch(MODEL, ignore)
    assert not [asked for asked in web.asked if "/resolve/" in asked.path]


@pytest.mark.parametrize(
    ("status", "code", "complaint"),
    [
        (403, "GatedRepo", "Accept it at http.*people/model, log in here with “hf auth login”"),
        (401, "GatedRepo", "accepted its licence"),
        (401, "", "not on the hub, or is private or gated.*hf auth login"),
        (404, "RepoNotFound", "not on the hub, or is private or gated"),
        (404, "RevisionNotFound", "has no revision “main”"),
        (503, "", "The hub is busy .HTTP 503"),
    ],
)
def test_a_refusal_of_the_hub_says_what_to_do(
    web: Web, tmp_path: Path, status: int, code: str, complaint: str
) -> None:
    web.refuse = lambda asked: status
    web.error_headers = {"X-Error-Code": code} if code else {}
    with pytest.raises(PolymuseError, match=complaint):
        store(web, tmp_path).fetch(MODEL, ignore)


@pytest.mark.parametrize(("status", "complaint"), [(403, "Accept it at"), (401, "hf auth login"), (503, "busy")])
def test_a_refused_file_says_what_to_do(web: Web, tmp_path: Path, status: int, complaint: str) -> None:
    """Everybody may look at a gated repository; the files are what is gated."""
    web.refuse = lambda asked: status if "/resolve/" in asked.path else 0
    with pytest.raises(DownloadFailed, match=complaint):
        store(web, tmp_path).fetch(MODEL, ignore)


def test_a_hub_that_is_not_there_names_the_network(tmp_path: Path) -> None:
    with Web() as gone:
        pass
    with pytest.raises(DownloadFailed, match=r"could not be asked.*Check the network"):
        store(gone, tmp_path).fetch(MODEL, ignore)


def test_an_answer_that_is_not_the_hubs_names_the_network(web: Web, tmp_path: Path) -> None:
    web.files["/api/models/people/model/revision/main"] = b"<html>Welcome to the hotel. Log in here.</html>"
    with pytest.raises(DownloadFailed, match=r"could not be asked.*Check the network"):
        store(web, tmp_path).fetch(MODEL, ignore)


def test_a_name_that_no_repository_can_have_is_refused(web: Web, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="organisation/name"):
        store(web, tmp_path).fetch(Hub("not a name"), ignore)


def test_the_token_goes_to_the_hub_and_nowhere_else(web: Web, tmp_path: Path) -> None:
    """Large files live on another host, to which the hub redirects."""
    path = f"/people/model/resolve/{COMMIT}/text/model.safetensors"
    with Web({"/blob": web.files.pop(path)}) as elsewhere:
        web.redirect[path] = elsewhere.url.replace("127.0.0.1", "localhost") + "/blob"
        store(web, tmp_path).fetch(MODEL, ignore)
    token = "Bearer hf_secret"
    assert {_authorization(asked) for asked in web.asked} == {token}
    assert [_authorization(asked) for asked in elsewhere.asked] == [""]


def _authorization(asked: Asked) -> str:
    return {name.lower(): value for name, value in asked.headers.items()}.get("authorization", "")


def test_what_the_hubs_own_cache_holds_is_linked_and_checked_not_fetched(web: Web, tmp_path: Path) -> None:
    repo = tmp_path / "hf" / "models--people--model"
    for name in ("text/model.safetensors", "tokenizer.json"):
        path = repo / "snapshots" / COMMIT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FILES[name])
    (repo / "snapshots" / COMMIT / "tokenizer.json").write_bytes(FILES["tokenizer.json"][::-1])  # damaged
    fetched = store(web, tmp_path).fetch(MODEL, ignore)
    assert web.served(f"/people/model/resolve/{COMMIT}/text/model.safetensors") == []
    assert web.served(f"/people/model/resolve/{COMMIT}/tokenizer.json") == [""]
    assert (fetched.path / "text/model.safetensors").samefile(repo / "snapshots" / COMMIT / "text/model.safetensors")
    assert (fetched.path / "tokenizer.json").read_bytes() == FILES["tokenizer.json"]
