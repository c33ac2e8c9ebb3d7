"""The chat pipeline on the real classes of every family in the catalog, at tiny size, through from_pretrained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines import chat
from pipelines.chat import ChatPipeline, ChatRequest, Message
from pipelines.decode import PREFILL
from pipelines.errors import BadRequest
from pipelines.events import Cancelled, Progress, Token, Update
from pipelines.spec import validate
from tests.pipelines import tiny
from tests.pipelines.fakes import CPU

CONTEXT = 512


@pytest.fixture(scope="session", params=tiny.FAMILIES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ChatPipeline:
    return chat.load(CPU, tiny.save(tmp_path_factory.mktemp("tiny"), request.param), CONTEXT)


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> ChatPipeline:
    return chat.load(CPU, tiny.save(tmp_path_factory.mktemp("tiny")), CONTEXT)


def ask(message: str = "Hello there", **settings: Any) -> ChatRequest:
    return ChatRequest(message=message, **{"max_new_tokens": 12, "temperature": 1.0, "top_p": 0.95, **settings})


def run(pipeline: ChatPipeline, request: ChatRequest) -> tuple[str, list[Update]]:
    events: list[Update] = []
    return pipeline.run(request, events.append).text, events


def test_the_text_is_its_tokens_joined(family: ChatPipeline) -> None:
    text, events = run(family, ask())
    assert text == "".join(event.text for event in events if isinstance(event, Token))
    assert 0 < len(events) <= 12
    assert all(isinstance(event, Token) and 0 < event.p <= 1 for event in events)


def test_greedy_decoding_equals_generate(family: ChatPipeline) -> None:
    """Our loop, in parts or not, against the library called plainly."""
    import torch

    request = ask("word " * 80, temperature=0, max_new_tokens=20)  # several parts of prefill
    prompt = torch.tensor([family._render("", [], request.message)])
    assert prompt.shape[1] > PREFILL
    plain = family.writer.model.generate(prompt, do_sample=False, max_new_tokens=20)[0, prompt.shape[1] :].tolist()
    _, events = run(family, request)
    ours = [event.id for event in events if isinstance(event, Token)]
    assert ours == [token for token in plain if token not in family._ends]


def test_the_same_seed_gives_the_same_text_and_another_another(family: ChatPipeline) -> None:
    first, again, other = (run(family, ask(seed=seed))[0] for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_seed_is_independent_of_what_others_draw(llama: ChatPipeline) -> None:
    import torch

    alone = run(llama, ask(seed=3))[0]
    events: list[Update] = []
    company = llama.run(ask(seed=3), lambda event: (events.append(event), torch.rand(7))[0])
    assert company.text == alone


def test_temperature_zero_ignores_the_seed(llama: ChatPipeline) -> None:
    assert run(llama, ask(temperature=0, seed=1))[0] == run(llama, ask(temperature=0, seed=2))[0]


def test_cancel_ends_at_the_very_token(family: ChatPipeline) -> None:
    seen: list[Update] = []

    def emit(event: Update) -> None:
        seen.append(event)
        if len(seen) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        family.run(ask(), emit)
    assert len(seen) == 3


def test_a_long_prompt_can_be_cancelled_while_it_is_read(llama: ChatPipeline) -> None:
    def emit(event: Update) -> None:
        assert isinstance(event, Progress) and event.done == PREFILL and event.total > event.done
        raise Cancelled

    with pytest.raises(Cancelled):
        llama.run(ask("word " * 80), emit)


def test_the_answer_ends_where_it_must(llama: ChatPipeline) -> None:
    result = llama.run(ask(max_new_tokens=3, temperature=0), lambda event: None)
    assert result.stopped_by == "length"


def test_the_oldest_messages_are_left_out_when_the_context_is_full(llama: ChatPipeline) -> None:
    history = tuple(Message(role=role, content=f"{n} " + "x" * 60) for n in range(4) for role in ("user", "assistant"))
    request = ask(history=history, system="Be brief.")
    ids, left_out = llama._prompt(request)
    text = llama._tokenizer.decode(ids)
    assert left_out in (2, 4) and len(ids) <= CONTEXT - request.max_new_tokens
    assert "Be brief." in text and "0 xxx" not in text and "3 xxx" in text and text.count("Hello there") == 1
    events: list[Update] = []
    result = llama.run(request, events.append)
    assert result.left_out == left_out
    assert isinstance(events[0], Progress) and "left out" in events[0].label


def test_what_is_kept_of_a_conversation_begins_with_the_visitor(llama: ChatPipeline) -> None:
    history = (Message(role="user", content="u" * 400), Message(role="assistant", content="a" * 100))
    _, left_out = llama._prompt(ask(history=history))
    assert left_out == 2


def test_a_long_conversation_is_not_put_together_once_for_each_message(
    llama: ChatPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As much of it is kept as fits; what that takes does not grow with the square of its length."""
    roles = ("user", "assistant")
    history = tuple(Message(role=role, content=f"{n} " + "x" * 40) for n in range(100) for role in roles)
    request, put_together = ask(history=history), []
    without = llama._without

    def counted(request: ChatRequest, left_out: int) -> list[int]:
        put_together.append(left_out)
        return without(request, left_out)

    monkeypatch.setattr(llama, "_without", counted)
    ids, left_out = llama._prompt(request)
    assert ids == without(request, left_out) and history[left_out].role == "user"
    assert len(ids) <= CONTEXT - request.max_new_tokens < len(without(request, left_out - 2))
    assert len(put_together) < 10


def test_a_message_that_cannot_fit_is_refused_with_the_figures(llama: ChatPipeline) -> None:
    with pytest.raises(BadRequest, match=r"context is 512\. Shorten the message"):
        run(llama, ask("x" * 600))


def test_a_conversation_that_the_template_refuses_is_explained(tmp_path: Path) -> None:
    strict = chat.load(CPU, tiny.save(tmp_path, template=tiny.STRICT), CONTEXT)
    with pytest.raises(BadRequest, match="no system role"):
        run(strict, ask(system="You are a pirate."))


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no chat template"):
        chat.load(CPU, tiny.save(tmp_path, template=None), CONTEXT)


def test_the_context_is_no_longer_than_the_model_can(tmp_path: Path) -> None:
    assert chat.load(CPU, tiny.save(tmp_path), 100_000)._context == tiny.SIZE["max_position_embeddings"]


def test_characters_of_several_tokens_come_whole(llama: ChatPipeline) -> None:
    """Every byte is a token here: the decoder waits until a character is complete."""
    from tokenizers.decoders import DecodeStream

    stream = DecodeStream(skip_special_tokens=True)
    ids = llama._tokenizer.encode("  né\n\n🎨", add_special_tokens=False)
    pieces = [stream.step(llama._tokenizer.backend_tokenizer, token) or "" for token in ids]
    assert "".join(pieces) == "  né\n\n🎨"
    assert pieces[-1] == "🎨" and pieces[-2] == ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"message": " \n"}, "“message”: must say something."),
        ({"message": "x" * 20_001}, "“message”: must have at most 20,000 characters."),
        ({}, "“message” is missing."),
        ({"message": "hi", "temperature": 3}, "“temperature”: must be less than or equal to 2."),
        ({"message": "hi", "seed": -1}, "“seed”: must be greater than or equal to 0."),
        ({"message": "hi", "loudness": 3}, "There is no setting “loudness”"),
        ({"message": "hi", "history": [{"role": "system", "content": ""}]}, "“history.0.role”"),
    ],
)
def test_bad_settings_are_named_with_their_limits(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as error:
        validate(ChatRequest, values)
    assert message in str(error.value)
