"""Pictures in a conversation: kept small and plain, each with its message, found again after a reload."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines.chat import MOST_PICTURES, ChatRequest, Message
from pipelines.errors import BadRequest
from tests.pipelines.fakes import engine, say, spec
from ui import chat_album
from ui.chat_talk import Conversation, restored
from ui.chat_tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(folder=tmp_path)


def upload(folder: Path, name: str = "photo.jpg", size: tuple[int, int] = (64, 48), **options: Any) -> str:
    (folder / "uploads").mkdir(exist_ok=True)
    path = folder / "uploads" / name
    Image.new("RGB", size, "teal").save(path, **options)
    return str(path)


def test_what_is_kept_is_small_and_says_nothing_of_where_it_was_taken(tree: Tree, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.6)}
    (kept,) = chat_album.taken([upload(tmp_path, size=(4_000, 1_000), exif=exif)], tree)
    picture = Image.open(io.BytesIO(kept.read_bytes()))
    assert picture.size == (chat_album.SIDE, chat_album.SIDE // 4)
    assert not picture.getexif()
    assert kept.parent == tree.folder and tree.used


def test_the_same_picture_is_kept_once(tree: Tree, tmp_path: Path) -> None:
    one, other = (chat_album.taken([upload(tmp_path, name)], tree) for name in ("a.png", "b.png"))
    assert one == other


def test_what_is_no_picture_is_refused_by_its_name_and_nothing_is_kept(tree: Tree, tmp_path: Path) -> None:
    good = upload(tmp_path)
    (bad := tmp_path / "notes.png").write_text("not a picture")
    with pytest.raises(BadRequest, match=r"“notes\.png” is not a picture"):
        chat_album.taken([good, str(bad)], tree)
    assert not list(tmp_path.glob("*.webp"))


def test_a_conversation_has_no_more_pictures_than_a_request_takes(tree: Tree, tmp_path: Path) -> None:
    (path,) = chat_album.taken([upload(tmp_path)], tree)
    assert len(chat_album.images([path] * MOST_PICTURES)) == MOST_PICTURES
    with pytest.raises(BadRequest, match="Begin a new conversation"):
        chat_album.images([path] * (MOST_PICTURES + 1))
    with pytest.raises(BadRequest, match="too many"):
        chat_album.taken([str(path)] * (MOST_PICTURES + 1), tree)


def test_a_picture_that_is_gone_is_missed_in_words(tree: Tree) -> None:
    with pytest.raises(BadRequest, match="no longer here"):
        chat_album.images([Path("/nowhere/picture.webp")])


def talk_of(paths: list[Path]) -> Conversation:
    messages = [
        Message(role="user", content="these", pictures=2),
        Message(role="assistant", content="yes"),
        Message(role="user", content="and this", pictures=1),
    ]
    return Conversation(messages, paths)


def three(tree: Tree, folder: Path) -> list[Path]:
    sizes = ((8, 8), (8, 9), (8, 10))
    return chat_album.taken([upload(folder, f"{n}.png", size) for n, size in enumerate(sizes)], tree)


def test_each_message_is_shown_below_its_own_pictures(tree: Tree, tmp_path: Path) -> None:
    paths = three(tree, tmp_path)
    shown = talk_of(paths).shown()
    assert [message["role"] for message in shown] == ["user", "user", "assistant", "user", "user"]
    first, these, answer, second, this = (message["content"] for message in shown)
    assert [part["file"]["path"] for part in first] == [str(path) for path in paths[:2]]
    assert [part["file"]["path"] for part in second] == [str(paths[2])]
    assert [text["text"] for (text,) in (these, answer, this)] == ["these", "yes", "and this"]


def test_a_message_with_pictures_is_found_by_its_text_and_place_among_them(tree: Tree, tmp_path: Path) -> None:
    talk = talk_of(three(tree, tmp_path))
    talk.messages += [Message(role="assistant", content="so"), Message(role="user", content="and this")]
    shown = [(message["role"], message["content"][0].get("text")) for message in talk.shown()]
    assert [talk.find("and this", place) for place, one in enumerate(shown) if one == ("user", "and this")] == [2, 4]
    assert talk.find("these", 1) == 0


def test_pictures_are_found_again_after_a_reload(tree: Tree, tmp_path: Path) -> None:
    talk = talk_of(three(tree, tmp_path))
    back = restored(talk.saved(), tree.folder)
    assert (back.messages, back.album) == (talk.messages, talk.album)


def test_pictures_that_are_gone_leave_the_words(tree: Tree, tmp_path: Path) -> None:
    talk = talk_of(three(tree, tmp_path))
    talk.album[0].unlink()
    back = restored(talk.saved(), tree.folder)
    assert back.album == talk.album[1:] and [message.pictures for message in back.messages] == [1, 0, 1]
    blind = restored(talk.saved(), None)
    assert blind.album == [] and [message.content for message in blind.messages] == ["these", "yes", "and this"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "photo.webp", "/etc/passwd", "0" * 64 + ".svg"])
def test_a_browser_cannot_name_other_files(name: str, tmp_path: Path) -> None:
    saved = [{"role": "user", "content": "look", "names": [name]}]
    assert restored(saved, tmp_path).messages == []


def test_a_branch_fits_only_the_conversation_with_its_pictures(tree: Tree, tmp_path: Path) -> None:
    (path,) = chat_album.taken([upload(tmp_path)], tree)
    request = ChatRequest(message="look", xray=True, images=chat_album.images([path]))
    tree.begin(request)
    assert tree.fits([Message(role="user", content="look", pictures=1)])
    assert not tree.fits([Message(role="user", content="look")])


def test_a_model_that_cannot_see_is_told_apart_with_those_that_can(tree: Tree, tmp_path: Path) -> None:
    blind = spec("blind", say(), request=ChatRequest)
    seeing = spec("seeing", say(), request=ChatRequest, limits={"context": 9, "pictures": 4})
    images = chat_album.images(chat_album.taken([upload(tmp_path)], tree))
    with closing(engine(blind, seeing)) as eng:
        chat_album.check(eng, ChatRequest(message="look", images=images, model="seeing"))
        chat_album.check(eng, ChatRequest(message="look", model="blind"))
        with pytest.raises(BadRequest, match=rf"{blind.title} cannot see pictures.*{seeing.title}"):
            chat_album.check(eng, ChatRequest(message="look", images=images, model="blind"))
    with closing(engine(blind)) as eng, pytest.raises(BadRequest, match="No model here can"):
        chat_album.check(eng, ChatRequest(message="look", images=images, model="blind"))
