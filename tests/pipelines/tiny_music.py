"""The built-in composer at tiny size, with weights drawn at random: it writes valid nonsense."""

from __future__ import annotations

from typing import Any


def composer(seed: int = 0) -> Any:
    import torch

    from pipelines.music_model import Composer, Size

    torch.manual_seed(seed)
    model = Composer(Size(width=32, layers=2, head_width=16, window=64))
    for weight in model.parameters():  # much of it is zero before training
        torch.nn.init.normal_(weight, std=0.1)
    return model.eval()
