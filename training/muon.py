"""Muon (Jordan et al. 2024) for matrices and convolutions: momentum, then the nearest orthogonal matrix as the step.

torch.optim.Muon takes matrices only; here a convolution's weight is the matrix (out, in * height * width). Steps are
scaled to AdamW's size, so that one learning rate serves both.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(matrix: Tensor, iterations: int = 5) -> Tensor:
    """Roughly U V^T of the matrix's singular value decomposition, by Newton-Schulz iterations."""
    a, b, c = COEFFICIENTS
    x = matrix.mT if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + torch.addmm(gram, gram, gram, beta=b, alpha=c) @ x
    return x.mT if matrix.shape[0] > matrix.shape[1] else x


class Muon(torch.optim.Optimizer):
    def __init__(self, params: Iterable[Tensor], lr: float = 1e-3, momentum: float = 0.95, decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                velocity = self.state[p].setdefault("velocity", torch.zeros_like(p))
                velocity.lerp_(p.grad, 1 - group["momentum"])
                matrix = p.grad.lerp(velocity, group["momentum"]).flatten(1)
                size = 0.2 * max(matrix.shape) ** 0.5
                p.mul_(1 - group["lr"] * group["decay"])
                p.add_(orthogonal(matrix).view_as(p), alpha=-group["lr"] * size)


def optimisers(model: nn.Module, *, decay: float = 0.0, outside: tuple[str, ...] = ()) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the network; AdamW for vectors and what `outside` names: its ends.

    The rates are the training loop's to set.
    """
    inner, rest = [], []
    for name, p in model.named_parameters():
        matrix = p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= 32
        (inner if matrix and not name.startswith(outside) else rest).append(p)
    return [Muon(inner, decay=decay), torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=0.0)]
