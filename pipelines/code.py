"""Code: tasks about code, put to a chat model as a prompt, or to a coder model as a gap to fill.

It is made of a loaded chat pipeline, whichever engine that runs on, and adds nothing to what is in memory. What a
model writes is text here from beginning to end: it is taken apart and parsed, and never executed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipelines.chat import Begun, ChatRequest, Continuation
from pipelines.code_blocks import Answer, read
from pipelines.code_fim import Fim
from pipelines.code_languages import LANGUAGES
from pipelines.code_request import CURSOR, CodeRequest
from pipelines.code_syntax import check
from pipelines.events import Cancelled, Code, Emit, Text, Token, Update
from pipelines.spec import Pipeline

WHOLE = "Put the whole result in one code block, and then say in one or two sentences what you did."
PROMPTS = {
    "write": "Write {language} code. {instruction}\n\n" + WHOLE,
    "complete": "This {language} code has a gap where it says {cursor}. Fill it. {instruction}\n\n{code}\n\n" + WHOLE,
    "explain": "Explain to a beginner, step by step, what this {language} code does. {instruction}\n\n{code}",
    "fix": "Find the mistakes in this {language} code and fix them. {instruction}\n\n{code}\n\n" + WHOLE,
    "translate": "Translate this code into {language}. {instruction}\n\n{code}\n\n" + WHOLE,
    "test": "Write unit tests for this {language} code with {tests}. {instruction}\n\n{code}\n\n" + WHOLE,
}
FIRST_TEST = {  # how it begins; without that a small model writes the code itself once more
    "python": "def test_",
    "javascript": 'test("',
    "typescript": 'test("',
    "java": "@Test\nvoid ",
    "go": "func Test",
    "rust": "#[test]\nfn ",
}


@dataclass(frozen=True)
class Coder:
    """Makes a code pipeline of a loaded chat pipeline. A value, so that specs can be compared and pickled.

    `begins`: the answer is begun for the model, with a code block. A small one often tells of code it never wrote.
    """

    fim: Fim | None = None
    begins: bool = False

    def __call__(self, chat: Pipeline[ChatRequest]) -> CodePipeline:
        return CodePipeline(chat, self)

    def beginning(self, request: CodeRequest) -> str:
        """What the chat model's answer begins with."""
        if not self.begins or request.task == "explain":
            return ""
        first = FIRST_TEST.get(request.language, "") if request.task == "test" else ""
        return f"```{request.language}\n{first}"

    def fills(self, request: CodeRequest) -> bool:
        """Whether the answer will be what belongs into the gap, and nothing else."""
        return request.task == "complete" and self.fim is not None

    def read(self, request: CodeRequest, text: str, finished: bool = True) -> Answer:
        """The code in an answer, of which more may come unless it is `finished`, and the words around it."""
        if request.task == "explain":
            return Answer("", text.strip(), finished)
        if not self.fills(request):
            return read(text, request.language, finished)
        before, after = request.around()
        return Answer(f"{before}{text}{after if finished else ''}", "", finished)


class _Filled(Cancelled):
    """The gap is filled: what the model goes on with belongs to no gap."""


class CodePipeline:
    """Answers tasks about code with a chat pipeline."""

    def __init__(self, chat: Pipeline[ChatRequest], coder: Coder) -> None:
        self._chat = chat
        self._coder = coder

    def run(self, request: CodeRequest, emit: Emit) -> Code:
        """Emits what the chat pipeline does; the result has the code apart, and what its parser says of it."""
        if self._coder.fim is not None and self._coder.fills(request):
            answer = self._fill(self._coder.fim, request, emit)
        else:
            answer = self._answer(request, emit)
        code = self._coder.read(request, answer.text).code
        problem = check(code, request.language).problem
        return Code(answer.text, code, request.language, answer.stopped_by, problem)

    def _answer(self, request: CodeRequest, emit: Emit) -> Text:
        """What the chat model says. The beginning that it is given comes with its first token."""
        start = self._coder.beginning(request)

        def watched(update: Update) -> None:
            nonlocal start
            if isinstance(update, Token):
                update, start = replace(update, text=start + update.text), ""
            emit(update)

        asked = _asked(ChatRequest, request, prompt(request))
        answer = self._chat.run(Begun(**dict(asked), beginning=start) if start else asked, watched)
        assert isinstance(answer, Text)
        return answer

    def _fill(self, fim: Fim, request: CodeRequest, emit: Emit) -> Text:
        """What belongs into the gap. Stops at the family's own marks, which tokenizers do not all hide."""
        held, said = "", ""  # what may be the beginning of a mark waits
        last: Token | None = None

        def watched(update: Update) -> None:
            nonlocal held, said, last
            if not isinstance(update, Token):
                emit(update)
                return
            last = update
            text, ended = fim.cut(held + update.text)
            ready = text if ended else text[: len(text) - _begins(text, fim.ends)]
            held = text[len(ready) :]
            said += ready
            emit(replace(update, text=ready))
            if ended:
                raise _Filled

        try:
            whole = self._chat.run(_asked(Continuation, request, fim.prompt(*request.around())), watched)
        except _Filled:
            return Text(said, "end")
        assert isinstance(whole, Text)
        if last is not None and held:
            emit(replace(last, text=held))
        return Text(said + held, whole.stopped_by)


def prompt(request: CodeRequest) -> str:
    """What a chat model is told."""
    facts = LANGUAGES[request.language]
    name = "" if request.task == "translate" else request.language  # of the block: that of the input is not known
    wanted = {
        "language": facts.title,
        "tests": facts.tests,
        "cursor": CURSOR,
        "instruction": request.instruction.strip(),
        "code": f"```{name}\n{_with_cursor(request)}\n```",
    }
    return PROMPTS[request.task].format(**wanted).replace(" \n\n", "\n\n")


def _with_cursor(request: CodeRequest) -> str:
    code = request.code.strip("\n")
    return code if request.task != "complete" or CURSOR in code else f"{code}\n{CURSOR}"


def _asked(kind: type[ChatRequest], request: CodeRequest, message: str) -> ChatRequest:
    settings = request.model_dump(include={"model", "temperature", "top_p", "max_new_tokens", "seed"})
    return kind(message=message, **settings)


def _begins(text: str, ends: tuple[str, ...]) -> int:
    """How many characters at the end of the text may be the beginning of a mark."""
    longest = max(map(len, ends))
    return max(
        (n for n in range(1, min(longest, len(text)) + 1) if any(end.startswith(text[-n:]) for end in ends)), default=0
    )
