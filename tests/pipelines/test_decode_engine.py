"""The decoder alone: transformers' numbers, and each token the same however it is computed."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines import decode_weights
from pipelines.decode_engine import Decoder
from pipelines.decode_weights import Shape
from tests.pipelines import tiny_decoder
from tests.pipelines.tiny_decoder import CONTEXT, prompt


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_decoder.save(tmp_path_factory.mktemp("decoder"))


@pytest.fixture(scope="module")
def decoder(folder: Path) -> Decoder:
    return Decoder(folder / decode_weights.NAME, CONTEXT, cores=1, rows=4)


def theirs(plain: Any, ids: list[int], rounds: bool) -> Any:
    """Logits of transformers, (len(ids), vocabulary)."""
    import torch

    with torch.inference_mode():
        return plain(torch.tensor([ids]), past_key_values=tiny_decoder.cache(rounds)).logits[0].numpy()


@pytest.mark.parametrize("cores", [1, 2])
def test_it_is_the_model_that_transformers_computes(folder: Path, cores: int) -> None:
    """The same function of the same weights, but that what is multiplied is rounded to 8 bits, and keys and values to
    16: with both of that done in transformers too, logits are equal but where a number is rounded the other way."""
    ours = Decoder(folder / decode_weights.NAME, CONTEXT, cores, rows=1)
    rounded = tiny_decoder.plain(folder, rounds=True)
    equal = 0
    for start in range(0, 60, 3):
        ids = prompt(0, 60)[start : start + 3]
        equal += np.allclose(ours.every(0, 0, ids), theirs(rounded, ids, rounds=True), rtol=0, atol=1e-5)

    assert equal >= 15  # of 20
    ids = prompt(0, 300)
    logits, exact = ours.every(0, 0, ids), theirs(tiny_decoder.plain(folder), ids, rounds=False)
    assert np.array_equal(ours.read(0, 0, ids), logits[-1])
    assert np.abs(logits - exact).max() < 0.1
    assert np.corrcoef(logits.ravel(), exact.ravel())[0, 1] > 0.999


def test_the_likeliest_text_is_that_of_transformers(folder: Path, decoder: Decoder) -> None:
    import torch

    ids = prompt(0)
    settings = {"do_sample": False, "max_new_tokens": 20, "eos_token_id": None}
    whole = tiny_decoder.plain(folder).generate(torch.tensor([ids]), **settings)[0].tolist()
    written = [int(decoder.read(0, 0, ids).argmax())]
    while len(written) < 20:
        written.append(int(decoder.step([0], written[-1:], [len(ids) + len(written) - 1])[0].argmax()))
    assert written == whole[len(ids) :]


@pytest.mark.parametrize(
    ("types", "config"),
    [
        ({"": "F32"}, {"tie_word_embeddings": False, "vocab_size": 300}),  # no whole number of strips
        ({"": "Q4_1", "attn_v": "Q5_0", "norm": "F32"}, {"num_key_value_heads": 4}),  # types mixed in a matrix
        ({"": "F16", "norm": "F32"}, {"num_key_value_heads": 1, "head_dim": 32, "num_attention_heads": 8}),
    ],
)
def test_other_types_of_weights_are_rounded_to_8_bits(
    tmp_path: Path, types: dict[str, str], config: dict[str, Any]
) -> None:
    import torch

    ids = prompt(1)
    plain = tiny_decoder.plain(tiny_decoder.save(tmp_path, types, **config))
    with torch.inference_mode():
        logits = plain(torch.tensor([ids])).logits[0].numpy()
    ours = Decoder(tmp_path / decode_weights.NAME, CONTEXT, cores=1, rows=1).every(0, 0, ids)
    assert ours.shape == logits.shape
    assert np.corrcoef(ours.ravel(), logits.ravel())[0, 1] > 0.999


def test_a_prompt_is_the_same_in_whatever_parts_it_is_read(decoder: Decoder) -> None:
    ids = prompt(2, 300)
    whole = decoder.read(0, 0, ids)
    for size in (1, 2, 7, 16, 50, 130):
        parts = [decoder.read(1, at, ids[at : at + size]) for at in range(0, 300, size)]
        assert np.array_equal(parts[-1], whole)
        assert np.array_equal(decoder.take(0, 0, 300), decoder.take(1, 0, 300))


def test_a_token_is_the_same_read_in_a_prompt_or_written(decoder: Decoder) -> None:
    ids = prompt(2, 270)
    whole = decoder.every(0, 0, ids)
    decoder.read(1, 0, ids[:250])
    written = [decoder.step([1], [ids[at]], [at])[0] for at in range(250, 270)]
    assert np.array_equal(written, whole[250:])
    assert np.array_equal(decoder.take(0, 0, 270), decoder.take(1, 0, 270))


def test_a_row_is_the_same_whatever_the_others_are(decoder: Decoder) -> None:
    alone = []
    decoder.read(0, 0, prompt(3))
    for at in range(8):
        alone.append(decoder.step([0], [at], [40 + at])[0])
    for rows in ([2, 1], [0, 1, 3], [3, 1, 0, 2]):
        lengths = [40 if row == 1 else 10 * row + 2 for row in rows]
        for row, length in zip(rows, lengths, strict=True):
            decoder.read(row, 0, prompt(3 if row == 1 else row, length))
        for at in range(8):
            logits = decoder.step(rows, [at] * len(rows), [length + at for length in lengths])
            assert np.array_equal(logits[1], alone[at])


@pytest.mark.parametrize("cores", [2, 3, 5])
def test_on_more_cores_the_numbers_are_the_same(folder: Path, decoder: Decoder, cores: int) -> None:
    more = Decoder(folder / decode_weights.NAME, CONTEXT, cores, rows=3)
    for each in (decoder, more):
        for row in range(3):
            each.read(row, 0, prompt(row, 40 + 210 * row))
    assert np.array_equal(decoder.take(1, 0, 250), more.take(1, 0, 250))
    for at in range(20):
        for rows in ([0, 1, 2], [2]):
            lengths = [40 + 210 * row + at for row in rows]
            steps = [each.step(rows, [1, 2, 3][: len(rows)], lengths) for each in (decoder, more)]
            assert np.array_equal(*steps)


@pytest.mark.parametrize(("start", "end"), [(0, 64), (3, 50), (15, 17), (16, 32), (5, 6), (100, 300), (128, 256)])
def test_what_is_taken_from_a_row_can_be_put_into_another(decoder: Decoder, start: int, end: int) -> None:
    ids = prompt(4, 320)
    decoder.read(0, 0, ids)
    decoder.read(1, 0, prompt(5, 320))
    before = decoder.take(1, 0, 320)
    taken = decoder.take(0, start, end)
    decoder.put(1, start, taken)
    after = decoder.take(1, 0, 320)
    assert np.array_equal(after[:, :, start:end], taken)
    assert np.array_equal(np.delete(after, np.s_[start:end], 2), np.delete(before, np.s_[start:end], 2))


def test_a_decoder_that_goes_takes_its_threads_along(folder: Path) -> None:
    def helpers() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("polymuse-decoder")]

    before = helpers()
    several = Decoder(folder / decode_weights.NAME, CONTEXT, cores=3, rows=1)
    several.read(0, 0, prompt(0))
    mine = [thread for thread in helpers() if thread not in before]
    assert len(mine) == 2
    del several
    gc.collect()
    for thread in mine:
        thread.join(10)
        assert not thread.is_alive()


def test_a_prompt_beyond_the_context_is_refused(decoder: Decoder) -> None:
    with pytest.raises(ValueError, match="beyond the context of 512"):
        decoder.read(0, CONTEXT - 3, [1, 2, 3, 4])


def test_a_family_that_the_decoder_does_not_know_is_refused() -> None:
    from transformers import AutoConfig

    with pytest.raises(ValueError, match="qwen3"):
        Shape.of(AutoConfig.for_model("qwen3"))
    with pytest.raises(ValueError, match="multiple of 32"):
        Shape.of(AutoConfig.for_model("llama", hidden_size=48, num_attention_heads=3))
    with pytest.raises(ValueError, match="multiple of 16"):
        Shape.of(AutoConfig.for_model("llama", hidden_size=64, num_attention_heads=8))
