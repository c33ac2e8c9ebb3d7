"""Weights are converted once, right after they were fetched, in a process of their own.

A process of its own, because loading a model library changes process-wide state (torch's default dtype, for one) that
other people's running jobs depend on, because it can be killed when the job is cancelled, and because its memory goes
back to the system whole. A converter is any picklable callable (folder with the fetched files, empty target folder).
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import child, decode_weights
from pipelines.errors import BadWeights

log = logging.getLogger("polymuse.convert")
Convert = Callable[[Path, Path], None]


def run(convert: Convert, source: Path, target: Path, what: str, tick: Callable[[], None]) -> None:
    """Fill `target` from `source`; raises BadWeights with the converter's last words when it fails."""
    code, said = child.run(
        [sys.executable, "-m", "pipelines.convert"],
        cwd=target,
        env={"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path), "HF_HUB_OFFLINE": "1"},
        tick=tick,
        stdin=pickle.dumps((convert, source.absolute(), target.absolute())),
    )
    if code != 0:
        log.error("converting %s failed: %s", what, said)
        raise BadWeights(
            f"Converting {what} failed (exit code {code}; a negative code means it was killed, often for want of "
            "memory). Free some memory and try again, or report this to Polymuse. "
            f"It said: {said.strip().rpartition(chr(10))[2][:300]}"
        )


@dataclass(frozen=True)
class GgufToSafetensors:
    """Turns one GGUF file of a language model into the folder from_pretrained expects, tokenizer included.

    With `decoder` there is one for CPUs in it too, of the weights as the file has them. It is the number of its file's
    format: with another it is made anew where it is there already.
    """

    member: str
    decoder: int = 0

    def __call__(self, source: Path, target: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

        loaded: Any = AutoModelForCausalLM.from_pretrained(
            source,
            gguf_file=self.member,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
            output_loading_info=True,
        )
        model, loading = loaded
        if loading["missing_keys"]:  # transformers would make them up
            raise ValueError(f"{self.member} lacks {', '.join(sorted(loading['missing_keys']))}")
        tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=self.member)
        if tokenizer.chat_template is None:
            raise ValueError(f"{self.member} carries no chat template")
        if self.decoder:
            shape = decode_weights.Shape.of(model.config)
            decode_weights.write(source / self.member, shape, target / decode_weights.NAME)
            from pipelines.decode_engine import Decoder
            from pipelines.sampling import Sampler

            # numba compiles both for this machine, once: the first answer need not wait for that.
            decoder = Decoder(target / decode_weights.NAME, decode_weights.LANES, cores=1, rows=1)
            Sampler(temperature=0.7, top_p=0.9, seed=0).sample(decoder.read(0, 0, [0]))
        model.to(torch.bfloat16).save_pretrained(target)
        tokenizer.save_pretrained(target)


@dataclass(frozen=True)
class Concatenate:
    """Joins the members, in this order, into one file: for weights that are too large for one package. Other members
    are put beside it as they are."""

    members: tuple[str, ...]
    name: str

    def __call__(self, source: Path, target: Path) -> None:
        with (target / self.name).open("wb") as whole:
            for member in self.members:
                with (source / member).open("rb") as piece:
                    shutil.copyfileobj(piece, whole, 1 << 20)
        joined = {source / member for member in self.members}
        for other in (path for path in source.rglob("*") if path.is_file() and path not in joined):
            shutil.copyfile(other, target / other.name)


@dataclass(frozen=True)
class VoiceTables:
    """Puts Kokoro's voices, a file of float32 rows of 256 for each, into one table."""

    def __call__(self, source: Path, target: Path) -> None:
        import numpy as np
        from safetensors.numpy import save_file

        tables = {path.stem: np.fromfile(path, "<f4").reshape(-1, 256) for path in sorted(source.glob("*.bin"))}
        save_file(tables, target / "voices.safetensors")


@dataclass(frozen=True)
class TorchToSafetensors:
    """Takes the tensors out of a file that torch saved; what else such a file may hold, code above all, is refused."""

    member: str
    key: str  # under which they are
    parts: tuple[str, ...]  # those whose names begin like that
    name: str

    def __call__(self, source: Path, target: Path) -> None:
        import torch
        from safetensors.torch import save_file

        state = torch.load(source / self.member, map_location="cpu", weights_only=True)[self.key]
        kept = {name: tensor.contiguous() for name, tensor in state.items() if name.startswith(self.parts)}
        save_file(kept, target / self.name)


def _main() -> None:
    convert, source, target = pickle.loads(sys.stdin.buffer.read())
    convert(source, target)


if __name__ == "__main__":
    _main()
