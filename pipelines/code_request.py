"""What can be asked about code."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.code_languages import CodeLanguage
from pipelines.spec import Request

CodeTask = Literal["write", "complete", "explain", "fix", "translate", "test"]
CURSOR = "<cursor>"  # where code is to be completed; without it, at the end
MOST_CODE = 15_000
MOST_INSTRUCTION = 4_000


class CodeRequest(Request):
    """A task about code: what to do, with which code, in which language."""

    task: CodeTask = Field("write", description="Write, complete, explain, fix, translate, or write tests")
    instruction: str = Field("", max_length=MOST_INSTRUCTION, description="What is wanted, in words")
    code: str = Field("", max_length=MOST_CODE, description="The code that it is about; <cursor> marks a gap to fill")
    language: CodeLanguage = Field("python", description="The language of the result; of the code, unless translated")
    model: str = Field("smollm2-135m", max_length=200, description="Which model answers")
    temperature: float = Field(
        0.2, ge=0, le=2, description="0 always takes the likeliest token; higher values take more risks"
    )
    top_p: float = Field(
        0.9, ge=0.01, le=1, description="Draw only from the likeliest tokens that together reach this probability"
    )
    max_new_tokens: int = Field(1_024, ge=1, le=8_192, description="The answer ends here at the latest")

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.task == "write" and not self.instruction.strip():
            raise ValueError("“instruction” must say what to write")
        if self.task != "write" and not self.code.strip():
            raise ValueError(
                f"“code” must have something to {'write tests for' if self.task == 'test' else self.task}"
            )
        if self.code.count(CURSOR) > 1:
            raise ValueError(f"“code” may have one {CURSOR} only: there is one gap to fill")
        return self

    def around(self) -> tuple[str, str]:
        """The code before the gap and after it."""
        before, _, after = self.code.partition(CURSOR)
        return before, after
