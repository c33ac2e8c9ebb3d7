"""A tiny Llama with a decoder graph beside it, and the same with the graph's rounded weights for transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines import decode_graph
from pipelines.decode_graph import Shape, quantised
from tests.pipelines import tiny

SIZE: dict[str, Any] = {"hidden_size": 64, "head_dim": 16, "tie_word_embeddings": True}


def save(folder: Path, accuracy: int = 4) -> Path:
    """The model with its graph, in the layout of save_pretrained. `accuracy` as of Shape."""
    import torch
    from transformers import AutoModelForCausalLM

    tiny.save(folder, **SIZE)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    state = {name: values.numpy() for name, values in model.state_dict().items()}
    decode_graph.write(Shape.of(model.config, accuracy), state.__getitem__, folder / decode_graph.NAME)
    return folder


def rounded(folder: Path) -> Any:
    """The model of this folder with weights as the graph has them, computed by transformers in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        for name, values in model.named_parameters():
            if values.dim() == 2:
                values.copy_(torch.from_numpy(quantised(values.numpy(), "embed_tokens" in name).floats()))
    return model
