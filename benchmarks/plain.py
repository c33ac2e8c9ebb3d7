"""A model called plainly, in a process with nothing else in it: what benchmarks.decode and chat compare with.

That is transformers' own generate(), or with --ours the chat pipeline without an engine or a page around it. It reads
one question a line from standard input and answers each with one line on standard output, both JSON, and sits still
in between. A streamer notes when each token comes out, which is all that it does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from benchmarks.server import ROOT
from pipelines.chat import ChatRequest
from pipelines.events import Text, Token, Update
from pipelines.spec import Pipeline

CONTEXT = 8_192
STORY = "Write a long story about a lighthouse keeper, with many details about the sea and the weather."
Ask: TypeAlias = Callable[
    [dict[str, Any]], tuple[list[float], float, str]
]  # gives seconds to each token, to the end, text


@dataclass(frozen=True)
class Answer:
    """One answer as it was timed: seconds from the question to each token, and to the end."""

    times: tuple[float, ...]
    seconds: float
    text: str

    @property
    def first(self) -> float:
        """Seconds to the first token: rendering the prompt, reading it, and one step."""
        return self.times[0]

    @property
    def decode_rate(self) -> float:
        """Tokens a second once the first one is there."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])

    @property
    def whole_rate(self) -> float:
        """Tokens a second from the question to the end of the answer."""
        return len(self.times) / self.seconds


def timed(pipeline: Pipeline[ChatRequest], request: ChatRequest) -> tuple[list[Token], Answer]:
    """The tokens of one answer of a chat pipeline in this process, and when they came."""
    tokens: list[Token] = []
    times: list[float] = []
    began = time.perf_counter()

    def note(update: Update) -> None:
        if isinstance(update, Token):
            times.append(time.perf_counter() - began)
            tokens.append(update)

    found = pipeline.run(request, note)
    assert isinstance(found, Text)
    return tokens, Answer(tuple(times), time.perf_counter() - began, found.text)


class Plain:
    """The process, from the side that asks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.threads = int(self._read()["threads"])

    def ask(self, message: str, settings: Mapping[str, Any]) -> Answer:
        """Have it answer one message; returns when it has."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"message": message, **settings}) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        return Answer(tuple(answer["times"]), answer["seconds"], answer["text"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"plain generate ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def running(environment: dict[str, str], *options: str) -> Iterator[Plain]:
    """The process, with the model loaded; it ends with the block."""
    command = [sys.executable, "-m", "benchmarks.plain", *options]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Plain(process)
        finally:
            process.terminate()


def main() -> None:
    """The process, from inside."""
    threads, ask = _pipeline() if "--ours" in sys.argv else _generate()
    print(json.dumps({"threads": threads}), flush=True)
    for line in sys.stdin:
        times, seconds, text = ask(json.loads(line))
        print(json.dumps({"times": times, "seconds": seconds, "text": text}), flush=True)


def _pipeline() -> tuple[int, Ask]:
    """The chat pipeline as the engine would call it, without the engine."""
    from pipelines import chat
    from pipelines.device import detect
    from pipelines.weights import SMOLLM2, Store

    device = detect("cpu")
    pipeline = chat.load(device, Store().fetch(SMOLLM2, lambda update: None).path, CONTEXT)

    def ask(question: dict[str, Any]) -> tuple[list[float], float, str]:
        answer = timed(pipeline, ChatRequest(**question))[1]
        return list(answer.times), answer.seconds, answer.text

    return device.cores, ask


def _generate() -> tuple[int, Ask]:
    """transformers' generate()."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.generation.streamers import BaseStreamer
    from transformers.utils import logging as transformers_logging

    from pipelines.device import detect
    from pipelines.weights import SMOLLM2, Store

    class Clock(BaseStreamer):  # type: ignore[misc, unused-ignore]
        """generate() calls put() with the prompt first, then with each token."""

        def __init__(self) -> None:
            self.times: list[float] = []

        def put(self, value: Any) -> None:
            self.times.append(time.perf_counter())

        def end(self) -> None:
            pass

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call, unused-ignore]
    folder = Store().fetch(SMOLLM2, lambda update: None).path
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=detect("cpu").dtype(), local_files_only=True)

    def ask(question: dict[str, Any]) -> tuple[list[float], float, str]:
        began = time.perf_counter()
        torch.manual_seed(question["seed"])
        inputs = tokenizer.apply_chat_template(
            [{"role": "user", "content": question["message"]}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        clock = Clock()
        sampling: dict[str, Any] = {"do_sample": False}
        if question["temperature"] > 0:
            sampling = {
                "do_sample": True,
                "temperature": question["temperature"],
                "top_p": question["top_p"],
                "top_k": 0,
            }
        output = model.generate(
            **inputs, **sampling, max_new_tokens=question["max_new_tokens"], streamer=clock, use_cache=True
        )
        new = output[0, inputs["input_ids"].shape[1] :]
        text = tokenizer.decode(new, skip_special_tokens=True)
        seconds = time.perf_counter() - began
        ended = int(new[-1]) == tokenizer.eos_token_id
        times = [when - began for when in clock.times[1 : len(clock.times) - ended]]  # the end token is no text
        return times, seconds, text

    return torch.get_num_threads(), ask


if __name__ == "__main__":
    main()
