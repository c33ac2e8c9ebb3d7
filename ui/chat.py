"""The chat tab: a conversation that streams, can be stopped, regenerated, edited and picked up again after a reload.

The conversation itself lives in the session on the server; the page only shows it. What comes back from a browser as a
chat history could be forged to name files or components, so nothing is ever read from there but indices and text.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.context import Context
from pydantic import TypeAdapter, ValidationError

from pipelines.chat import ChatRequest, Message
from pipelines.engine import Engine
from pipelines.events import Result, Text, Token
from ui import explain, fields, states
from ui.models import describe, option
from ui.wire import QUIET, Failed, Moment, Stopped, endpoint, refusing, request_from, user_of, watch

TITLE = "Chat"

EXAMPLES = (
    "Write a short story about a robot who learns to garden.",
    "Explain what a rainbow is to a six-year-old.",
    "Give me three names for a small bakery, with a reason for each.",
    "Write a polite email asking for a day off on Friday.",
)

SETTINGS = {
    "system": "System prompt",
    "temperature": "Temperature",
    "top_p": "Top-p",
    "max_new_tokens": "Longest answer (tokens)",
    "seed": "Seed",
}

SAVED: TypeAdapter[list[Message]] = TypeAdapter(list[Message])


@dataclass
class Draft:
    """An answer while it is being written. The run that writes it holds on to it, wanted or not."""

    text: str = ""


@dataclass
class Conversation:
    """One visitor's conversation: messages in turn, the answer that is being written, and how that goes."""

    messages: list[Message] = field(default_factory=list)
    draft: Draft | None = None
    line: str = field(default_factory=states.idle)

    def say(self, text: str) -> None:
        """The visitor says something; an answer is due."""
        self.messages.append(Message(role="user", content=text))
        self.draft = Draft()

    def settle(self) -> None:
        """Keep what has been written of the answer as the answer."""
        if self.draft is not None and self.draft.text:
            self.messages.append(Message(role="assistant", content=self.draft.text))
        self.draft = None

    def last_question(self) -> int:
        """Where the visitor's last message is. Raises gr.Error when there is none."""
        for index in reversed(range(len(self.messages))):
            if self.messages[index].role == "user":
                return index
        raise gr.Error(
            "There is nothing to answer yet. Write a message first.", title="Empty conversation", print_exception=False
        )

    def find(self, text: str, shown_at: int) -> int:
        """Where a message of the visitor's is that the page shows at some place. Raises gr.Error when there is none.

        That is there or before: the page shows a model's reasoning as messages of its own.
        """
        for index in reversed(range(min(shown_at + 1, len(self.messages)))):
            if self.messages[index] == Message(role="user", content=text):
                return index
        raise gr.Error("That message is no longer part of this conversation.", print_exception=False)

    def shown(self) -> list[dict[str, Any]]:
        """The conversation for gr.Chatbot. As typed text parts, which it leaves exactly as they are."""
        messages = self.saved()
        if self.draft is not None and self.draft.text:
            messages.append({"role": "assistant", "content": self.draft.text})
        return [{"role": m["role"], "content": [{"type": "text", "text": m["content"]}]} for m in messages]

    def saved(self) -> list[dict[str, str]]:
        """The settled part as plain data, for the visitor's own browser to keep."""
        return [message.model_dump() for message in self.messages]


def build(engine: Engine) -> None:
    """Lay the tab out and wire it."""
    models = engine.registry.of("chat")
    conversation = gr.State(Conversation())
    browser = gr.BrowserState([], storage_key="polymuse-chat", secret="polymuse")  # the visitor's own disk

    with gr.Row(elem_classes="pm-workspace"):
        with gr.Column(scale=3, min_width=320, elem_classes="pm-stage"):
            chatbot = gr.Chatbot(
                label="Conversation",
                show_label=False,
                elem_id="pm-chat",
                height="min(62vh, 720px)",
                min_height=280,
                layout="bubble",
                buttons=["copy", "copy_all"],
                editable="user",
                feedback_options=None,
                reasoning_tags=[("<think>", "</think>")],
                placeholder="<strong>Ask for something</strong><br>A language model answers word by word.",
                examples=[{"text": text} for text in EXAMPLES],
                watermark="— written by an AI model with Polymuse",
            )
            status = gr.HTML(states.idle(), elem_id="pm-chat-status", apply_default_css=False)
            with gr.Row(elem_classes="pm-prompt", equal_height=True):
                prompt = gr.Textbox(
                    placeholder="Write a message",
                    label="Message",
                    show_label=False,
                    lines=1,
                    max_lines=8,
                    max_length=20_000,
                    scale=8,
                    autofocus=True,
                    elem_id="pm-chat-prompt",
                    container=False,
                )
                send = gr.Button("Send", variant="primary", scale=0, min_width=96, elem_id="pm-chat-send")
                stop = gr.Button("Stop", variant="stop", scale=0, min_width=96, visible=False, elem_id="pm-chat-stop")
            with gr.Row(elem_classes="pm-actions", visible=False) as actions:  # of a conversation that there is
                again = gr.Button("Regenerate", size="sm", scale=0, min_width=120, elem_id="pm-chat-again")
                clear = gr.Button("New conversation", size="sm", scale=0, min_width=160, elem_id="pm-chat-clear")
        with gr.Column(scale=1, min_width=280, elem_classes="pm-side"):
            model = gr.Dropdown(
                [(option(engine, spec), spec.id) for spec in models],
                value=models[0].id,
                label="Model",
                elem_id="pm-chat-model",
            )
            about = gr.HTML(describe(engine, models[0]), apply_default_css=False)
            with gr.Accordion("Settings", open=False):
                knobs = [fields.visible(ChatRequest, name, label) for name, label in SETTINGS.items()]
    explain.what_you_are_seeing(
        "A machine that predicts the next word",
        (
            "A language model reads the conversation as tokens, pieces of words, and computes for each of the tens of "
            "thousands that it knows how likely that one comes next.",
            "One is drawn by those probabilities and added to the text; then the whole is read again for the next, "
            "which is why you see the answer grow piece by piece.",
            "Temperature decides how often a less likely token is drawn: at 0 the answer is always the same, higher "
            "it gets more varied, and more often wrong.",
        ),
    )

    settings = [model, *knobs]

    def check(message: str, before: list[Message], values: tuple[Any, ...]) -> ChatRequest:
        names = ("model", *SETTINGS)
        request = request_from(
            ChatRequest, {"message": message, "history": tuple(before), **dict(zip(names, values, strict=True))}
        )
        assert isinstance(request, ChatRequest)
        return request

    def begin(talk: Conversation, text: str, before: list[Message], values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Take a message, if it and the settings make sense; else nothing changes and nothing is lost."""
        if talk.draft is not None:
            raise gr.Error("An answer is being written. Wait for it, or stop it first.", print_exception=False)
        check(text, before, values)
        talk.messages = list(before)
        talk.say(text)
        talk.line = states.loading("Starting")
        return talk.shown(), talk.line, gr.Button(visible=False), gr.Button(visible=True), gr.Row(visible=True)

    def on_send(text: str, talk: Conversation, *values: Any) -> tuple[Any, ...]:
        return "", *begin(talk, text, talk.messages, values)

    def on_example(data: gr.SelectData, talk: Conversation, *values: Any) -> tuple[Any, ...]:
        return begin(talk, data.value["text"], talk.messages, values)

    def on_regenerate(talk: Conversation, *values: Any) -> tuple[Any, ...]:
        index = talk.last_question()
        return begin(talk, talk.messages[index].content, talk.messages[:index], values)

    def on_edit(data: gr.EditData, talk: Conversation, *values: Any) -> tuple[Any, ...]:
        index = talk.find(data.previous_value, int(data.index))  # type: ignore[arg-type]
        return begin(talk, data.value, talk.messages[:index], values)

    async def answer(http: gr.Request, talk: Conversation, *values: Any) -> AsyncIterator[tuple[Any, str]]:
        draft = talk.draft or Draft()
        try:
            *before, question = talk.messages
            request = check(question.content, before, values)
            async with aclosing(watch(engine, request, user_of(http))) as moments:
                async for line in show(draft, moments):
                    if talk.draft is not draft:  # stopped: what comes now would hide it, and gradio stops us only next
                        return
                    talk.line = line
                    yield talk.shown(), line
        finally:
            if talk.draft is draft:
                talk.settle()

    def settled(talk: Conversation) -> tuple[Any, ...]:
        """How things stand. Also after a run: what it streamed can overtake, on the page, what ended it."""
        writing = talk.draft is not None  # if so, by now, the next answer
        buttons = gr.Button(visible=not writing), gr.Button(visible=writing)
        return talk.saved(), *buttons, talk.shown(), talk.line, gr.Row(visible=bool(talk.messages))

    def on_failure(talk: Conversation) -> tuple[Any, ...]:
        if talk.draft is not None:  # it never came to a run: gradio's queue is full
            talk.settle()
            talk.line = states.failed("The answer could not be started. Regenerate tries again.")
        return settled(talk)

    def on_stop(talk: Conversation) -> tuple[Any, ...]:
        if talk.draft is not None:
            talk.line = states.stopped("what was written is kept" if talk.draft.text else "")
            talk.settle()
        return settled(talk)

    def on_clear(talk: Conversation) -> tuple[Any, ...]:
        talk.settle()
        return *settled(Conversation()), Conversation()

    def on_load(saved: Any) -> tuple[Any, ...]:
        talk = Conversation(_parse(saved))
        unanswered = bool(talk.messages) and talk.messages[-1].role == "user"
        if unanswered:
            talk.line = states.stopped("the page was left meanwhile; Regenerate answers again")
        return talk, talk.shown(), talk.line, gr.Row(visible=bool(talk.messages))

    may_refuse = refusing(send)
    started = [chatbot, status, send, stop, actions]
    begun = [
        gr.on(
            [send.click, prompt.submit], on_send, [prompt, conversation, *settings], [prompt, *started], **may_refuse
        ),
        chatbot.example_select(on_example, [conversation, *settings], started, **may_refuse),
        gr.on([again.click, chatbot.retry], on_regenerate, [conversation, *settings], started, **may_refuse),
        chatbot.edit(on_edit, [conversation, *settings], started, **may_refuse),
    ]
    answering = []
    stands = [browser, send, stop, chatbot, status, actions]
    for event in begun:
        event.success(lambda talk: talk.saved(), conversation, browser, **QUIET)  # survives a reload meanwhile
        run = event.success(
            answer,
            [conversation, *settings],
            [chatbot, status],
            **may_refuse,
        )
        answering.append(run)
        run.then(settled, conversation, stands, **QUIET)
        run.failure(on_failure, conversation, stands, **QUIET)
    stop.click(on_stop, conversation, stands, cancels=answering, **QUIET)
    gr.on([clear.click, chatbot.clear], on_clear, conversation, [*stands, conversation], cancels=answering, **QUIET)
    model.change(lambda choice: describe(engine, engine.registry[choice]), model, about, **QUIET)
    page = Context.root_block
    assert page is not None
    page.load(on_load, browser, [conversation, chatbot, status, actions], **QUIET)
    endpoint(engine, ChatRequest, "chat")


async def show(draft: Draft, moments: AsyncIterator[list[Moment]]) -> AsyncIterator[str]:
    """Write the answer into the draft as it comes, and yield the status line after each batch."""
    first = time.monotonic()  # when the first token came: waiting and loading are not writing
    tokens = 0
    async for batch in moments:
        line = None
        for moment in batch:
            match moment:
                case Token(text=text):
                    tokens += 1
                    first = time.monotonic() if tokens == 1 else first
                    draft.text += text
                    line = states.writing(tokens, time.monotonic() - first if tokens > 1 else 0)
                case Result(artifact=artifact):
                    assert isinstance(artifact, Text)
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
        parts.append(f"the {artifact.left_out} oldest messages no longer fitted and were left out")
    return "; ".join(parts)


def _parse(saved: Any) -> list[Message]:
    """What the browser kept; nothing if it is not a conversation (any more)."""
    try:
        return SAVED.validate_python(saved)
    except ValidationError:
        return []
