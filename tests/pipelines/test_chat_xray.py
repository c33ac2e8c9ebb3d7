"""X-ray and what-if: the figures are those of a separate forward pass, and watching changes nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipelines import chat
from pipelines.chat import ChatPipeline, ChatRequest
from pipelines.errors import BadRequest
from pipelines.events import Text, Token, Update
from pipelines.sampling import ALTERNATIVES
from tests.pipelines import tiny
from tests.pipelines.fakes import CPU

CONTEXT = 512
SETTINGS = [(0.0, 0.9), (0.7, 0.8), (1.0, 1.0), (1.3, 0.95)]


@pytest.fixture(scope="session", params=tiny.FAMILIES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ChatPipeline:
    return chat.load(CPU, tiny.save(tmp_path_factory.mktemp("tiny"), request.param), CONTEXT)


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> ChatPipeline:
    return chat.load(CPU, tiny.save(tmp_path_factory.mktemp("tiny")), CONTEXT)


def ask(**settings: Any) -> ChatRequest:
    return ChatRequest(message="Hello there", **{"max_new_tokens": 16, "temperature": 0.9, "xray": True, **settings})


def run(pipeline: ChatPipeline, request: ChatRequest) -> tuple[Text, list[Token]]:
    events: list[Update] = []
    text = pipeline.run(request, events.append)
    return text, [event for event in events if isinstance(event, Token)]


def ids(tokens: list[Token]) -> list[int]:
    return [token.id for token in tokens]


def forward(pipeline: ChatPipeline, request: ChatRequest, answer: list[int]) -> Any:
    """The raw logits before each token of an answer, from one pass of the model over all of it."""
    import torch

    prompt = pipeline._render(request.system, [], request.message)
    with torch.inference_mode():
        logits = pipeline.writer.model(input_ids=torch.tensor([[*prompt, *answer]])).logits[0]
    return logits[len(prompt) - 1 : -1].double()


@pytest.mark.parametrize(("temperature", "top_p"), SETTINGS)
def test_the_figures_are_those_of_a_separate_forward_pass(
    family: ChatPipeline, temperature: float, top_p: float
) -> None:
    request = ask(temperature=temperature, top_p=top_p)
    _, tokens = run(family, request)
    for token, logits in zip(tokens, forward(family, request, ids(tokens)), strict=True):
        assert token.xray is not None
        p = logits.softmax(0)
        drawn = reference(logits, temperature, top_p)
        assert token.p == pytest.approx(float(p[token.id]), abs=1e-3)
        assert token.xray.drawn == pytest.approx(float(drawn[token.id]), abs=1e-3)
        assert token.xray.entropy == pytest.approx(float(-(p * p.log2()).sum()), abs=1e-3)
        assert token.xray.rank == int((p > p[token.id]).sum()) + 1
        assert [one.id for one in token.xray.alternatives] == p.topk(ALTERNATIVES).indices.tolist()
        for one in token.xray.alternatives:
            assert one.p == pytest.approx(float(p[one.id]), abs=1e-3)
            assert one.drawn == pytest.approx(float(drawn[one.id]), abs=1e-3)


def reference(logits: Any, temperature: float, top_p: float) -> Any:
    """The distribution that is drawn from, the slow and plain way."""
    import torch

    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(), len(logits)).double()
    p, order = (logits / temperature).softmax(0).sort(descending=True)
    p[p.cumsum(0) - p >= top_p] = 0
    return torch.zeros_like(p).scatter(0, order, p / p.sum())


@pytest.mark.parametrize(("temperature", "top_p"), SETTINGS)
def test_watching_changes_nothing_and_not_watching_tells_nothing(
    family: ChatPipeline, temperature: float, top_p: float
) -> None:
    watched, seen = run(family, ask(temperature=temperature, top_p=top_p, seed=4))
    alone, unseen = run(family, ask(temperature=temperature, top_p=top_p, seed=4, xray=False))
    assert watched == alone
    assert unseen == [Token(token.text, token.id, token.p) for token in seen if not (token.xray and token.xray.end)]


def test_the_token_that_ends_the_answer_is_told_too_and_has_no_text(llama: ChatPipeline) -> None:
    """What is chosen instead of it makes the answer go on."""
    end = ended(llama)
    text, tokens = run(llama, end)
    last = tokens[-1].xray
    assert text.stopped_by == "end" and last is not None and last.end and tokens[-1].text == ""
    assert any(one.end and one.id == tokens[-1].id and one.text == "" for one in last.alternatives)
    other = next(one for one in last.alternatives if not one.end)
    longer, _ = run(llama, end.model_copy(update={"begin_with": (*ids(tokens[:-1]), other.id)}))
    assert longer.text.startswith(text.text) and len(longer.text) > len(text.text)


def ended(pipeline: ChatPipeline) -> ChatRequest:
    """A request whose answer ends by itself, with an end that was likely."""
    for seed in range(400):
        request = ask(seed=seed, temperature=1.5, top_p=1.0, max_new_tokens=40)
        text, tokens = run(pipeline, request)
        seen = tokens[-1].xray
        if text.stopped_by == "end" and len(tokens) > 2 and seen is not None and seen.rank <= ALTERNATIVES:
            return request
    raise AssertionError("no answer of this model ends")


def test_an_alternatives_text_is_what_it_would_have_added(llama: ChatPipeline) -> None:
    request = ask(temperature=1.5, top_p=1.0)
    _, tokens = run(llama, request)
    before = "".join(token.text for token in tokens[:5])
    assert tokens[5].xray is not None
    for one in tokens[5].xray.alternatives:
        branch = request.model_copy(update={"begin_with": (*ids(tokens[:5]), one.id), "max_new_tokens": 6})
        text, rest = run(llama, branch)
        assert (text.text, rest) == (before + one.text, [])


@pytest.mark.parametrize(("temperature", "top_p"), SETTINGS)
def test_a_branch_equals_generating_from_that_prefix(family: ChatPipeline, temperature: float, top_p: float) -> None:
    """Token by token, a prefix is forced upon a model that is asked plainly; its choices then are the branch's."""
    request = ask(temperature=temperature, top_p=top_p)
    _, tokens = run(family, request)
    assert tokens[3].xray is not None
    other = next(one.id for one in tokens[3].xray.alternatives if one.id != tokens[3].id and not one.end)
    prefix = (*ids(tokens[:3]), other)
    branch = request.model_copy(update={"begin_with": prefix})
    text, rest = run(family, branch)
    assert text.text.startswith("".join(token.text for token in tokens[:3]))
    for token, logits in zip(rest, forward(family, request, [*prefix, *ids(rest)])[4:], strict=True):
        assert token.p == pytest.approx(float(logits.softmax(0)[token.id]), abs=1e-3)
    assert len(rest) == 12 or text.stopped_by == "end"
    if temperature == 0:
        greedy = list(prefix)
        while len(greedy) < 16 and greedy[-1] not in family._ends:
            greedy.append(int(forward(family, request, [*greedy, 0])[-1].argmax()))
        assert [*prefix, *ids(rest)] == greedy


@pytest.mark.parametrize(("temperature", "top_p"), SETTINGS)
def test_a_branch_that_takes_the_token_that_was_taken_is_the_same_answer(
    family: ChatPipeline, temperature: float, top_p: float
) -> None:
    """Each token has its own piece of luck, whether those before it were drawn or given."""
    request = ask(temperature=temperature, top_p=top_p, seed=11)
    whole, tokens = run(family, request)
    for at in (1, 4, 7):
        again, rest = run(family, request.model_copy(update={"begin_with": tuple(ids(tokens[:at]))}))
        assert again == whole
        assert ids(rest) == ids(tokens[at:])


def test_a_beginning_that_ends_the_answer_is_all_of_it(llama: ChatPipeline) -> None:
    (end,) = llama._ends
    text, tokens = run(llama, ask(begin_with=(72, end)))
    assert (text.stopped_by, tokens) == ("end", [])
    text, tokens = run(llama, ask(begin_with=(72, 73), max_new_tokens=2))
    assert (text.stopped_by, tokens) == ("length", [])


def test_what_an_answer_begins_with_counts_towards_its_length(llama: ChatPipeline) -> None:
    _, tokens = run(llama, ask(begin_with=(72, 73, 74), temperature=0, xray=False, max_new_tokens=10))
    assert len(tokens) == 7


@pytest.mark.parametrize(
    ("begin_with", "message"),
    [
        ((72, 320), "This model has no token 320: its 320 tokens are numbered from 0"),
        ((258, 72), "goes on after a token that ends the answer"),
        ((72,) * 17, "has 17 tokens, but the answer ends after 16"),
    ],
)
def test_a_beginning_that_cannot_be_is_refused(llama: ChatPipeline, begin_with: tuple[int, ...], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        run(llama, ask(begin_with=begin_with))


def test_a_certain_token_has_no_entropy_and_an_even_choice_has_all_of_it() -> None:
    import torch

    from pipelines.sampling import Sampler

    even = Sampler(1.0, 1.0, seed=0, watched=True).sample(torch.zeros(1024)).seen
    sure = Sampler(1.0, 0.9, seed=0, watched=True).sample(torch.tensor([0.0, 500.0, 0.0])).seen
    assert even is not None and even.entropy == pytest.approx(math.log2(1024)) and even.rank == 1
    assert sure is not None and sure.entropy == 0 and sure.drawn == 1
