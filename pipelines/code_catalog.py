"""Coder models of the hub, as data, smallest first. Their figures are those of their cards and config.json files.

All weights are bfloat16, so that a download has two bytes for each parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.code_fim import FAMILIES, Fim
from pipelines.weights import Hub


@dataclass(frozen=True)
class Size:
    """How large one is, and the most tokens that we allow it."""

    parameters: int
    layers: int
    kv_heads: int
    context: int
    head_dim: int = 128


@dataclass(frozen=True, kw_only=True)
class CoderFacts(Size):
    """What catalog.chat_model() is told of one. `fim`: how it is shown a gap to fill, if it was trained for that."""

    id: str
    title: str
    weights: Hub
    licence: str
    card: str
    fim: Fim | None


GAPS = "fills gaps in code"
APACHE = "Apache-2.0"
QWEN, STARCODER, DEEPSEEK = (FAMILIES[name] for name in ("qwen", "starcoder", "deepseek"))


def _coder(
    repo: str, size: Size, *, id: str, title: str, card: str, licence: str = APACHE, fim: Fim = QWEN
) -> CoderFacts:
    weights = Hub(repo, size=2 * size.parameters)
    return CoderFacts(id=id, title=title, weights=weights, licence=licence, card=card, fim=fim, **vars(size))


def _qwen(name: str, size: Size, card: str, licence: str = APACHE) -> CoderFacts:
    """One of the Qwen2.5 Coders."""
    id, title = f"qwen2.5-coder-{name.lower()}", f"Qwen2.5 Coder {name}"
    return _coder(f"Qwen/Qwen2.5-Coder-{name}-Instruct", size, id=id, title=title, card=card, licence=licence)


CODERS: tuple[CoderFacts, ...] = (
    _qwen(
        "0.5B",
        Size(494_000_000, 24, 2, 8_192, 64),
        card=f"Small enough for any machine that reaches the hub; far better at code than what is built in, {GAPS}.",
    ),
    _qwen(
        "1.5B",
        Size(1_544_000_000, 28, 2, 16_384),
        card=f"For GPUs from 4 GiB, or a patient CPU. Short functions in the common languages, {GAPS}.",
    ),
    _qwen(
        "3B",
        Size(3_086_000_000, 36, 2, 16_384),
        licence="Qwen Research: not for commercial use",
        card=f"For GPUs from 8 GiB. Its licence, unlike its siblings', is for research only; {GAPS}.",
    ),
    _coder(
        "deepseek-ai/deepseek-coder-6.7b-instruct",
        Size(6_741_000_000, 32, 32, 8_192),
        id="deepseek-coder-6.7b",
        title="DeepSeek Coder 6.7B",
        licence="DeepSeek Model License 1.0: commercial use is allowed, with use restrictions",
        card=f"For GPUs from 24 GiB. Trained from scratch on code in 87 languages, {GAPS}.",
        fim=DEEPSEEK,
    ),
    _qwen(
        "7B",
        Size(7_616_000_000, 28, 4, 32_768),
        card=f"For GPUs from 24 GiB. A good programmer for its size in dozens of languages, {GAPS}.",
    ),
    _qwen(
        "14B",
        Size(14_770_000_000, 48, 8, 32_768),
        card=f"For GPUs from 48 GiB. Longer programs and their tests, {GAPS}.",
    ),
    _coder(
        "bigcode/starcoder2-15b-instruct-v0.1",
        Size(15_958_000_000, 40, 4, 16_384),
        id="starcoder2-15b",
        title="StarCoder2 15B Instruct",
        licence="BigCode OpenRAIL-M: with use restrictions",
        card=f"For GPUs from 48 GiB. Trained on code whose authors could opt out, best at Python; {GAPS}.",
        fim=STARCODER,
    ),
    _coder(
        "Qwen/Qwen3-Coder-30B-A3B-Instruct",
        Size(30_532_000_000, 48, 4, 32_768),
        id="qwen3-coder-30b-a3b",
        title="Qwen3 Coder 30B-A3B",
        card=f"For GPUs from 80 GiB. 128 experts of which 8 work on each token: quick for its size; {GAPS}.",
    ),
    _qwen(
        "32B",
        Size(32_764_000_000, 64, 8, 32_768),
        card=f"For GPUs from 80 GiB. Among the strongest open models at code that need one GPU, {GAPS}.",
    ),
)
