"""The chat's events, as the page sends them: Stop has the last word, a run that ends late leaves the next alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any

import httpx

from tests.conftest import MODEL, WAIT_S, Endless, Server, wait_for
from tests.ui.visitor import Visitor
from ui import states


class Page:
    """One visitor's session, without a browser: calls the page's events by their names, and listens for as long as any
    that took a place in the queue is under way, as a browser does. Gradio ends the runs of whoever does not listen."""

    def __init__(self, server: Server, session: str) -> None:
        self._http = httpx.Client(base_url=server.url, timeout=WAIT_S)
        self._session = session
        numbers = {event.api_name: number for number, event in reversed(server.page.fns.items())}
        self._number = numbers.__getitem__
        self._heard: defaultdict[str, SimpleQueue[dict[str, Any]]] = defaultdict(SimpleQueue)
        self._over: set[str] = set()
        self._joined: SimpleQueue[str | None] = SimpleQueue()  # and None when there will be no more
        self._ear = Thread(target=self._listen, name=f"the ear of {session}", daemon=True)

    def __enter__(self) -> Page:
        self._ear.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._joined.put(None)
        self._ear.join(WAIT_S)
        assert not self._ear.is_alive(), "an event is still under way"
        self._http.close()

    def call(self, event: str, *values: Any) -> Any:
        """The outputs of an event that takes no place in the queue."""
        called = self._http.post("gradio_api/run/predict", json=self._body(event, values)).raise_for_status()
        return called.json()["data"]

    def join(self, event: str, *values: Any) -> str:
        """Have an event take its place in the queue; returns by what its messages are known."""
        joined = self._http.post("gradio_api/queue/join", json=self._body(event, values)).raise_for_status()
        number = str(joined.json()["event_id"])
        self._joined.put(number)
        return number

    def messages(self, number: str) -> Iterator[dict[str, Any]]:
        """What is told of an event that was joined, as it comes, to its end."""
        while True:
            yield (message := self._heard[number].get(timeout=WAIT_S))
            if message["msg"] == "process_completed":
                return

    def ask(self, text: str) -> str:
        """What pressing Send sets off, up to the answer; returns by what that is known."""
        *_, sent = self.messages(self.join("on_send", {"text": text, "files": []}, None, None, *VALUES))
        assert sent["success"]
        return self.join("answer", None, None)

    def _body(self, event: str, values: tuple[Any, ...]) -> dict[str, Any]:
        return {"data": values, "fn_index": self._number(event), "session_hash": self._session}

    def _listen(self) -> None:
        """One stream after the other: the server closes each once everything that was joined is over."""
        for number in iter(self._joined.get, None):
            while number not in self._over:
                with self._http.stream("GET", "gradio_api/queue/data", params={"session_hash": self._session}) as told:
                    for line in told.iter_lines():
                        if line.startswith("data:"):
                            self._hear(json.loads(line.removeprefix("data:")))

    def _hear(self, message: dict[str, Any]) -> None:
        if (number := message.get("event_id")) is not None:
            if message["msg"] == "process_completed":
                self._over.add(number)
            self._heard[number].put(message)


VALUES = (False, MODEL, "", 0.3, 0.9, 512, 0, False)


def test_stop_has_the_last_word_even_before_gradio_cancels_the_run(served: Server) -> None:
    """The page asks for on_stop first and for the cancellation after it; the answer goes on streaming in between."""
    served.script = endless = Endless()
    with Page(served, "stopper") as page:
        messages = page.messages(page.ask("hi"))
        next(message for message in messages if "Writing" in json.dumps(message))
        saved, send, stop, conversation, line, xray, actions = page.call("on_stop", None, None)
        assert "what was written is kept" in line and send["visible"] and not stop["visible"] and actions["visible"]
        *_, ended = messages  # without any cancellation
        assert ended["success"]
        assert endless.cancelled.wait(WAIT_S)
        after = page.call("settled", None, None)
        assert after[0] == saved and after[0][-1]["role"] == "assistant" and after[0][-1]["content"]
        assert after[4] == line and after[3] == conversation
        assert xray == {"state": "off"}


def test_an_empty_message_is_refused_in_plain_words(served: Server) -> None:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        visitor = Visitor(served, http, "says nothing", "ui.chat")
        last = visitor.ended("on_send", {"text": " ", "files": []}, None, None, *VALUES)
    assert not last["success"] and last["output"]["error"] == "Write a message first."


def test_a_run_that_ends_late_leaves_the_next_answer_alone(served: Server) -> None:
    served.script = first = Endless()
    with Page(served, "hasty") as page:
        page.ask("one")
        assert first.started.wait(WAIT_S)
        page.call("on_stop", None, None)
        served.script = second = Endless()
        page.ask("two")
        assert second.started.wait(WAIT_S)
        _, send, stop, *_ = page.call("settled", None, None)  # as after the first run
        assert not send["visible"] and stop["visible"]
        page.call("on_stop", None, None)
        assert second.cancelled.wait(WAIT_S) and first.cancelled.wait(WAIT_S)
        said = [message["content"] for message in page.call("settled", None, None)[0] if message["role"] == "user"]
        assert said == ["one", "two"]


def test_a_run_that_was_given_up_says_that_it_stopped(served: Server) -> None:
    """As when the connection is lost for a moment: the page is there still, and must not say “Writing” for ever."""
    served.script = endless = Endless()
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        visitor = Visitor(served, http, "cut off", "ui.chat")
        assert visitor.ended("on_send", {"text": "hi", "files": []}, None, None, *VALUES)["success"]
        for message in visitor.join("answer", None, None):
            if "Writing" in json.dumps(message):
                break  # the stream is closed
        assert endless.cancelled.wait(WAIT_S)
        wait_for(lambda: visitor.call("settled", None, None)[1]["visible"])
        saved, *_, line, _, _ = visitor.call("settled", None, None)
    assert 'data-state="stopped"' in line and saved[-1]["role"] == "assistant"


def test_a_new_conversation_ends_the_answer_and_hears_no_more_of_it(served: Server) -> None:
    served.script = endless = Endless()
    with Page(served, "mover") as page:
        page.ask("hi")
        assert endless.started.wait(WAIT_S)
        page.call("on_clear", None, None)
        assert endless.cancelled.wait(WAIT_S)
        saved, send, stop, conversation, line, xray, actions = page.call("settled", None, None)
        assert (saved, conversation, line, xray) == ([], [], states.idle(), {"state": "off"})
        assert send["visible"] and not stop["visible"]
        assert not actions["visible"]  # there is nothing to answer again, and nothing to leave behind


def test_who_asks_before_the_page_knows_who_it_is_loses_neither_question_nor_history(served: Server) -> None:
    """On a slow line the page's first event is answered after the visitor has pressed Send."""
    served.script = endless = Endless()
    kept = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "1"}]
    with Page(served, "first") as page:
        answer = page.messages(page.ask("two"))
        next(message for message in answer if "Writing" in json.dumps(message))
        for _ in range(2):  # the second time there is nothing more to recall
            *_, shown, line, actions = page.call("on_load", kept, "", None, None)
        assert "value" not in str((shown, line, actions))  # what the answer tells stays
        saved, *_, conversation, line, _, _ = page.call("on_stop", None, None)
        assert endless.cancelled.wait(WAIT_S)
    assert [message["content"] for message in saved][:3] == ["one", "1", "two"]
    assert len(conversation) == 4 and 'data-state="stopped"' in line
