"""Chat about pictures on the real classes of every vision family in the catalog, at tiny size."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines import catalog_file, chat_vision
from pipelines.chat import MOST_PICTURES, ChatRequest, Continuation, Message
from pipelines.chat_vision import Scene, SeeingPipeline
from pipelines.decode import PREFILL
from pipelines.engine import LocalEngine
from pipelines.errors import BadRequest
from pipelines.events import Cancelled, Progress, Result, Token, Update
from pipelines.memory import Memory
from pipelines.spec import Registry, validate
from pipelines.weights import Store
from tests.pipelines import tiny, tiny_vision
from tests.pipelines.fakes import CPU

CONTEXT = 1_024


@pytest.fixture(scope="module", params=tiny_vision.FAMILIES)
def family(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, one_thread: None
) -> SeeingPipeline:
    return chat_vision.load(CPU, tiny_vision.save(tmp_path_factory.mktemp("tiny"), request.param), CONTEXT)


def picture(colour: Any = "red", size: tuple[int, int] = (48, 40), format: str = "PNG", mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, format)
    return buffer.getvalue()


def ask(message: str = "What is this?", *images: bytes, **settings: Any) -> ChatRequest:
    given = {"message": message, "images": images, "max_new_tokens": 12, "temperature": 1.0, "top_p": 0.95}
    return ChatRequest(**{**given, **settings})


def run(pipeline: SeeingPipeline, request: ChatRequest) -> tuple[str, list[Update]]:
    events: list[Update] = []
    return pipeline.run(request, events.append).text, events


def tokens(events: list[Update]) -> list[Token]:
    return [event for event in events if isinstance(event, Token)]


def scene(pipeline: SeeingPipeline, request: ChatRequest) -> Scene:
    read, _ = pipeline._prompt(request)
    assert isinstance(read, Scene)
    return read


def test_what_a_picture_shows_changes_the_answer_and_the_same_says_the_same(family: SeeingPipeline) -> None:
    red, again, blue, blind = (
        run(family, ask("What is this?", *images))[0]
        for images in ((picture("red"),), (picture("red"),), (picture("blue"),), ())
    )
    assert red == again
    assert len({red, blue, blind}) == 3


def test_the_answer_streams_and_its_tokens_are_its_text(family: SeeingPipeline) -> None:
    text, events = run(family, ask("Hi", picture(), seed=3))
    assert isinstance(events[0], Progress) and events[0].label == "Looking"
    assert text == "".join(token.text for token in tokens(events))
    assert 1 < len(tokens(events)) <= 12 and all(0 < token.p <= 1 for token in tokens(events))


def test_greedy_text_is_what_generate_writes(family: SeeingPipeline) -> None:
    import torch

    request = ask("Compare.", picture("red"), picture("blue", (64, 24)), temperature=0)
    read = scene(family, request)
    whole = {name: one for name, one in read.shown.items() if name not in ("mm_token_type_ids",)}
    if "mm_token_type_ids" in read.shown:
        kinds = torch.zeros(1, len(read), dtype=torch.int32)
        kinds[:, : read.until] = read.shown["mm_token_type_ids"]
        whole["mm_token_type_ids"] = kinds
    ids = torch.tensor([list(read)])
    written = family.writer.model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), **whole, do_sample=False, max_new_tokens=12
    )
    expected = written[0, len(read) :].tolist()
    assert [token.id for token in tokens(run(family, request)[1])] == [
        one for one in expected if one not in family._ends
    ]


def test_stopping_ends_it_before_the_next_token(family: SeeingPipeline) -> None:
    events: list[Update] = []

    def emit(update: Update) -> None:
        if len(tokens(events)) == 3:
            raise Cancelled
        events.append(update)

    with pytest.raises(Cancelled):
        family.run(ask("Hi", picture(), max_new_tokens=200, temperature=2, top_p=1), emit)
    assert len(tokens(events)) == 3


def test_stopping_while_it_looks_or_reads_ends_it_there(family: SeeingPipeline) -> None:
    def stop_at(label: str) -> None:
        def emit(update: Update) -> None:
            if isinstance(update, Progress) and update.label == label:
                raise Cancelled
            assert not isinstance(update, Token)

        with pytest.raises(Cancelled):
            family.run(ask("word " * 80, picture()), emit)

    stop_at("Looking")
    stop_at("Reading")


def test_two_requests_that_take_turns_do_not_disturb_each_other(family: SeeingPipeline) -> None:
    """What a model keeps of positions is one request's own."""
    one, other = ask("Hi", picture("red", (96, 32)), seed=1), ask("x" * PREFILL, picture("blue", (32, 96)), seed=2)
    alone = run(family, one)[0], run(family, other)[0]
    inner: list[str] = []

    def emit(update: Update) -> None:
        if isinstance(update, Token) and not inner:
            inner.append(run(family, other)[0])
            run(family, ask("no picture"))

    assert (family.run(one, emit).text, inner[0]) == alone


def test_xray_and_branches_work_as_without_pictures(family: SeeingPipeline) -> None:
    request = ask("Hi", picture(), seed=5)
    plain, watched = run(family, request), run(family, request.model_copy(update={"xray": True}))
    assert plain[0] == watched[0]
    seen = tokens(watched[1])
    assert all(token.xray is not None and len(token.xray.alternatives) == 8 for token in seen)
    begin = tuple(token.id for token in seen[:4])
    branch, events = run(family, request.model_copy(update={"begin_with": begin}))
    assert branch == plain[0]
    assert len(tokens(events)) == len(tokens(plain[1])) - 4


def test_pictures_belong_to_the_messages_that_they_came_with(family: SeeingPipeline) -> None:
    history = (Message(role="user", content="first", pictures=1), Message(role="assistant", content="yes"))
    request = ask("second", picture("red"), picture("blue"), history=history)
    said = family._tokenizer.decode(scene(family, request))
    mark = family._mark
    first, second = said.index("first"), said.index("second")
    assert said.index(mark) < first < said.index(mark, first) < second
    assert said.index("yes") < said.rindex(mark) < second


def test_messages_that_no_longer_fit_take_their_pictures_along(family: SeeingPipeline) -> None:
    history = (
        Message(role="user", content="old " * 200, pictures=1),
        Message(role="assistant", content="a"),
        Message(role="user", content="newer"),
        Message(role="assistant", content="b"),
    )
    request = ask("now", picture("red"), picture("blue"), history=history, max_new_tokens=300)
    read, left_out = family._prompt(request)
    assert left_out == 2 and isinstance(read, Scene) and len(read) <= CONTEXT - 300
    alone = scene(family, ask("now", picture("blue"), history=history[2:]))
    assert list(read) == list(alone)
    assert (read.shown["pixel_values"] == alone.shown["pixel_values"]).all()


def test_words_that_would_be_taken_for_a_picture_are_refused(family: SeeingPipeline) -> None:
    for images in ((), (picture(),)):
        with pytest.raises(BadRequest, match="stands for a picture in this model"):
            run(family, ask(f"What does {family._mark} mean?", *images))


def test_a_large_picture_takes_no_more_tokens_than_a_modest_one(family: SeeingPipeline) -> None:
    large, modest = (len(scene(family, ask("Hi", picture("red", size)))) for size in ((2_400, 1_800), (1_024, 768)))
    assert large == modest < 600


def test_kinds_of_files_that_phones_and_scanners_make_are_seen(family: SeeingPipeline) -> None:
    for data in (
        picture((0, 255, 255, 0), format="JPEG", mode="CMYK"),
        picture((9, 9, 9, 9), mode="RGBA"),
        picture(40_000, mode="I;16"),
        picture(format="WEBP"),
    ):
        run(family, ask("Hi", data, max_new_tokens=1))


def test_a_text_to_go_on_with_needs_no_picture(family: SeeingPipeline) -> None:
    request = Continuation(message="def f(", max_new_tokens=3)
    assert family._prompt(request)[0] == family._tokenizer.encode("def f(")


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no chat template"):
        chat_vision.load(CPU, tiny_vision.save(tmp_path, template=None), CONTEXT)


def test_a_model_that_takes_no_pictures_is_refused_by_its_kind(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"takes no pictures.*“llama”.*“patches”"):
        chat_vision.load(CPU, tiny.save(tmp_path), CONTEXT)


@pytest.mark.parametrize("family", tiny_vision.FAMILIES)
def test_a_model_of_a_catalog_file_sees(family: str, tmp_path: Path, one_thread: None) -> None:
    tiny_vision.save(tmp_path / "model", family)
    (file := tmp_path / "models.toml").write_text(
        f"""
        [[chat]]
        id = "mine"
        title = "Mine"
        path = "{tmp_path / "model"}"
        licence = "MIT"
        parameters = 100_000
        layers = 2
        kv_heads = 2
        head_dim = 8
        context = {CONTEXT}
        patches = 5_120
        patch_width = 64
        """,
        "utf-8",
    )
    (spec,) = catalog_file.read(file, CPU).models
    memory = Memory(2**40, lambda: 2**40)
    with closing(LocalEngine(Registry([spec]), CPU, Store(), memory)) as engine:
        red, again, blue = (
            list(engine.submit("mine", ask("Hi", picture(colour)).model_copy(update={"model": "mine"}), "me"))[-1]
            for colour in ("red", "red", "blue")
        )
    assert isinstance(red, Result) and isinstance(again, Result) and isinstance(blue, Result)
    assert red.artifact == again.artifact != blue.artifact


# The request --------------------------------------------------------------------------------------------------------


def frames() -> bytes:
    buffer = io.BytesIO()
    still = Image.new("RGB", (8, 8))
    still.save(buffer, "GIF", save_all=True, append_images=[Image.new("RGB", (8, 8), "red")])
    return buffer.getvalue()


def bomb() -> bytes:
    """A small file of very many pixels."""
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    return buffer.getvalue()


def bad() -> Iterator[tuple[list[Any], str]]:
    yield [b"<svg/>"], "“picture 1” is not a picture that can be read"
    yield [picture(), b""], "“picture 2” is not a picture"
    yield [frames()], "has 2 frames or pages"
    yield [bomb()], "pixels"
    yield [picture()] * (MOST_PICTURES + 1), f"at most {MOST_PICTURES} items"


@pytest.mark.parametrize(("images", "message"), [*bad()])
def test_what_is_no_picture_to_look_at_is_refused_by_name(images: list[bytes], message: str) -> None:
    with pytest.raises(BadRequest, match="“images”") as error:
        validate(ChatRequest, {"message": "Hi", "images": images})
    assert message in str(error.value)


def test_a_picture_that_is_cut_off_is_refused_when_it_is_looked_at(family: SeeingPipeline) -> None:
    with pytest.raises(BadRequest, match="“picture 1” is cut off"):
        run(family, ask("Hi", picture(size=(400, 400))[:-200]))


def test_a_history_that_speaks_of_missing_pictures_is_refused() -> None:
    history = [{"role": "user", "content": "look", "pictures": 2}]
    with pytest.raises(BadRequest, match="speaks of 2 pictures, but “images” has 1"):
        validate(ChatRequest, {"message": "Hi", "images": [picture()], "history": history})


def test_a_recipe_names_pictures_by_their_digests() -> None:
    options = ask("Hi", picture("red"), picture("blue")).model_dump()
    first, second = options["images"]
    assert first != second and all(one.startswith("sha256:") and len(one) == 71 for one in (first, second))
