"""A language model of the Llama family as decode_step.py wants it: the weights of a GGUF file, in another order.

They stay what they are, bit for bit: Q4_1 and Q8_0, the formats of the built-in model, are used as they come. Others
become Q8_0. Queries, keys and values are one matrix, so are gate and up; rows are put into tiles of 8, and rows of
zeros fill a matrix up to whole strips.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipelines.decode_step import Net

    Bytes = NDArray[np.uint8]

NAME = "decoder.safetensors"
LANES, TILE, STRIP, BLOCK, QUAD = 16, 8, 32, 32, 4  # as in llvm.py and decode_tiles.py, which need numba


@dataclass(frozen=True)
class Shape:
    """What there is to know of a model besides its weights."""

    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    inner: int
    vocabulary: int
    rope_base: float
    epsilon: float

    @classmethod
    def of(cls, config: Any) -> Shape:
        """From a LlamaConfig. Raises ValueError for what decode_step.py has no place for."""
        rope = config.rope_parameters
        if config.model_type != "llama" or rope["rope_type"] != "default" or config.attention_bias or config.mlp_bias:
            raise ValueError(f"a {config.model_type} with {rope} and its biases is more than the decoder can do")
        if config.head_dim % LANES:
            raise ValueError(f"heads of {config.head_dim} numbers are no multiple of {LANES}")
        sizes = config.hidden_size, config.intermediate_size, config.num_attention_heads * config.head_dim
        if config.hidden_act != "silu" or any(size % STRIP for size in sizes):
            raise ValueError(f"{config.hidden_act}, or sizes that are no multiple of {STRIP}, are not in the decoder")
        return cls(
            layers=config.num_hidden_layers,
            heads=config.num_attention_heads,
            kv_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            inner=config.intermediate_size,
            vocabulary=config.vocab_size,
            rope_base=rope["rope_theta"],
            epsilon=config.rms_norm_eps,
        )


def write(source: Path, shape: Shape, target: Path) -> None:
    """Write the decoder's file from a GGUF file of that shape."""
    import numpy as np
    from safetensors.numpy import save_file

    from pipelines.decode_tiles import EIGHTS

    file = _File(source)
    matrices, norms = [], []
    for layer in range(shape.layers):
        at = f"blk.{layer}."
        matrices += [
            file.matrix((f"{at}attn_q", shape.heads), (f"{at}attn_k", shape.kv_heads), (f"{at}attn_v", 0)),
            file.matrix((f"{at}attn_output", 0)),
            file.matrix((f"{at}ffn_gate", 0), (f"{at}ffn_up", 0), woven=True),
            file.matrix((f"{at}ffn_down", 0)),
        ]
        norms += [file.floats(f"{at}attn_norm"), file.floats(f"{at}ffn_norm")]
    if "output.weight" in file.tensors:
        matrices.append(file.matrix(("output", 0)))
    matrices.append(file.matrix(("token_embd", 0), kind=EIGHTS))
    starts, codes, scales = [], 0, 0
    for kind, of_codes, of_scales in matrices:
        starts.append((codes, scales, kind))
        codes, scales = codes + of_codes.size, scales + of_scales.size
    if "output.weight" not in file.tensors:
        starts.append(starts[-1])
    arrays = {
        "codes": np.concatenate([matrix[1] for matrix in matrices]),
        "scales": np.concatenate([matrix[2] for matrix in matrices]),
        "starts": np.array(starts, np.int64),
        "norms": np.stack([*norms, file.floats("output_norm")]),
    }
    save_file(arrays, target, {"shape": json.dumps(asdict(shape))})


def read(path: Path, context: int) -> tuple[Shape, Net]:
    """What write() wrote, for so many tokens."""
    import numpy as np
    from safetensors import safe_open

    from pipelines.decode_step import Net

    with safe_open(path, "np") as file:
        shape = Shape(**json.loads(file.metadata()["shape"]))
        # Copied: numpy asks the system for large pages, and whoever reads 100 MB a token feels that.
        arrays = {name: file.get_tensor(name).copy() for name in file.keys()}  # noqa: SIM118  # it is no mapping
    half = np.arange(0, shape.head_dim, 2, dtype=np.float32) / shape.head_dim
    angles = np.outer(np.arange(context, dtype=np.float32), 1 / shape.rope_base**half)
    net = Net(
        **arrays,
        cosines=np.cos(angles).astype(np.float32),
        sines=np.sin(angles).astype(np.float32),
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        inner=shape.inner,
        outputs=-(-shape.vocabulary // STRIP) * STRIP,
        epsilon=shape.epsilon,
    )
    return shape, net


class _File:
    """A GGUF file's matrices, in tiles."""

    def __init__(self, path: Path) -> None:
        from gguf import GGUFReader

        self.tensors = {tensor.name: tensor for tensor in GGUFReader(path).tensors}

    def floats(self, name: str) -> NDArray[np.float32]:
        import numpy as np
        from gguf.quants import dequantize

        tensor = self.tensors[f"{name}.weight"]
        return dequantize(np.asarray(tensor.data), tensor.tensor_type).astype(np.float32)

    def matrix(
        self, *parts: tuple[str, int], kind: int | None = None, woven: bool = False
    ) -> tuple[int, Bytes, NDArray[np.uint16]]:
        """The kind, codes and scales of matrices with as many columns, one below the other or strip by strip.

        With each goes its number of heads, if two numbers that are rotated together are neighbours in it, as
        llama.cpp has them: here they are half a head apart, as transformers has them.
        """
        import numpy as np
        from gguf import GGMLQuantizationType as Type

        from pipelines.decode_tiles import EIGHTS, FOURS

        if kind is None:
            four = all(self.tensors[f"{name}.weight"].tensor_type == Type.Q4_1 for name, _ in parts)
            kind = FOURS if four else EIGHTS
        rows = np.concatenate(
            [self._rows(name, heads, Type.Q4_1 if kind == FOURS else Type.Q8_0) for name, heads in parts]
        )
        if woven:
            rows = rows.reshape(len(parts), -1, STRIP, rows.shape[1]).swapaxes(0, 1).reshape(rows.shape)
        scales = 2 if kind == FOURS else 1  # before a block's codes
        rows = np.concatenate([rows, np.zeros((-len(rows) % STRIP, rows.shape[1]), np.uint8)])
        tiles = rows.reshape(len(rows) // TILE, TILE, -1, 2 * scales + (BLOCK // 2 if kind == FOURS else BLOCK))
        tiles = tiles.swapaxes(1, 2)  # (tiles, blocks, outputs, bytes)
        halves = np.ascontiguousarray(tiles[..., : 2 * scales]).view(np.uint16)
        codes = tiles[..., 2 * scales :].reshape(*tiles.shape[:3], -1, QUAD)
        return kind, codes.swapaxes(2, 3).ravel(), halves.swapaxes(2, 3).ravel()

    def _rows(self, name: str, heads: int, wanted: Any) -> Bytes:
        """A matrix's blocks as they are in a file of the wanted type: (rows, bytes)."""
        import numpy as np
        from gguf.quants import quantize

        tensor = self.tensors[f"{name}.weight"]
        rows = np.asarray(tensor.data) if tensor.tensor_type == wanted else quantize(self.floats(name), wanted)
        if heads:
            rows = rows.reshape(heads, -1, 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)
        return rows
