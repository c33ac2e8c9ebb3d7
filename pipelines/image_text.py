"""Text for the built-in image model: all-MiniLM-L6-v2's hidden states, and its sentence embedding for retrieval."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

TOKENS = 24  # longer prompts are cut: captions in training are shorter


@dataclass(frozen=True)
class TextEncoder:
    model: Any
    tokenizer: Any

    @classmethod
    def load(cls, folder: Path) -> TextEncoder:
        from transformers import AutoModel, AutoTokenizer

        model = AutoModel.from_pretrained(folder, use_safetensors=True).eval().requires_grad_(False)
        return cls(model, AutoTokenizer.from_pretrained(folder))

    def tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Hidden states (n, TOKENS, 384), zero where there is no token, and where there is one (n, TOKENS)."""
        batch = self.tokenizer(texts, padding=True, truncation=True, max_length=TOKENS, return_tensors="pt")
        batch = batch.to(self.model.device)
        with torch.no_grad():
            hidden = self.model(**batch).last_hidden_state * batch["attention_mask"][..., None]
        missing = TOKENS - hidden.shape[1]
        return F.pad(hidden, (0, 0, 0, missing)), F.pad(batch["attention_mask"], (0, missing)).bool()

    def sentences(self, texts: list[str]) -> Tensor:
        """One unit vector per text (n, 384): texts of like meaning lie close."""
        hidden, mask = self.tokens(texts)
        return F.normalize(hidden.sum(1) / mask.sum(1, keepdim=True), dim=1)
