"""Fill-in-the-middle: how coder models are shown the code before and after a gap, as data.

Such a model was trained on code with a stretch cut out of it, put at the end after marks of their own (Bavarian et al.
2022): it goes on with a plain text, no chat, and what it writes is what belongs into the gap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.errors import BadRequest


@dataclass(frozen=True)
class Fim:
    """One family's marks. `template` has {prefix} and {suffix}; at any of `ends` the gap is filled."""

    template: str
    ends: tuple[str, ...]

    def prompt(self, prefix: str, suffix: str) -> str:
        """What the model goes on with. Raises BadRequest where the code has one of the marks in it."""
        marks = (*re.split(r"\{prefix\}|\{suffix\}", self.template), *self.ends)
        for mark in {mark.strip() for mark in marks} - {""}:
            if mark in prefix or mark in suffix:
                raise BadRequest(
                    f"The code has {mark} in it, which this model takes for a mark. Write it in two parts."
                )
        parts = {"{prefix}": prefix, "{suffix}": suffix}
        return re.sub(r"\{prefix\}|\{suffix\}", lambda found: parts[found[0]], self.template)

    def cut(self, middle: str) -> tuple[str, bool]:
        """The middle up to its first end, and whether there was one."""
        found = [at for end in self.ends if (at := middle.find(end)) >= 0]
        return (middle[: min(found)], True) if found else (middle, False)


FAMILIES: dict[str, Fim] = {
    "qwen": Fim(  # Qwen2.5-Coder, Qwen3-Coder, CodeGemma
        "<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>",
        ("<|fim_pad|>", "<|file_sep|>", "<|repo_name|>", "<|endoftext|>", "<|fim_prefix|>"),
    ),
    "starcoder": Fim(  # StarCoder, StarCoder2
        "<fim_prefix>{prefix}<fim_suffix>{suffix}<fim_middle>", ("<fim_pad>", "<file_sep>", "<|endoftext|>")
    ),
    "deepseek": Fim(  # DeepSeek-Coder
        "<｜fim▁begin｜>{prefix}<｜fim▁hole｜>{suffix}<｜fim▁end｜>", ("<｜fim▁begin｜>", "<|EOT|>")
    ),
    "codellama": Fim("<PRE> {prefix} <SUF>{suffix} <MID>", ("<EOT>",)),
    "codestral": Fim("[SUFFIX]{suffix}[PREFIX]{prefix}", ("[SUFFIX]", "[PREFIX]")),
}
"""By the names that a catalog file uses. The marks are those of the models' own cards and tokenizers."""
