"""Chat: any causal language model of transformers that has a chat template, one token at a time.

The decode loop is ours rather than generate()'s: each token is a step (delivered, cancellable, a chance to give way),
a long prompt is read in parts for the same reason, and each request samples with a generator of its own, so that a
seed gives the same text whoever else is using the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipelines.device import Device
from pipelines.errors import BadRequest
from pipelines.events import Emit, Progress, Text, Token
from pipelines.sampling import Sampler
from pipelines.spec import Request

if TYPE_CHECKING:
    from torch import Tensor

PREFILL = 256  # prompt tokens read in one step: about half a second of a small model on two cores


class Message(BaseModel):
    """One earlier message of the conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["user", "assistant"]
    content: str = Field(max_length=50_000)


class ChatRequest(Request):
    """A message, what was said before, and how to answer."""

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

    @field_validator("message")
    @classmethod
    def _not_blank(cls, message: str) -> str:
        if not message.strip():
            raise ValueError("must say something")
        return message


class ChatPipeline:
    """A loaded language model and its tokenizer. `context` is the most tokens, prompt and answer, of one request."""

    def __init__(self, model: Any, tokenizer: Any, context: int) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._context = context
        ends = model.generation_config.eos_token_id
        self._ends = {tokenizer.eos_token_id} | set(ends if isinstance(ends, list) else [ends])

    def run(self, request: ChatRequest, emit: Emit) -> Text:
        """Answer. Emits Progress while a long prompt is read, then one Token for each token of the answer.

        Raises BadRequest when the message does not fit the context even alone.
        """
        import torch
        from tokenizers.decoders import DecodeStream

        prompt, left_out = self._prompt(request)
        if left_out:
            emit(Progress(label=f"The {left_out} oldest messages no longer fit and were left out"))
        sampler = Sampler(request.temperature, request.top_p, request.seed)
        decoder = DecodeStream(skip_special_tokens=True)
        parts: list[str] = []
        with torch.inference_mode():
            for logits in self._logits(prompt, sampler, emit):
                token = sampler.sample(logits)
                if token.id in self._ends:
                    return Text("".join(parts), "end", left_out)
                parts.append(decoder.step(self._tokenizer.backend_tokenizer, token.id) or "")
                emit(Token(parts[-1], token.id, token.p))
                if len(parts) == request.max_new_tokens:
                    break
        return Text("".join(parts), "length", left_out)

    def _logits(self, prompt: list[int], sampler: Sampler, emit: Emit) -> Iterator[Tensor]:
        """The logits of each next token, shape (vocabulary,): after the prompt, then after each token sampled."""
        import torch
        from transformers import DynamicCache

        cache = DynamicCache(config=self._model.config)

        def read(ids: list[int]) -> Tensor:
            input_ids = torch.tensor([ids], device=self._model.device)
            output = self._model(input_ids=input_ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            logits: Tensor = output.logits[0, -1]
            return logits

        for start in range(0, len(prompt), PREFILL):
            if start:
                emit(Progress(start, len(prompt), "Reading the conversation", "tokens"))
            logits = read(prompt[start : start + PREFILL])
        yield logits
        while True:
            yield read([sampler.last])

    def _prompt(self, request: ChatRequest) -> tuple[list[int], int]:
        """Token ids of as much of the conversation as fits, newest first, and how many messages were left out."""
        history = [message.model_dump() for message in request.history]
        room = self._context - request.max_new_tokens
        for left_out in range(len(history) + 1):
            if left_out and left_out < len(history) and history[left_out]["role"] != "user":
                continue  # a conversation begins with the user: most templates insist on it
            ids = self._render(request.system, history[left_out:], request.message)
            if len(ids) <= room:
                return ids, left_out
        raise BadRequest(
            f"The message is {len(ids):,} tokens long and {request.max_new_tokens:,} are kept for the answer, but "
            f"this model's context is {self._context:,}. Shorten the message, or lower “max_new_tokens”."
        )

    def _render(self, system: str, history: list[dict[str, str]], message: str) -> list[int]:
        from jinja2 import TemplateError

        messages = [{"role": "system", "content": system}] if system else []
        messages += [*history, {"role": "user", "content": message}]
        try:
            ids = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        except TemplateError as error:
            raise BadRequest(f"This model cannot take the conversation as it stands: {error}.") from None
        return list(ids)


def load(device: Device, path: Path, context: int) -> ChatPipeline:
    """A chat model from a folder in the layout of transformers' save_pretrained; safetensors only, no remote code."""
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # the server's log is no terminal
    tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    if tokenizer.chat_template is None:
        raise BadRequest(f"The model in {path.name} has no chat template, so it is not a chat model. Choose another.")
    model = AutoModelForCausalLM.from_pretrained(
        path,
        dtype=device.dtype(),
        device_map=None if device.kind == "cpu" else device.kind,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    own = getattr(model.config.get_text_config(), "max_position_embeddings", context)
    return ChatPipeline(model, tokenizer, min(context, own))
