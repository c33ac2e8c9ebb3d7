"""The conversation as values: what was said, the answer that is being written, and how that goes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from pipelines.chat import MOST_PICTURES, ChatRequest, Message
from pipelines.events import Result, Text, Token
from ui import chat_album, states
from ui.chat_tree import Branch
from ui.wire import Failed, Moment, Stopped, refusal


class Saved(Message):
    """A message as the browser keeps it: with the names of its pictures."""

    names: tuple[Annotated[str, Field(pattern=chat_album.NAME)], ...] = Field((), max_length=MOST_PICTURES)


SAVED: TypeAdapter[list[Saved]] = TypeAdapter(list[Saved])


@dataclass
class Draft:
    """An answer while it is being written. The run that writes it holds on to it, wanted or not; settled, it grows no
    more.

    Under X-ray its tokens are kept too, on a branch.
    """

    request: ChatRequest
    branch: Branch | None = None
    text: str = ""
    before: tuple[Message, ...] = ()  # the answer to the same question, which is back if nothing comes of this one
    settled: bool = False

    def add(self, token: Token) -> None:
        """The next token."""
        if self.settled:  # its branch, too, is to be what the conversation has
            return
        self.text += token.text
        if self.branch is not None and token.xray is not None:
            self.branch.add(token)


@dataclass
class Conversation:
    """One visitor's conversation: messages in turn, the answer that is being written, and how that goes.

    `album` are the pictures of all messages, oldest first; each message knows how many are its own.
    """

    messages: list[Message] = field(default_factory=list)
    album: list[Path] = field(default_factory=list)
    draft: Draft | None = None
    line: str = field(default_factory=states.idle)

    def say(self, request: ChatRequest, branch: Branch | None = None) -> None:
        """The visitor says something; an answer is due, on a branch if it is watched."""
        said = [*request.said]
        again = self.messages[: len(said)] == said and not request.begin_with
        before = tuple(self.messages[len(said) :]) if again else ()
        self.messages = said
        self.draft = Draft(request, branch, branch.text if branch else "", before)

    def settle(self) -> None:
        """Keep what has been written of the answer as the answer; if nothing, the one before it."""
        draft, self.draft = self.draft, None
        if draft is None:
            return
        draft.settled = True
        if draft.text:
            self.answer(draft.text)
        else:
            self.messages += draft.before

    def answer(self, text: str) -> None:
        """Let this be the answer to the last question, in the place of the one that it has."""
        if self.messages and self.messages[-1].role == "assistant":
            self.messages.pop()
        if text:
            self.messages.append(Message(role="assistant", content=text, pictures=0))

    def recall(self, kept: Conversation) -> None:
        """What the visitor's browser kept comes first; something may have been said before the page knew of it."""
        if self.messages[: len(kept.messages)] != kept.messages:
            self.messages[:0] = kept.messages
            self.album[:0] = kept.album

    def clear(self) -> None:
        """Begin anew. A run that is under way writes on into a draft that is nobody's."""
        self.messages, self.album, self.draft, self.line = [], [], None, states.idle()

    def last_question(self) -> int:
        """Where the visitor's last message is. Raises gr.Error when there is none."""
        for index in reversed(range(len(self.messages))):
            if self.messages[index].role == "user":
                return index
        raise refusal("There is nothing to answer yet. Write a message first.", "Empty conversation")

    def find(self, text: str, shown_at: int) -> int:
        """Where a message of the visitor's is that the page shows at some place. Raises gr.Error when there is none.

        That is there or before: the page shows the pictures of a message, and a model's reasoning, as messages of
        their own.
        """
        for index in reversed(range(len(self.messages))):
            message = self.messages[index]
            at = index + sum(earlier.pictures > 0 for earlier in self.messages[: index + 1])
            if at <= shown_at and (message.role, message.content) == ("user", text):
                return index
        raise refusal("That message is no longer part of this conversation.", "It is gone")

    def pictures(self, index: int) -> tuple[list[Path], list[Path]]:
        """The pictures of the messages before the one at `index`, and that one's own."""
        before = sum(message.pictures for message in self.messages[:index])
        own = self.messages[index].pictures if index < len(self.messages) else 0
        return self.album[:before], self.album[before : before + own]

    def shown(self) -> list[dict[str, Any]]:
        """The conversation for gr.Chatbot. As typed text parts, which it leaves exactly as they are.

        The pictures of a message are one of their own, before it: gradio lets nothing be edited that has any.
        """
        messages: list[dict[str, Any]] = []
        for index, message in enumerate(self.messages):
            if own := self.pictures(index)[1]:
                messages.append({"role": message.role, "content": [*map(chat_album.part, own)]})
            messages.append({"role": message.role, "content": [_text(message.content)]})
        if self.draft is not None and self.draft.text:
            messages.append({"role": "assistant", "content": [_text(self.draft.text)]})
        return messages

    def saved(self) -> list[dict[str, Any]]:
        """The settled part as plain data, for the visitor's own browser to keep."""
        named = []
        before = self.draft.before if self.draft is not None else ()
        for index, message in enumerate([*self.messages, *before]):
            names = [path.name for path in self.pictures(index)[1]]
            named.append({"role": message.role, "content": message.content} | ({"names": names} if names else {}))
        return named


def restored(saved: Any, shelf: Path | None = None) -> Conversation:
    """What the browser kept; nothing if it is not a conversation (any more). Pictures are those that lie on the shelf:
    not there any more once the server was started again, or the visitor was away for long."""
    try:
        kept = SAVED.validate_python(saved)
    except ValidationError:
        return Conversation()
    talk = Conversation()
    for message in kept:
        paths = [shelf / name for name in message.names if (shelf / name).is_file()] if shelf else []
        talk.messages.append(Message(role=message.role, content=message.content, pictures=len(paths)))
        talk.album += paths
    return talk


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


async def show(draft: Draft, moments: AsyncIterator[list[Moment]]) -> AsyncIterator[str]:
    """Write the answer into the draft as it comes, and yield the status line after each batch."""
    first = time.monotonic()  # when the first token came: waiting and loading are not writing
    tokens = 0
    async for batch in moments:
        line = None
        for moment in batch:
            match moment:
                case Token(xray=xray):
                    draft.add(moment)
                    if xray is not None and xray.end:
                        continue
                    tokens += 1
                    first = time.monotonic() if tokens == 1 else first
                    line = states.writing(tokens, time.monotonic() - first if tokens > 1 else 0)
                case Result(artifact=artifact):
                    assert isinstance(artifact, Text)
                    draft.before = ()  # this is the answer, even if it is empty
                    line = states.done(_summary(artifact, tokens, time.monotonic() - first))
                case Failed(message=message):
                    line = states.failed(message)
                case Stopped():
                    line = states.stopped()
                case _:
                    line = states.of(moment)
        if line is not None:
            yield line


def _summary(artifact: Text, tokens: int, seconds: float) -> str:
    parts = [states.written(tokens, seconds)]
    if artifact.stopped_by == "length":
        parts.append("cut at the longest answer allowed; raise it in the settings")
    if artifact.left_out:
        one = artifact.left_out == 1
        oldest = "oldest message" if one else f"{artifact.left_out} oldest messages"
        parts.append(f"the {oldest} no longer fitted and {'was' if one else 'were'} left out")
    return "; ".join(parts)
