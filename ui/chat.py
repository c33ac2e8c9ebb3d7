"""The chat tab: a conversation that streams, can be stopped, regenerated, edited, looked through, picked up again.

The conversation itself lives in the session on the server; the page only shows it. What comes back from a browser as a
chat history could be forged to name files or components, so nothing is ever read from there but indices and text.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.chat import ChatRequest
from pipelines.engine import Engine
from pipelines.spec import validate
from ui import chat_album, chat_xray, explain, fields, seeds, states
from ui.chat_talk import Conversation, restored, show
from ui.chat_tree import Tree
from ui.models import describe, option
from ui.visits import ALIVE_S, Visits, beside_the_tabs
from ui.wire import MISSING, QUIET, endpoint, refusal, refusals, refusing, user_of, watch

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
}


def build(engine: Engine) -> None:
    """Lay the tab out and wire it."""
    models = engine.registry.of("chat")
    visits: Visits[Tree] = Visits()
    conversation = gr.State(Conversation())
    tree_state = gr.State(Tree(), delete_callback=visits.leave)
    browser = gr.BrowserState([], storage_key="polymuse-chat", secret="polymuse")  # the visitor's own disk
    key = gr.BrowserState("", storage_key="polymuse-chat-xray", secret="polymuse")

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
                group_consecutive_messages=False,
                feedback_options=None,
                reasoning_tags=[("<think>", "</think>")],
                placeholder="<strong>Ask for something</strong><br>A language model answers word by word.",
                examples=[{"text": text} for text in EXAMPLES],
                watermark="— written by an AI model with Polymuse",
            )
            xray = chat_xray.xray("pm-chat-xray")
            with gr.Row(elem_classes="pm-chat-line"):
                status = gr.HTML(states.idle(), elem_id="pm-chat-status", apply_default_css=False)
                lens = gr.Checkbox(
                    False, label="X-ray", container=False, scale=0, min_width=90, elem_id="pm-chat-lens"
                )
            with gr.Row(elem_classes="pm-prompt", equal_height=True):
                prompt = chat_album.box(
                    placeholder="Write a message",
                    label="Message",
                    show_label=False,
                    lines=1,
                    max_lines=8,
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
                knobs = {name: fields.visible(ChatRequest, name, label) for name, label in SETTINGS.items()}
                knobs |= seeds.laid_out(ChatRequest, "pm-chat-seed")
    explain.what_you_are_seeing(
        "A machine that predicts the next word",
        (
            "A language model reads the conversation as tokens, pieces of words, and computes for each of the tens of "
            "thousands that it knows how likely that one comes next.",
            "One is drawn by those probabilities and added to the text; then the whole is read again for the next, "
            "which is why you see the answer grow piece by piece.",
            "X-ray shows each token's chances, which temperature sharpens or levels before one is drawn, and what "
            "else could have come: choose that instead, and the answer goes on from there.",
        ),
    )

    settings = [tree_state, lens, model, *knobs.values()]

    def begin(
        talk: Conversation, text: str, pictures: list[Path], index: int, tree: Tree, *values: Any
    ) -> tuple[Any, ...]:
        """Take a message, as the one at `index`, if it and the settings make sense; else nothing is lost."""
        if not text.strip():
            raise refusal("Write a message first.", MISSING)
        before, _ = talk.pictures(index)
        album = [*before, *pictures]
        said = {"message": text, "history": tuple(talk.messages[:index])}
        given = dict(zip(("xray", "model", *knobs), values, strict=True))
        seeds.draw(given)
        with refusals():
            said["images"] = chat_album.images(album)
            request = validate(ChatRequest, said | given)
            chat_album.check(engine, request)
        talk.album = album
        talk.say(request, tree.begin(request))
        return begun_with(talk, tree)

    def begun_with(talk: Conversation, tree: Tree) -> tuple[Any, ...]:
        writing = talk.draft is not None
        talk.line = states.loading("Starting") if writing else states.idle()
        buttons = gr.Button(visible=not writing), gr.Button(visible=writing)
        seed = gr.skip() if talk.draft is None else talk.draft.request.seed
        return talk.shown(), talk.line, view(talk, tree), *buttons, gr.Row(visible=True), seed

    def view(talk: Conversation, tree: Tree) -> dict[str, Any]:
        return tree.view(talk.messages, talk.draft is not None)

    def on_send(sent: dict[str, Any], talk: Conversation, tree: Tree, *values: Any) -> tuple[Any, ...]:
        not_while_writing(talk)
        with refusals():
            pictures = chat_album.taken(sent["files"], tree)
        return None, *begin(talk, sent["text"], pictures, len(talk.messages), tree, *values)

    def on_example(data: gr.SelectData, talk: Conversation, *values: Any) -> tuple[Any, ...]:
        not_while_writing(talk)
        return begin(talk, data.value["text"], [], len(talk.messages), *values)

    def on_regenerate(talk: Conversation, *values: Any) -> tuple[Any, ...]:
        not_while_writing(talk)
        index = talk.last_question()
        return begin(talk, talk.messages[index].content, talk.pictures(index)[1], index, *values)

    def on_edit(data: gr.EditData, talk: Conversation, *values: Any) -> tuple[Any, ...]:
        not_while_writing(talk)
        index = talk.find(data.previous_value, int(data.index))  # type: ignore[arg-type]
        return begin(talk, data.value, talk.pictures(index)[1], index, *values)

    async def answer(http: gr.Request, talk: Conversation, tree: Tree) -> AsyncIterator[tuple[Any, ...]]:
        draft = talk.draft
        if draft is None:  # stopped before it began
            yield talk.shown(), talk.line, view(talk, tree)
            return
        try:
            async with aclosing(watch(engine, draft.request, user_of(http))) as moments:
                async for line in show(draft, moments):
                    if talk.draft is not draft:  # stopped: what comes now would hide it, and gradio stops us only next
                        return
                    talk.line = line
                    yield talk.shown(), line, view(talk, tree)
        finally:
            if talk.draft is draft:
                talk.settle()
                talk.line = states.over(talk.line)

    def settled(talk: Conversation, tree: Tree) -> tuple[Any, ...]:
        """How things stand. Also after a run: what it streamed can overtake, on the page, what ended it."""
        writing = talk.draft is not None  # if so, by now, the next answer
        buttons = gr.Button(visible=not writing), gr.Button(visible=writing)
        actions = gr.Row(visible=bool(talk.messages))
        return talk.saved(), *buttons, talk.shown(), talk.line, view(talk, tree), actions

    def on_failure(talk: Conversation, tree: Tree) -> tuple[Any, ...]:
        if talk.draft is not None:  # it never came to a run: gradio's queue is full
            talk.settle()
            talk.line = states.failed("The answer could not be started. Regenerate tries again.")
        return settled(talk, tree)

    async def on_stop(talk: Conversation, tree: Tree) -> tuple[Any, ...]:  # where answer() is: never beside it
        if talk.draft is not None:
            talk.line = states.stopped("what was written is kept" if talk.draft.text else "")
            talk.settle()
        return settled(talk, tree)

    def on_clear(talk: Conversation, tree: Tree) -> tuple[Any, ...]:
        talk.clear()
        tree.branches = []
        return settled(talk, tree)

    def on_load(saved: Any, sent: Any, talk: Conversation, tree: Tree) -> tuple[Any, ...]:
        key, tree = visits.enter(sent, tree)
        talk.recall(restored(saved, tree.folder))
        on = tree.on or gr.skip()  # it may have been switched on by now
        if talk.draft is not None:  # the visitor was faster, and the answer tells how things stand
            return talk, key, tree, on, *(3 * [gr.skip()])
        if talk.messages and talk.messages[-1].role == "user":
            talk.line = states.stopped("the page was left meanwhile; Regenerate answers again")
        return talk, key, tree, on, talk.shown(), talk.line, gr.Row(visible=bool(talk.messages))

    def on_alive(saved: Any, sent: Any, talk: Conversation, tree: Tree) -> tuple[Any, ...]:
        """The page is open still (see ui/visits.py). What it had is what it saved, if gradio took it for left."""
        if tree.key:
            return gr.skip(), talk, tree
        key, tree = visits.enter(sent, tree)
        return key, talk if talk.messages else restored(saved, tree.folder), tree

    def on_lens(on: bool, talk: Conversation, tree: Tree) -> dict[str, Any]:
        tree.on = on
        return view(talk, tree)

    def seen(talk: Conversation, tree: Tree) -> None:
        """Refuse what was pressed in an X-ray of another answer than the conversation's, or of one under way."""
        not_while_writing(talk)
        if not tree.fits(talk.messages):
            raise refusal("That answer is no longer here. Regenerate writes it again.", "It is gone")

    def on_branch(data: gr.EventData, talk: Conversation, tree: Tree) -> tuple[Any, ...]:
        seen(talk, tree)
        with refusals():
            branch = tree.what_if(*chat_xray.pressed(data, 3))
        if branch is None:
            talk.answer(tree.branches[tree.taken].text)
        else:
            talk.say(branch.request, branch)
        return begun_with(talk, tree)

    def on_take(data: gr.EventData, talk: Conversation, tree: Tree) -> tuple[Any, ...]:
        seen(talk, tree)
        with refusals():
            talk.answer(tree.take(*chat_xray.pressed(data, 1)).text)
        return talk.saved(), talk.shown(), view(talk, tree)

    def on_beside(data: gr.EventData, talk: Conversation, tree: Tree) -> dict[str, Any]:
        seen(talk, tree)
        with refusals():
            tree.compare(*chat_xray.pressed(data, 1))
        return view(talk, tree)

    may_refuse = refusing(send)
    kept = [conversation, tree_state]
    started = [chatbot, status, xray, send, stop, actions, knobs["seed"]]
    begun = [
        gr.on(
            [send.click, prompt.submit], on_send, [prompt, conversation, *settings], [prompt, *started], **may_refuse
        ),
        chatbot.example_select(on_example, [conversation, *settings], started, **may_refuse),
        gr.on([again.click, chatbot.retry], on_regenerate, [conversation, *settings], started, **may_refuse),
        chatbot.edit(on_edit, [conversation, *settings], started, **may_refuse),
        xray.branch(on_branch, kept, started, **may_refuse),
    ]
    answering = []
    stands = [browser, send, stop, chatbot, status, xray, actions]
    for event in begun:
        event.success(lambda talk: talk.saved(), conversation, browser, **QUIET)  # survives a reload meanwhile
        run = event.success(answer, kept, [chatbot, status, xray], **may_refuse)
        answering.append(run)
        run.then(settled, kept, stands, **QUIET)
        run.failure(on_failure, kept, stands, **QUIET)
    stop.click(on_stop, kept, stands, cancels=answering, **QUIET)
    gr.on([clear.click, chatbot.clear], on_clear, kept, stands, cancels=answering, **QUIET)
    lens.input(on_lens, [lens, *kept], xray, **QUIET)
    xray.take(on_take, kept, [browser, chatbot, xray], **may_refuse)
    xray.beside(on_beside, kept, xray, **may_refuse)
    model.change(lambda choice: describe(engine, engine.registry[choice]), model, about, **QUIET)
    with beside_the_tabs() as page:
        alive = gr.Timer(ALIVE_S)
    alive.tick(on_alive, [browser, key, *kept], [key, *kept], **QUIET)
    loaded = page.load(
        on_load, [browser, key, *kept], [conversation, key, tree_state, lens, chatbot, status, actions], **QUIET
    )
    loaded.then(on_lens, [lens, *kept], xray, **QUIET)  # as the switch is then: a quick visitor has pressed it
    endpoint(engine, ChatRequest, "chat")


def not_while_writing(talk: Conversation) -> None:
    """Refuse what would change an answer under way."""
    if talk.draft is not None:
        raise refusal("An answer is being written. Wait for it, or stop it first.")
