"""Chat: any causal language model of transformers that has a chat template, one token at a time.

The decode loop is ours rather than generate()'s: each token is a step (delivered, cancellable, a chance to give way),
a long prompt is read in parts for the same reason, and each request samples with a generator of its own, so that a
seed gives the same text whoever else is using the model. How the tokens are computed is in decode.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipelines import decode_weights
from pipelines.decode import OneByOne, Wanted, Writer
from pipelines.device import Device
from pipelines.errors import BadRequest
from pipelines.events import Alternative, Emit, Progress, Text, Token, Xray
from pipelines.sampling import Sampler, Seen
from pipelines.sent import Pictures
from pipelines.spec import Request

if TYPE_CHECKING:
    from tokenizers.decoders import DecodeStream

MOST_PICTURES = 4


class Message(BaseModel):
    """One earlier message of the conversation. Of the request's pictures, `pictures` came with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["user", "assistant"]
    content: str = Field(max_length=50_000)
    pictures: int = Field(0, ge=0, le=MOST_PICTURES)


class ChatRequest(Request):
    """A message, what was said before, and how to answer.

    The pictures are those of the whole conversation, oldest first: of the history's messages as many as they say, and
    what is left came with this message.
    """

    message: str = Field(min_length=1, max_length=20_000, description="What you say")
    history: tuple[Message, ...] = Field((), max_length=400, description="The conversation so far, oldest first")
    system: str = Field("", max_length=4_000, description="Instructions that hold for the whole conversation")
    model: str = Field("smollm2-135m", max_length=200, description="Which model answers")
    temperature: float = Field(
        0.3, ge=0, le=2, description="0 always takes the likeliest token; higher values take more risks"
    )
    top_p: float = Field(
        0.9, ge=0.01, le=1, description="Draw only from the likeliest tokens that together reach this probability"
    )
    max_new_tokens: int = Field(512, ge=1, le=8_192, description="The answer ends here at the latest")
    xray: bool = Field(False, description="Tell with each token what there was to choose from")
    begin_with: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (), max_length=8_192, description="Tokens, by their ids, that the answer begins with; the rest is told"
    )
    images: Pictures = Field(
        (), repr=False, max_length=MOST_PICTURES, description="Picture files, for models that can see, oldest first"
    )

    @property
    def said(self) -> tuple[Message, ...]:
        """The conversation up to this message, and with it."""
        pictures = len(self.images) - sum(message.pictures for message in self.history)
        return (*self.history, Message(role="user", content=self.message, pictures=pictures))

    @field_validator("message")
    @classmethod
    def _not_blank(cls, message: str) -> str:
        if not message.strip():
            raise ValueError("must say something")
        return message

    @field_validator("images", mode="before")
    @classmethod
    def _none(cls, images: Any) -> Any:
        return () if images is None else images  # what an empty file input sends

    @model_validator(mode="after")
    def _all_there(self) -> Self:
        if (said := sum(message.pictures for message in self.history)) > len(self.images):
            raise ValueError(f"the history speaks of {said} pictures, but “images” has {len(self.images)}")
        return self


class Continuation(ChatRequest):
    """A text that the model goes on with as it stands, without a chat template: how gaps in code are filled."""


class Begun(ChatRequest):
    """A message whose answer begins as the asker says, which is told with the answer, but not as tokens."""

    beginning: str


@dataclass(frozen=True)
class Facts:
    """What a model's configuration says: the most tokens of prompt and answer, how many there are, which end it."""

    context: int
    vocabulary: int
    ends: frozenset[int]


class ChatPipeline:
    """A loaded language model and its tokenizer."""

    def __init__(self, writer: Writer, tokenizer: Any, facts: Facts) -> None:
        self.writer = writer
        self._tokenizer = tokenizer
        self._context = facts.context
        self._vocabulary = facts.vocabulary
        self._ends = facts.ends | {tokenizer.eos_token_id}

    def run(self, request: ChatRequest, emit: Emit) -> Text:
        """Answer. Emits Progress while a long prompt is read, then one Token for each token of the answer.

        That is each after those it is to begin with and, under X-ray, the one that ends it too. Raises BadRequest
        when the message does not fit the context even alone, and when no answer can begin as it should.
        """
        from tokenizers.decoders import DecodeStream

        begin = self._beginning(request)
        prompt, left_out = self._prompt(request)
        if left_out:
            oldest = (
                "The oldest message no longer fits and was"
                if left_out == 1
                else (f"The {left_out} oldest messages no longer fit and were")
            )
            emit(Progress(label=f"{oldest} left out"))
        decoder = DecodeStream(skip_special_tokens=True)
        parts = [self._text(decoder, given) for given in begin]
        if begin and begin[-1] in self._ends:
            return Text("".join(parts), "end", left_out)
        if len(begin) == request.max_new_tokens:
            return Text("".join(parts), "length", left_out)
        sampler = Sampler(request.temperature, request.top_p, request.seed, request.xray)
        sampler.skip(len(begin))
        wanted = Wanted(prompt, begin, frozenset(self._ends), request.max_new_tokens - len(begin))
        with closing(self.writer.write(wanted, sampler, emit)) as tokens:
            for token in tokens:
                end = token.id in self._ends
                xray = None if token.seen is None else self._xray(token.seen, end, decoder)
                if not end:
                    parts.append(self._text(decoder, token.id))
                if not end or xray:
                    emit(Token("" if end else parts[-1], token.id, token.p, xray))
                if end:
                    return Text("".join(parts), "end", left_out)
        return Text("".join(parts), "length", left_out)

    def _text(self, decoder: DecodeStream, token: int) -> str:
        """What a token adds to the text that is in the decoder, which then has it too."""
        return decoder.step(self._tokenizer.backend_tokenizer, token) or ""

    def _xray(self, seen: Seen, end: bool, decoder: DecodeStream) -> Xray:
        alternatives = tuple(
            Alternative("" if one in self._ends else self._text(copy(decoder), one), one, p, drawn, one in self._ends)
            for one, p, drawn in seen.alternatives
        )
        return Xray(seen.entropy, seen.rank, seen.drawn, alternatives, end)

    def _beginning(self, request: ChatRequest) -> tuple[int, ...]:
        """The tokens to begin with. Raises BadRequest if this model knows one not, or could not go on after one."""
        if isinstance(request, Begun):
            given = self._tokenizer.encode(request.beginning, add_special_tokens=False)
            return tuple(given[: request.max_new_tokens])
        begin = request.begin_with
        if strangers := [token for token in begin if token >= self._vocabulary]:
            numbered = f"its {self._vocabulary:,} tokens are numbered from 0"
            raise BadRequest(f"This model has no token {strangers[0]}: {numbered}.")
        if self._ends.intersection(begin[:-1]):
            raise BadRequest("“begin_with” goes on after a token that ends the answer. Leave out what comes after it.")
        if len(begin) > request.max_new_tokens:
            raise BadRequest(
                f"“begin_with” has {len(begin):,} tokens, but the answer ends after {request.max_new_tokens:,}. "
                "Raise “max_new_tokens”."
            )
        return begin

    def _prompt(self, request: ChatRequest) -> tuple[list[int], int]:
        """Token ids of as much of the conversation as fits, newest first, and how many messages were left out."""
        history = request.history
        room = self._context - request.max_new_tokens
        starts = [n for n in range(1, len(history)) if history[n].role == "user"]  # most templates insist on that
        starts = sorted({0, *starts, len(history)})
        fitting: tuple[list[int], int] | None = None
        first, end, place = 0, len(starts), 0  # most conversations fit whole; of others the half is tried, and so on
        while first < end:
            ids = self._without(request, starts[place])
            if len(ids) <= room:
                fitting, end = (ids, starts[place]), place
            else:
                first = place + 1
            place = (first + end) // 2
        if fitting is not None:
            return fitting
        raise BadRequest(
            f"The message is {len(ids):,} tokens long and {request.max_new_tokens:,} are kept for the answer, but "
            f"this model's context is {self._context:,}. Shorten the message, or lower “max_new_tokens”."
        )

    def _without(self, request: ChatRequest, left_out: int) -> list[int]:
        """The prompt without that many of the oldest messages."""
        if isinstance(request, Continuation):
            return list(self._tokenizer.encode(request.message))
        assert not request.images  # whoever cannot see is not sent any: catalog.py
        history = [{"role": message.role, "content": message.content} for message in request.history[left_out:]]
        return self._render(request.system, history, request.message)

    def _render(self, system: str, history: list[dict[str, str]], message: str) -> list[int]:
        messages = [{"role": "system", "content": system}] if system else []
        messages += [*history, {"role": "user", "content": message}]
        with template_errors():
            return list(self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))


@contextmanager
def template_errors() -> Iterator[None]:
    """What a model's chat template does not take is the request's fault."""
    from jinja2 import TemplateError

    try:
        yield
    except TemplateError as error:
        raise BadRequest(f"This model cannot take the conversation as it stands: {error}.") from None


def load(device: Device, path: Path, context: int) -> ChatPipeline:
    """A chat model from a folder in the layout of transformers' save_pretrained; safetensors only, no remote code.

    On a CPU its decoder is used if it has one.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    check_template(tokenizer, path)
    facts = facts_of(path, context)
    if device.kind == "cpu" and (path / decode_weights.NAME).is_file():
        return ChatPipeline(_batch(device, path, facts), tokenizer, facts)
    return ChatPipeline(_one_by_one(device, path), tokenizer, facts)


def check_template(reader: Any, path: Path) -> None:
    """Raise BadRequest unless a tokenizer or processor knows how a conversation is written for its model."""
    if reader.chat_template is None:
        raise BadRequest(f"The model in {path.name} has no chat template, so it is not a chat model. Choose another.")


def facts_of(path: Path, context: int) -> Facts:
    """What the model in this folder says of itself; no more context than we allow it."""
    from transformers import AutoConfig, GenerationConfig

    config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False).get_text_config()
    try:
        ends = GenerationConfig.from_pretrained(path, local_files_only=True).eos_token_id
    except OSError:  # a repository need not have one
        ends = config.eos_token_id
    own = getattr(config, "max_position_embeddings", context)
    return Facts(min(context, own), config.vocab_size, frozenset(ends if isinstance(ends, list) else [ends]))


def _batch(device: Device, path: Path, facts: Facts) -> Writer:
    from pipelines.decode_batch import Batch
    from pipelines.decode_engine import Decoder
    from pipelines.decode_prefixes import PREFIXES, Prefixes

    decoder = Decoder(path / decode_weights.NAME, facts.context, device.cores)
    return Batch(decoder, Prefixes(PREFIXES))


def _one_by_one(device: Device, path: Path) -> Writer:
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # the server's log is no terminal
    model = AutoModelForCausalLM.from_pretrained(
        path,
        dtype=device.dtype(),
        device_map=None if device.kind == "cpu" else device.kind,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    return OneByOne(model)
