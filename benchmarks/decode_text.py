"""What rounding costs in likeness: perplexity of the decoder and of the same model in bfloat16.

The text is the language reference that comes with every Python: long, plain English, and nothing here was ever tuned
on it. The reference rounds its weights to bfloat16 and computes in float32, on a CPU the only way that ends today.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

WINDOW = 512  # tokens
PART = 64


@dataclass(frozen=True)
class Perplexities:
    """Of the same windows."""

    ours: float
    reference: float

    @property
    def worse(self) -> float:
        """By what share ours is higher."""
        return self.ours / self.reference - 1


def perplexities(folder: Path, windows: int) -> Perplexities:
    """Of the model in this folder, on so many windows spread over the text."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from pipelines import decode_weights
    from pipelines.decode_engine import Decoder
    from pipelines.device import detect

    decoder = Decoder(folder / decode_weights.NAME, WINDOW, detect("cpu").cores, rows=1)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    ids = tokenizer(text())["input_ids"]
    ours = reference = 0.0
    for number in range(windows):
        start = (len(ids) - WINDOW) * number // max(1, windows - 1)
        window = ids[start : start + WINDOW]
        parts = [decoder.every(0, at, window[at : at + PART]) for at in range(0, WINDOW, PART)]
        ours += _surprise(torch.cat([torch.from_numpy(part) for part in parts]), window)
        with torch.inference_mode():
            reference += _surprise(model(torch.tensor([window])).logits[0], window)
    return Perplexities(math.exp(ours / windows), math.exp(reference / windows))


def text() -> str:
    """The language reference, its topics in alphabetical order."""
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def _surprise(logits: Tensor, ids: list[int]) -> float:
    """Mean negative log-probability, in nats, of each token but the first. Logits of shape (len(ids), vocabulary)."""
    import torch

    return float(torch.nn.functional.cross_entropy(logits[:-1].float(), torch.tensor(ids[1:])))
