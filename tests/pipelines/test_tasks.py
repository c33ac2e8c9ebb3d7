"""Writing tasks on texts of any length: nothing is left out, every part fits, and stopping keeps what is finished."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from pipelines import catalog, chat, tasks
from pipelines.chat import ChatPipeline, ChatRequest
from pipelines.errors import BadRequest
from pipelines.events import Cancelled, Emit, Progress, Text, Token, Update
from pipelines.spec import Registry, validate
from pipelines.tasks import AROUND, TaskPipeline
from pipelines.tasks_parts import parts, passages, size
from pipelines.tasks_request import GUEST_TEXT, LENGTHS, MOST_TEXT, TaskRequest, preset, template
from tests.pipelines import tiny
from tests.pipelines.fakes import CPU, FakeStore

CONTEXT = 1_500
SENTENCES = [f"Sentence {n} tells of thing number {n * n}." for n in range(400)]
BOOK = "\n\n".join(" ".join(SENTENCES[n : n + 7]) for n in range(0, 400, 7))
TASKS = ("write", "summarise", "translate", "rewrite", "answer")


@dataclass
class Clerk:
    """A chat that answers with the first words of what comes after the first paragraph."""

    words: int = 3
    asked: list[ChatRequest] = field(default_factory=list)

    def run(self, request: ChatRequest, emit: Emit) -> Text:
        self.asked.append(request)
        answer = [word + " " for word in request.message.partition("\n\n")[2].split()[: self.words]]
        for n, word in enumerate(answer):
            emit(Token(word, n, 0.5))
        return Text("".join(answer), "end")


def run(chat: Any, request: TaskRequest, context: int = CONTEXT) -> tuple[Text, list[Update]]:
    events: list[Update] = []
    return TaskPipeline(chat, context).run(request, events.append), events


def asked(task: str, text: str = BOOK, **more: Any) -> TaskRequest:
    return TaskRequest(task=task, text=text, **{"instruction": "Sentence 33?", "max_new_tokens": 200, **more})  # type: ignore[arg-type]


def announced(events: list[Update]) -> list[Progress]:
    return [event for event in events if isinstance(event, Progress) and event.unit == "parts"]


def told(events: list[Update]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


# Parts --------------------------------------------------------------------------------------------------------------

TEXTS = {
    "a book": BOOK,
    "one long line": " ".join(SENTENCES),
    "no spaces": "x" * 5_000,
    "hindi": "नमस्ते दुनिया। " * 300,
    "chinese": "今天天气很好。" * 400,
    "smileys": "🎨" * 2_000,
    "blank lines": "a\n\n\n\n  \n\nb\n" * 300,
    "short": "Just this.",
    "nothing": " \n ",
}


@pytest.mark.parametrize("most", [60, 700, 3_000, 10**6])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_parts_fit_and_together_they_are_the_text(text: str, most: int) -> None:
    found = parts(text, most)
    assert all(part.strip() and size(part) <= most for part in found)
    assert "".join("".join(found).split()) == "".join(text.split())
    if len(found) > 1:
        assert len(found) <= 2.2 * size(text) / most + 2


def test_parts_end_where_something_ends() -> None:
    assert all(part.endswith(".") for part in parts(BOOK, 700))
    assert all(part.endswith(".") for part in parts(" ".join(SENTENCES), 700))
    assert parts("One.\n\nTwo.\n\nThree.\n\nFour.", 15) == ["One.\n\nTwo.", "Three.\n\nFour."]


def test_passages_are_those_that_the_question_is_about_in_their_order() -> None:
    found, there_are = passages(BOOK, "What of thing number 1089, and sentences 350?", 2_000)
    assert "Sentence 33 " in " ".join(found) and "Sentence 350 " in " ".join(found)
    assert sum(size(passage) + 2 for passage in found) <= 2_000 and len(found) < there_are
    assert [BOOK.index(passage) for passage in found] == sorted(BOOK.index(passage) for passage in found)


# What is put to the model -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["summarise", "translate", "rewrite"])
def test_every_sentence_reaches_the_model_once_in_a_prompt_that_fits(task: str) -> None:
    clerk = Clerk()
    run(clerk, asked(task))
    first_round = [request.message for request in clerk.asked if "tells of" in request.message]
    for sentence in SENTENCES:
        assert sum(sentence in message for message in first_round) == 1, sentence
    assert len(first_round) > 5
    assert all(size(one.message) <= CONTEXT - 200 - AROUND for one in clerk.asked)
    assert {(one.seed, one.temperature, one.max_new_tokens) for one in clerk.asked} == {(0, 0.3, 200)}


def test_a_prompt_that_has_the_text_twice_fits_too() -> None:
    clerk = Clerk()
    run(clerk, asked("summarise", prompt="Summarise:\n\n{text}\n\nThe same again:\n\n{text}"))
    assert all(size(one.message) <= CONTEXT - 200 - AROUND for one in clerk.asked)
    assert all(any(sentence in one.message for one in clerk.asked) for sentence in SENTENCES)


def test_a_question_is_put_once_to_what_it_is_about() -> None:
    clerk = Clerk()
    _, events = run(clerk, asked("answer"))
    (one,) = clerk.asked
    assert "Question: Sentence 33?" in one.message and "Sentence 33 " in one.message
    assert any(isinstance(event, Progress) and "passages" in event.label for event in events)


@pytest.mark.parametrize("task", TASKS)
def test_a_short_text_is_taken_at_once_and_whole(task: str) -> None:
    clerk = Clerk()
    result, events = run(clerk, asked(task, "It rains {text} today."))
    (one,) = clerk.asked
    assert one.message.count("It rains {text} today.") == 1 and not announced(events)
    assert told(events) == result.text


def test_a_prompt_of_ones_own_is_all_that_the_model_is_told() -> None:
    clerk = Clerk()
    run(clerk, asked("rewrite", "The text.", prompt="As a pirate: {text} Arr!", tone="formal"))
    run(clerk, asked("rewrite", "The text.", prompt="As a pirate."))
    assert [one.message for one in clerk.asked] == ["As a pirate: The text. Arr!", "As a pirate.\n\nThe text."]


def test_every_choice_changes_the_prompt() -> None:
    base = asked("rewrite", "x", instruction="")
    changed = [{"tone": "formal"}, {"length": "short"}, {"level": "a child"}, {"instruction": "No names."}]
    assert len({preset(base), *(preset(base.model_copy(update=change)) for change in changed)}) == 5
    for task, lengths in LENGTHS.items():
        assert len({preset(asked(task, "x", length=length)) for length in lengths}) == 3
    assert "Welsh" in template(asked("translate", "x", language="Welsh"))
    assert "{text}" not in template(TaskRequest(task="write", instruction="A poem."))


# What comes back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["translate", "rewrite"])
def test_the_parts_of_a_new_text_are_the_result_one_after_another(task: str) -> None:
    clerk = Clerk()
    result, events = run(clerk, asked(task))
    assert told(events) == result.text and result.text.count("\n\n") == len(clerk.asked) - 1
    steps = announced(events)
    assert [step.done for step in steps] == list(range(len(steps))) and steps[-1].total == len(clerk.asked)


def test_summaries_are_summarised_until_one_is_left() -> None:
    clerk = Clerk(words=60)
    result, events = run(clerk, asked("summarise"))
    labels = [step.label for step in announced(events)]
    assert labels[0].startswith("Part 1 of ") and labels[-1].startswith("Joining ")
    assert len([label for label in labels if label.startswith("Part 1 of ")]) >= 2  # the summaries did not fit either
    after = events[max(n for n, event in enumerate(events) if event in announced(events)[-1:]) :]
    assert told(after) == result.text


def test_a_model_that_repeats_everything_comes_to_an_end() -> None:
    result, events = run(Clerk(words=10**6), asked("summarise"))
    assert all(sentence in result.text for sentence in SENTENCES)
    assert len(announced(events)) < 100


@pytest.mark.parametrize("task", ["summarise", "translate"])
def test_stopping_ends_at_the_very_token(task: str) -> None:
    seen: list[Update] = []

    def emit(update: Update) -> None:
        seen.append(update)
        if len([one for one in seen if isinstance(one, Token)]) == 7:
            raise Cancelled

    with pytest.raises(Cancelled):
        TaskPipeline(Clerk(), CONTEXT).run(asked(task), emit)
    assert isinstance(seen[-1], Token) and len(announced(seen)) == 3  # parts of three words each


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> ChatPipeline:
    return chat.load(CPU, tiny.save(tmp_path_factory.mktemp("tiny")), 512)


@pytest.mark.parametrize("text", [SENTENCES[3] * 25, "नमस्ते 🎨 " * 20], ids=["english", "hindi"])
@pytest.mark.parametrize("task", TASKS)
def test_no_part_is_too_long_for_a_real_model(llama: ChatPipeline, task: str, text: str) -> None:
    """Every byte is a token of this one, the worst there can be; and the same seed gives the same text."""
    request = asked(
        task, text if task != "write" else "notes", instruction="x", max_new_tokens=8, prompt="{text}?", temperature=1
    )
    request = request.model_copy(update={"max_new_tokens": 60 if task == "write" else 8})
    first, again = (run(llama, request, 512)[0] for _ in range(2))
    assert first == again


def test_a_prompt_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(BadRequest, match="leaves no room"):
        run(Clerk(), asked("summarise", max_new_tokens=1_400))
    with pytest.raises(BadRequest, match="notes are too long"):
        run(Clerk(), asked("write"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "“text” must have something to summarise"),
        ({"task": "answer", "instruction": "x"}, "“text” must have something to answer from"),
        ({"task": "answer", "text": "x"}, "“instruction” must be the question"),
        ({"task": "write"}, "“instruction” must say what to write"),
        ({"text": "x" * (MOST_TEXT + 1)}, "“text”"),
        ({"text": "x", "tone": "rude"}, "“tone”"),
    ],
)
def test_what_is_missing_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        validate(TaskRequest, values)


def test_guests_may_send_less_and_nobody_else_is_held_to_it() -> None:
    spec = Registry(catalog.models(CPU))["smollm2-135m"]
    guests = tasks.for_guests(spec)
    assert guests.limits["characters"] == GUEST_TEXT and guests.settle is not None
    store: Any = FakeStore()
    long = TaskRequest(text="x" * (GUEST_TEXT + 1))
    with pytest.raises(BadRequest, match="in parts"):
        guests.settle(guests, long, store, lambda update: None)  # type: ignore[arg-type]
    for allowed in (ChatRequest(message="x" * 20_000), TaskRequest(text="x" * GUEST_TEXT)):
        assert guests.settle(guests, allowed, store, lambda update: None) is guests  # type: ignore[arg-type]
    other = Registry(catalog.models(CPU)).of("speech")[0]
    assert tasks.for_guests(other) is other
