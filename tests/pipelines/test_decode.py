"""The batch over a decoder: what is written alone and in company, and what is kept of it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Any

import pytest

from pipelines import decode_weights
from pipelines.decode import Wanted
from pipelines.decode_batch import AHEAD, PREFILL, Batch
from pipelines.decode_engine import Decoder
from pipelines.decode_prefixes import Prefixes
from pipelines.errors import Busy
from pipelines.events import Cancelled, Progress, Update
from pipelines.sampling import Sampled, Sampler
from tests.pipelines import tiny_decoder
from tests.pipelines.tiny_decoder import CONTEXT, prompt

ROOM = 2**20


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Decoder:
    folder = tiny_decoder.save(tmp_path_factory.mktemp("decoder"))
    return Decoder(folder / decode_weights.NAME, CONTEXT, cores=1, rows=4)


@pytest.fixture
def batch(decoder: Decoder) -> Batch:
    return Batch(decoder, Prefixes(0))


def wanted(ids: list[int], most: int = 20, **rest: Any) -> Wanted:
    return Wanted(ids, **{"begin": (), "ends": frozenset(), "most": most, **rest})


def used(decoder: Decoder) -> bool:
    """Whether there is anything in any of its rows."""
    return any(decoder.take(row, 0, CONTEXT).any() for row in range(decoder.rows))


def deaf(update: Update) -> None:
    pass


def start(batch: Batch, ids: list[int], seed: int = 0, temperature: float = 1.0, **rest: Any) -> Generator[Sampled]:
    return batch.write(wanted(ids, **rest), Sampler(temperature, 0.95, seed), deaf)


def text(batch: Batch, ids: list[int], seed: int = 0, **rest: Any) -> list[int]:
    return [token.id for token in start(batch, ids, seed, **rest)]


# The batch -----------------------------------------------------------------------------------------------------------


def test_joining_and_leaving_leave_the_others_text_untouched(batch: Batch) -> None:
    alone = {seed: text(batch, prompt(seed, 30 + 20 * seed), seed) for seed in range(4)}
    together: dict[int, list[int]] = {seed: [] for seed in range(4)}
    first, second = (start(batch, prompt(seed, 30 + 20 * seed), seed) for seed in (0, 1))
    together[0] += [next(first).id for _ in range(5)]
    together[1] += [next(second).id for _ in range(3)]
    with closing(start(batch, prompt(9), 9)) as visitor:  # comes and goes in between
        next(visitor)
        third = start(batch, prompt(2, 70), 2)
        together[2] += [next(third).id for _ in range(2)]
    fourth = start(batch, prompt(3, 90), 3)
    for seed, rest in ((1, second), (3, fourth), (0, first), (2, third)):
        together[seed] += [token.id for token in rest]
    assert together == alone
    assert len(batch) == 0


def test_one_step_serves_all_that_write(batch: Batch, decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    step = decoder.step
    monkeypatch.setattr(
        decoder, "step", lambda which, ids, lengths: (rows.append(len(ids)), step(which, ids, lengths))[1]
    )
    writers = [start(batch, prompt(seed), seed, most=10) for seed in range(3)]
    for writer in writers:
        next(writer)  # the first token comes from reading the prompt
    for _ in range(9):
        for writer in writers:
            next(writer)
    assert rows == [3] * 9


def test_nobody_gets_far_ahead_of_its_own_thread(batch: Batch) -> None:
    slow, fast = start(batch, prompt(0), 0, most=50), start(batch, prompt(1), 1, most=50)
    next(slow)
    assert len(list(fast)) == 50
    assert len(batch._seats[0].tokens) == AHEAD
    assert [token.id for token in slow] == text(batch, prompt(0), 0, most=50)[1:]


def test_who_stops_gives_its_row_and_its_memory_back(batch: Batch, decoder: Decoder) -> None:
    writers = [start(batch, prompt(seed), seed) for seed in range(4)]
    for writer in writers:
        next(writer)
    with pytest.raises(Busy, match="4 answers"):
        next(start(batch, prompt(5)))
    for left, writer in zip((3, 2, 1, 0), (writers[1], writers[3], writers[0], writers[2]), strict=True):
        writer.close()
        assert len(batch) == left
    assert not used(decoder)


def test_cancelled_while_its_prompt_is_read_a_request_leaves(batch: Batch) -> None:
    def cancel(update: Update) -> None:
        assert isinstance(update, Progress) and update.done == PREFILL
        raise Cancelled

    alone = text(batch, prompt(0))
    writer = start(batch, prompt(0))
    begun = [next(writer).id]
    with pytest.raises(Cancelled):
        next(batch.write(wanted(prompt(1, 300)), Sampler(1, 1, 0), cancel))
    assert begun + [token.id for token in writer] == alone


def test_an_error_of_one_is_not_the_others(batch: Batch) -> None:
    class Broken(Sampler):
        def sample(self, logits: Any) -> Sampled:
            if self.last >= 0:
                raise ZeroDivisionError
            return super().sample(logits)

    alone = text(batch, prompt(0))
    writer = start(batch, prompt(0))
    broken = batch.write(wanted(prompt(1)), Broken(1, 1, 0), deaf)
    begun = [next(writer).id]
    next(broken)
    begun += [next(writer).id for _ in range(3)]
    with pytest.raises(ZeroDivisionError):
        next(broken)
    assert begun + [token.id for token in writer] == alone


def test_an_answer_ends_with_its_end_or_at_its_length(batch: Batch) -> None:
    whole = text(batch, prompt(0))
    end = whole[7]
    short = text(batch, prompt(0), ends=frozenset({end}))
    assert short[:-1] == whole[: whole.index(end)]
    assert text(batch, prompt(0), most=3) == whole[:3]


def test_an_answer_that_is_told_how_to_begin_goes_on_as_it_would_have(batch: Batch) -> None:
    whole = text(batch, prompt(0))
    sampler = Sampler(1.0, 0.95, 0)
    sampler.skip(6)
    rest = batch.write(wanted(prompt(0), begin=whole[:6], most=14), sampler, deaf)
    assert [token.id for token in rest] == whole[6:]


# What is kept of prompts ---------------------------------------------------------------------------------------------


def test_the_next_turn_reads_only_what_is_new_and_says_the_same(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the answer before it only what was written last, which nothing came after."""
    conversation = prompt(0, 200)
    answer = text(Batch(decoder, Prefixes(0)), conversation)
    longer = [*conversation, *answer, *prompt(1, 30)]
    fresh = text(Batch(decoder, Prefixes(0)), longer)
    batch = Batch(decoder, Prefixes(ROOM))
    assert text(batch, conversation) == answer
    read: list[int] = []
    reads = decoder.read
    monkeypatch.setattr(decoder, "read", lambda row, at, ids: (read.extend(ids), reads(row, at, ids))[1])
    assert text(batch, longer) == fresh
    assert read == [answer[-1], *prompt(1, 30)]


@pytest.fixture
def put(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens' keys and values are copied into rows, time by time."""
    tokens: list[int] = []
    puts = decoder.put

    def counted(row: int, at: int, values: Any) -> None:
        tokens.append(values.shape[2])
        puts(row, at, values)

    monkeypatch.setattr(decoder, "put", counted)
    return tokens


def test_the_next_turn_finds_its_row_as_it_left_it(batch: Batch, decoder: Decoder, put: list[int]) -> None:
    conversation = prompt(0, 200)
    longer = [*conversation, *prompt(1, 30)]
    other = [*conversation[:150], *prompt(2, 40)]
    alone = [text(batch, ids) for ids in (longer, other)]
    keeping = Batch(decoder, Prefixes(ROOM))
    text(keeping, conversation)
    assert [text(keeping, ids) for ids in (longer, other)] == alone
    assert sum(put) == 0
    text(keeping, prompt(3, 60))  # whoever has the row in between has it to the end
    assert text(keeping, longer) == alone[0]
    assert sum(put) == 230 - 1


def test_a_row_in_company_is_copied_into_and_freed_when_others_move(
    batch: Batch, decoder: Decoder, put: list[int]
) -> None:
    longer = [*prompt(0, 100), *prompt(1, 30)]
    alone = {seed: text(batch, longer, seed) for seed in range(3)}
    keeping = Batch(decoder, Prefixes(ROOM))
    text(keeping, longer[:100])
    writers = [start(keeping, longer, seed) for seed in range(3)]
    begun = [[next(writer).id] for writer in writers]
    assert sum(put) >= 100  # the second's row was nobody's before
    together = {seed: begun[seed] + [token.id for token in writers[seed]] for seed in (0, 2, 1)}
    assert together == alone
    assert text(keeping, longer, 1) == alone[1]


def test_a_row_rests_only_where_there_is_room_for_it_beside_what_is_kept(decoder: Decoder) -> None:
    size = 60 * decoder.token_bytes
    for row in range(decoder.rows):
        decoder.free(row)
    for room, rests in ((2 * size, True), (size, False)):
        batch = Batch(decoder, Prefixes(room))
        text(batch, prompt(0, 40))
        assert used(decoder) == rests
        batch.forget()
        assert not used(decoder)


@pytest.mark.parametrize("new", [0, 1, 2])
def test_a_prompt_of_which_little_is_new_is_answered_the_same(batch: Batch, decoder: Decoder, new: int) -> None:
    long = prompt(0, PREFILL)
    longer = [*long, *prompt(1, new)]
    alone = text(batch, longer)
    keeping = Batch(decoder, Prefixes(ROOM))
    text(keeping, long)
    assert text(keeping, longer) == alone == text(keeping, longer)
