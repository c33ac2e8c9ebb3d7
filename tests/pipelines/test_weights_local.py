"""Weights that are on this machine already."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cache import default_folder
from pipelines.errors import BadWeights
from pipelines.events import Update
from pipelines.weights import Bundled, Local, Store


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
