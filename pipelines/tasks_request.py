"""Everyday writing tasks: what can be asked, and the prompt that each is made into."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.spec import Request

TaskName = Literal["write", "summarise", "translate", "rewrite", "answer"]
Tone = Literal["as it is", "friendly", "formal", "plain", "lively", "persuasive"]
Length = Literal["short", "medium", "long"]
Level = Literal["anyone", "a child", "a teenager", "an expert"]
MOST_TEXT = 100_000  # characters: a short book
GUEST_TEXT = 20_000
TEXT = "{text}"  # where a prompt has the text

LENGTHS: dict[str, dict[Length, str]] = {
    "write": {"short": "About 50 words.", "medium": "About 150 words.", "long": "About 400 words."},
    "summarise": {"short": "in one sentence", "medium": "in three to five sentences", "long": "in three paragraphs"},
    "rewrite": {"short": "Make it much shorter.", "medium": "", "long": "Make it longer, with more detail."},
    "answer": {"short": "in one sentence", "medium": "in a few sentences", "long": "in detail"},
}


class TaskRequest(Request):
    """A writing task: write, summarise, translate, rewrite, or answer from a text."""

    task: TaskName = Field("summarise", description="Write, summarise, translate, rewrite, or answer from the text")
    text: str = Field("", max_length=MOST_TEXT, description="The text that it is about")
    instruction: str = Field("", max_length=4_000, description="What to write, the question, or a further wish")
    language: str = Field("French", min_length=1, max_length=40, description="Translated into this language")
    tone: Tone = Field("as it is", description="How it sounds")
    length: Length = Field("medium", description="How long the result is")
    level: Level = Field("anyone", description="Whom it is written for")
    prompt: str = Field(
        "", max_length=4_000, description="What the model is told; {text} is the text. Empty: a preset"
    )
    model: str = Field("smollm2-135m", max_length=200, description="Which model answers")
    temperature: float = Field(
        0.3, ge=0, le=2, description="0 always takes the likeliest token; higher values take more risks"
    )
    top_p: float = Field(
        0.9, ge=0.01, le=1, description="Draw only from the likeliest tokens that together reach this probability"
    )
    max_new_tokens: int = Field(
        768, ge=1, le=8_192, description="The result, or that of each part, ends here at the latest"
    )

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.task == "write" and not (self.instruction + self.prompt).strip():
            raise ValueError("“instruction” must say what to write")
        if self.task == "answer" and not (self.instruction + self.prompt).strip():
            raise ValueError("“instruction” must be the question")
        if self.task != "write" and not self.text.strip():
            raise ValueError(f"“text” must have something to {self.task}{' from' if self.task == 'answer' else ''}")
        return self


def template(request: TaskRequest) -> str:
    """What the model is told, with {text} where the text goes, if there is any."""
    told = request.prompt.strip() or preset(request)
    return told if TEXT in told or not request.text.strip() else f"{told}\n\n{TEXT}"


def preset(request: TaskRequest) -> str:
    """The task's own prompt."""
    length = LENGTHS.get(request.task, {}).get(request.length, "")
    tone = "" if request.tone == "as it is" else f"Use a {request.tone} tone."
    level = "" if request.level == "anyone" else f"Write so that {request.level} understands it."
    wish = request.instruction.strip()
    match request.task:
        case "write":
            return _told(wish, length, tone, level, text="Use these notes:" if request.text.strip() else "")
        case "summarise":
            return _told(f"Summarise this text {length}.", tone, level, wish, text=" ")
        case "translate":
            return _told(f"Translate this text into {request.language}. Write only the translation.", wish, text=" ")
        case "rewrite":
            told = "Rewrite this text and keep its meaning. Write only the new text."
            return _told(told, length, tone, level, wish, text=" ")
        case "answer":
            return _told(
                *(f"Answer the question {length}, from this text alone.", tone, level),
                *("If the text does not say, write: The text does not say.",),
                text=f"Question: {wish}",
            )


def _told(*sentences: str, text: str) -> str:
    """The sentences, and where the text goes, after `text`; nowhere if that is empty."""
    told = " ".join(sentence for sentence in sentences if sentence)
    return "\n\n".join(part for part in (told, text.strip(), TEXT if text else "") if part)
