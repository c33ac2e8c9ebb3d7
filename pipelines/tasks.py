"""Writing tasks with any chat model, on texts of any length: what does not fit at once is taken in parts.

- A summary is made of each part, then of these summaries, with the same prompt, until one is left.
- A translation or a new version is made of each part, and these are the result one after another.
- A question is put to the passages that share most with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipelines.chat import ChatRequest
from pipelines.errors import BadRequest
from pipelines.events import Emit, Progress, Text, Token, Update
from pipelines.spec import ModelSpec, Pipeline, Settle
from pipelines.tasks_parts import parts, passages, size
from pipelines.tasks_request import GUEST_TEXT, TEXT, TaskRequest, template
from pipelines.weights import Store

AROUND = 128  # tokens that a chat template and its own system prompt may add
MOST_MESSAGE = 20_000  # characters of one message of a chat
LEAST_ROOM = 300  # bytes for a part: with less, a text becomes hundreds of scraps
BYTES_BACK = 2  # for each token of an answer that is as long as what it answers: English has four, Hindi fewer


@dataclass(frozen=True)
class Tasks:
    """Makes a task pipeline of a loaded chat pipeline with this context, in tokens. A value, as Coder is."""

    context: int

    def __call__(self, chat: Pipeline[ChatRequest]) -> TaskPipeline:
        return TaskPipeline(chat, self.context)


class TaskPipeline:
    """Does writing tasks with a chat pipeline."""

    def __init__(self, chat: Pipeline[ChatRequest], context: int) -> None:
        self._chat = chat
        self._context = context

    def run(self, request: TaskRequest, emit: Emit) -> Text:
        """Emits the Tokens of one part after another, each announced by a Progress in parts if there are several.

        The result is what all tokens make; of a summary, those after the last such Progress. Raises BadRequest where
        the prompt leaves no room for a text.
        """
        told = template(request)
        room = self._room(request, told)
        if request.task == "summarise":
            return self._summarise(request, told, room, emit)
        if request.task in ("translate", "rewrite"):
            return self._one_after_another(request, told, room, emit)
        text = request.text.strip()
        if request.task == "answer" and size(text) > room:
            chosen, there_are = passages(text, request.instruction or told, room)
            which = f"the {len(chosen)} of {there_are} passages that fit the question best"
            emit(Progress(label=f"Too long to be read whole: reading {which}"))
            text = "\n\n".join(chosen)
        elif size(text) > room:
            raise BadRequest(
                f"These notes are too long for this model: it takes {room:,} bytes of them. Shorten them."
            )
        return self._say(request, told, text, emit)

    def _room(self, request: TaskRequest, told: str) -> int:
        """How many bytes of text fit one prompt, whatever the text is; a prompt may have it more than once."""
        words = told.replace(TEXT, "")
        room = min(self._context - request.max_new_tokens - AROUND - size(words), MOST_MESSAGE - len(words))
        room //= max(1, told.count(TEXT))
        if room < LEAST_ROOM:
            raise BadRequest(
                f"With {request.max_new_tokens:,} tokens kept for the answer, the prompt leaves no room for the text "
                f"in this model's context of {self._context:,}. Lower “max_new_tokens”, or shorten the prompt."
            )
        return room

    def _summarise(self, request: TaskRequest, told: str, room: int, emit: Emit) -> Text:
        text, cut = request.text.strip(), False
        pieces = parts(text, room)
        while len(pieces) > 1:
            made = []
            for number, piece in enumerate(pieces):
                label = f"Part {number + 1} of {len(pieces)}"
                emit(Progress(number, len(pieces) + 1, label, "parts"))
                made.append(self._say(request, told, piece, emit))
            cut = cut or any(one.stopped_by == "length" for one in made)
            joined = "\n\n".join(one.text.strip() for one in made)
            if size(joined) > 0.8 * size(text):  # it repeats rather than summarises, and would for ever
                return Text(joined, "length" if cut else "end")
            text = joined
            before, pieces = len(pieces), parts(text, room) or [""]
            if len(pieces) == 1:
                emit(Progress(before, before + 1, f"Joining {before} parts", "parts"))
        whole = self._say(request, told, pieces[0], emit)
        return Text(whole.text, "length" if cut else whole.stopped_by)

    def _one_after_another(self, request: TaskRequest, told: str, room: int, emit: Emit) -> Text:
        made: list[Text] = []
        pieces = parts(request.text, min(room, max(LEAST_ROOM, BYTES_BACK * request.max_new_tokens)))
        for number, piece in enumerate(pieces):
            if len(pieces) > 1:
                emit(Progress(number, len(pieces), f"Part {number + 1} of {len(pieces)}", "parts"))
            made.append(self._say(request, told, piece, _after("\n\n" if made else "", emit)))
        text = "\n\n".join(one.text for one in made)
        return Text(text, "length" if any(one.stopped_by == "length" for one in made) else "end")

    def _say(self, request: TaskRequest, told: str, text: str, emit: Emit) -> Text:
        settings = request.model_dump(include={"model", "temperature", "top_p", "max_new_tokens", "seed"})
        artifact = self._chat.run(ChatRequest(message=told.replace(TEXT, text), **settings), emit)
        assert isinstance(artifact, Text)
        return artifact


def _after(gap: str, emit: Emit) -> Emit:
    """An emit whose first token comes after a gap."""

    def emitted(update: Update) -> None:
        nonlocal gap
        if isinstance(update, Token):
            update, gap = replace(update, text=gap + update.text), ""
        emit(update)

    return emitted


@dataclass(frozen=True)
class ForGuests:
    """Refuses longer texts before anything is fetched or loaded."""

    settle: Settle[ChatRequest] | None

    def __call__(
        self, spec: ModelSpec[ChatRequest], request: ChatRequest, store: Store, emit: Emit
    ) -> ModelSpec[ChatRequest]:
        """See Settle."""
        if isinstance(request, TaskRequest) and len(request.text) > GUEST_TEXT:
            raise BadRequest(
                f"This text has {len(request.text):,} characters; guests of this server can give {GUEST_TEXT:,} at a "
                "time. Send it in parts."
            )
        return self.settle(spec, request, store, emit) if self.settle else spec


def for_guests(spec: ModelSpec[ChatRequest]) -> ModelSpec[ChatRequest]:
    """A chat model as strangers may use it: for shorter texts. Others as they are."""
    if TaskRequest not in spec.also:
        return spec
    return replace(spec, limits={**spec.limits, "characters": GUEST_TEXT}, settle=ForGuests(spec.settle))
