"""The composer learns from what compose() will show it, in every key, and a run goes on where it stopped."""

from __future__ import annotations

from dataclasses import replace

import torch

from pipelines.music_model import Composer, Size
from pipelines.music_score import Head, Note, Score
from pipelines.music_styles import STYLES
from pipelines.music_tokens import NONE, Sheet, events_of
from training.loop import Average, Run, export, resume, save, training
from training.muon import optimisers
from training.music import COLUMNS, Rows, fewer, keys, loss_of, per_note, row_of
from training.music_pieces import Piece

TUNE = [67, 69, 71, 74, 71, 69, 67, 62]


def tune(shift: int = 0) -> Piece:
    notes = tuple(Note(12 * i, 0, pitch + shift, 12) for i, pitch in enumerate(TUNE * 4))
    return Piece("tune", "tune", Score(Head("reel", (7 + shift) % 12, "major", (4, 4), 200, (110,)), notes), False)


def chorale() -> Piece:
    notes = [
        Note(24 * i, voice, low + step, 24)
        for i, step in enumerate((0, 2, 4, 0))
        for voice, low in enumerate((67, 62, 59, 48))
    ]
    head = Head("chorale", 7, "major", (4, 4), 72, (19,) * 4)
    return Piece("chorale", "chorale", Score(head, tuple(notes)), False)


def small() -> Composer:
    torch.manual_seed(0)
    return Composer(Size(width=32, layers=1, head_width=16, window=64))


def test_it_learns_a_tune() -> None:
    model, rows = small(), Rows([row_of(tune())], 64)
    before = per_note(model, [row_of(tune())])
    opts = optimisers(model, outside=("enter", "leave", "chosen"))
    for _ in training(model, opts, lambda g: loss_of(model, rows, 128, g), Run(30, lr=1e-2, warmup=2, cooldown=5)):
        pass
    after = per_note(model, [row_of(tune())])
    assert before > 5 and after < 1.5


def test_a_resumed_run_is_the_same_run(tmp_path) -> None:
    rows = Rows([row_of(tune()), row_of(chorale())], 64)
    run = Run(6, warmup=2, cooldown=2)

    def start():
        model = small()
        return model, optimisers(model, outside=("enter", "leave", "chosen"))

    def go_on(model, opts, first, last):
        average = Average(model)
        if first:
            assert resume(tmp_path / "checkpoint", model, average, opts) == first
        for step in training(model, opts, lambda g: loss_of(model, rows, 128, g), run, first):
            if step.number == last:
                save(tmp_path / "checkpoint", model, average, opts, last)
                break

    whole, opts = start()
    go_on(whole, opts, 0, 6)
    part, opts = start()
    go_on(part, opts, 0, 3)
    rest, opts = start()
    go_on(rest, opts, 3, 6)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, rest.state_dict()[name]), name


def test_what_is_exported_composes(tmp_path) -> None:
    model = small()
    export(model, tmp_path / "export")
    again = Composer.from_pretrained(tmp_path / "export")
    assert {weight.dtype for weight in again.parameters()} == {torch.float32}
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], weight, rtol=1e-2, atol=1e-2)


def test_each_event_knows_which_note_the_melody_has_next() -> None:
    row, piece = row_of(chorale()), chorale()
    melody = [note.pitch for note in piece.score.notes if note.voice == 0]
    sheet = Sheet(piece.score.head, 1, False)
    parts = row.features[:, COLUMNS["part"]].tolist()
    assert parts == [0, 1, 2, 3] * 4
    ahead = row.features[:, COLUMNS["ahead"]].tolist()
    numbers = [sheet.number(pitch) for pitch in melody]
    assert ahead == [numbers[0], *(n for n in numbers[1:] for _ in range(4)), NONE, NONE, NONE]


def test_the_melody_is_given_or_learned_never_both() -> None:
    rows = Rows([row_of(chorale())], 64)
    seen = set()
    for seed in range(20):
        features, _, _, counts = rows.batch(16, torch.Generator().manual_seed(seed))
        given = bool((features[..., COLUMNS["ahead"]] != NONE).any())
        melody = features[..., COLUMNS["part"]] == 0
        assert bool(counts[melody].any()) != given
        assert counts[~melody].all()
        seen.add(given)
    assert seen == {False, True}


def test_in_another_key_a_piece_is_what_it_would_be_if_it_were_written_there() -> None:
    down, up = keys(tune().score)
    assert down > 0 and up > 0
    for shift in range(-down, up + 1):
        moved, row = row_of(tune(shift)), row_of(tune())
        row.features[:, COLUMNS["tonic"]] = (row.features[:, COLUMNS["tonic"]] + shift) % 12
        assert torch.equal(moved.features, row.features)
        assert torch.equal(moved.pitches, row.pitches)
    tonics = {
        int(Rows([row_of(tune())], 64).batch(32, torch.Generator().manual_seed(seed))[0][0, 0, COLUMNS["tonic"]])
        for seed in range(60)
    }
    assert tonics == {(7 + shift) % 12 for shift in range(-down, up + 1)}


def test_fewer_voices_are_the_outer_ones_first() -> None:
    found = {len(piece.score.head.instruments): piece.score for piece in fewer(chorale())}
    assert set(found) == set(STYLES["chorale"].voices[1:])
    assert [note.pitch for note in found[2].notes[:2]] == [67, 48]
    for score in found.values():
        list(events_of(score))


def test_unknown_pace_is_not_guessed() -> None:
    head = replace(tune().score.head, style="air")
    for paced, expected in ((True, 3), (False, 0)):
        row = row_of(replace(tune(), score=replace(tune().score, head=head), paced=paced))
        assert set(row.features[:, COLUMNS["pace"]].tolist()) == {expected}
