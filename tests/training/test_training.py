"""Training learns, stops and resumes to the bit, and what it exports loads as any diffusers model does."""

from __future__ import annotations

import pytest
import torch

from pipelines.image_autoencoder import Autoencoder
from pipelines.image_model import Denoiser, Shown, velocity
from training import autoencoder, denoiser
from training.captions import Captions
from training.image_data import Encoded, allowed_references
from training.loop import Average, Run, export, log, rate, resume, save, training
from training.muon import Muon, optimisers, orthogonal
from training.pictures import augmented

N = 12


def small_autoencoder():
    torch.manual_seed(0)
    return Autoencoder(width=32, decoder_blocks=1, fine_width=8)


def small_denoiser():
    torch.manual_seed(0)
    return Denoiser(width=64, layers=2, head_width=32, text_width=16, text_tokens=6, references=3)


def small_data():
    g = torch.Generator().manual_seed(5)
    things = torch.randn(3, 8, 16, 16, generator=g)
    pictures = things.repeat_interleave(4, 0) + 0.1 * torch.randn(N, 8, 16, 16, generator=g)
    words = torch.randn(N + 1, 6, 16, generator=g)
    references = [[[other for other in range(N) if other // 4 == i // 4 and other != i]] for i in range(N)]
    styles = [i % 4 for i in range(N)]
    lengths = torch.full((N + 1,), 4).byte()
    small = pictures[..., 4:12, 4:12].half()
    return Encoded(pictures.half(), words.half(), lengths, pictures.half(), small, styles, styles, references)


def denoiser_loss(model, data):
    return lambda g: denoiser.loss_of(model, denoiser.batch_of(data, 8, 3, g), g)


def test_the_autoencoder_learns(pictures):
    model = small_autoencoder()
    rows = pictures.rows(withheld=False)
    opts = optimisers(model)

    def loss(g):
        return autoencoder.loss_of(model, augmented(pictures, rows, 2, g), g, 1e-4)

    psnr = [step.parts["psnr"] for step in training(model, opts, loss, Run(20, lr=1e-2, warmup=1, cooldown=5))]
    assert sum(psnr[-3:]) > sum(psnr[:3]) + 9


def test_a_decoder_that_goes_on_leaves_the_latents_as_they_are(pictures, tmp_path):
    begun = small_autoencoder()
    begun.register_to_config(latents_mean=[0.5] * 8, latents_std=[2.0] * 8)
    export(begun, tmp_path)
    before, model = (autoencoder.with_encoder_kept(tmp_path) for _ in range(2))
    rows, g = pictures.rows(withheld=False), torch.Generator().manual_seed(0)
    x = augmented(pictures, rows, 2, g)

    def loss(g):
        return autoencoder.loss_of(model, x, g, 1e-4)

    steps = list(training(model, optimisers(model), loss, Run(4, lr=1e-2, warmup=1, cooldown=1)))
    assert steps[-1].parts["psnr"] > steps[0].parts["psnr"]
    assert torch.equal(model.encode(x).latent_dist.parameters, before.encode(x).latent_dist.parameters)
    assert model.config.latents_std == [2.0] * 8


def test_principal_components_are_a_head_start(pictures):
    model = small_autoencoder()
    rows = pictures.rows(withheld=False)
    before, _ = autoencoder.measure(model, pictures, rows)
    autoencoder.start_linear(model, pictures, rows)
    after, made = autoencoder.measure(model, pictures, rows)
    assert after > before + 10
    assert made.shape == (len(rows), 3, 128, 128)


def test_the_denoiser_learns():
    data, model = small_data(), small_denoiser()
    opts = optimisers(model)
    steps = list(training(model, opts, denoiser_loss(model, data), Run(20, lr=1e-2, warmup=1, cooldown=1)))
    clean = [step.parts["clean"] for step in steps]
    assert sum(clean[-3:]) < 0.8 * sum(clean[:3])


def test_a_resumed_run_is_the_same_run(tmp_path):
    data, run = small_data(), Run(8, lr=1e-2, warmup=2, cooldown=3)

    def begin():
        model = small_denoiser()
        return model, optimisers(model, decay=0.1), Average(model)

    model, opts, average = begin()
    whole = []
    for step in training(model, opts, denoiser_loss(model, data), run):
        average.update(model, step.number)
        whole.append(step.loss)
        if step.number == 4:
            save(tmp_path / "checkpoint", model, average, opts, step.number)
    fresh, fresh_opts, fresh_average = begin()
    start = resume(tmp_path / "checkpoint", fresh, fresh_average, fresh_opts)
    rest = []
    for step in training(fresh, fresh_opts, denoiser_loss(fresh, data), run, start):
        fresh_average.update(fresh, step.number)
        rest.append(step.loss)
    assert rest == whole[4:]
    for one, other in ((model, fresh), (average.model, fresh_average.model)):
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("model", [small_autoencoder(), small_denoiser()], ids=["autoencoder", "denoiser"])
def test_what_is_exported_loads(tmp_path, model):
    if isinstance(model, Autoencoder):
        model.register_to_config(latents_mean=[0.5] * 8, latents_std=[2.0] * 8)
    export(model, tmp_path / "export")
    export(model, tmp_path / "export")  # replaces the first
    loaded = type(model).from_pretrained(tmp_path / "export", torch_dtype=torch.bfloat16)
    assert dict(loaded.config)["_class_name"] == type(model).__name__
    assert loaded.config.get("latents_std") == model.config.get("latents_std")
    for a, b in zip(model.parameters(), loaded.parameters(), strict=True):
        assert torch.equal(a.bfloat16(), b)
    assert next(model.parameters()).dtype == torch.float32
    assert {path.name for path in (tmp_path / "export").iterdir()} == {
        "config.json",
        "diffusion_pytorch_model.safetensors",
    }


def test_shapes_of_the_autoencoder():
    model = small_autoencoder()
    z = model.encode(torch.zeros(2, 3, 64, 96)).latent_dist.mode()
    assert z.shape == (2, 8, 8, 12)
    assert model.decode(z).sample.shape == (2, 3, 64, 96)


def told(data, rows, there, pictures=None):
    """What a model is told: of each row its words, the first style, and the first three pictures, or those given."""
    n = len(rows)
    mask = torch.ones(n, 4, dtype=torch.bool)
    latents = data.pictures[:3].float().expand(n, -1, -1, -1, -1) if pictures is None else pictures
    styles = torch.tensor([0, 1, 2]).expand(n, -1)
    shown = Shown(latents, latents[..., 4:12, 4:12], there, styles, styles * 0)
    return data.words[rows, :4].float(), mask, torch.zeros(n).long(), shown


def shaken(model):
    for p in model.parameters():  # what starts at zero would hide everything
        torch.nn.init.normal_(p, std=0.05)
    return model


def test_absent_references_do_not_matter():
    data, model = small_data(), shaken(small_denoiser())
    there = torch.tensor([[True, False, False]] * 2)
    noisy, time = torch.randn(2, 8, 16, 16), torch.tensor([0.3, 0.9])
    one = model(noisy, time, model.condition(*told(data, [0, 1], there)))
    other = data.pictures[:3].float().expand(2, -1, -1, -1, -1).clone()
    other[:, 1:] = 7.0
    two = model(noisy, time, model.condition(*told(data, [0, 1], there, other)))
    torch.testing.assert_close(one, two)
    other[:, 0] = 7.0
    assert not torch.allclose(one, model(noisy, time, model.condition(*told(data, [0, 1], there, other))))


def test_the_asked_style_matters():
    data, model = small_data(), shaken(small_denoiser())
    noisy, time = torch.randn(1, 8, 16, 16), torch.tensor([0.5])
    text, mask, style, shown = told(data, [0], torch.tensor([[True, True, True]]))
    one, other = (model(noisy, time, model.condition(text, mask, style + k, shown)) for k in (0, 1))
    assert not torch.allclose(one, other)


def test_before_training_every_cell_looks_at_its_own_place():
    """What is looked up at first are the references as they are, and with none there is nothing."""
    data, model = small_data(), small_denoiser()
    *words, shown = told(data, [0], torch.tensor([[True, False, False]]))
    condition = model.condition(*words, shown)
    _, found = model.lookup(torch.zeros(1, 64, 16, 16), torch.zeros(1, 64), condition.whole)
    picture = shown.latents[:, 0]
    near = torch.nn.functional.cosine_similarity(found[:, 0].flatten(), picture.flatten(), 0)
    assert near > 0.5
    _, small = model.lookup_small(torch.zeros(1, 64, 16, 16), torch.zeros(1, 64), condition.small)
    left, middle = small[0, 1, :, 4:12, :8], shown.small[0, 0]  # one that stands on the left
    assert torch.nn.functional.cosine_similarity(left.flatten(), middle.flatten(), 0) > 0.5
    nothing = model.condition(*words, told(data, [0], torch.zeros(1, 3, dtype=torch.bool))[3])
    _, found = model.lookup(torch.zeros(1, 64, 16, 16), torch.zeros(1, 64), nothing.whole)
    assert not found.any()


def test_velocity_leads_from_noise_to_the_clean_picture():
    clean, noise, time = torch.randn(2, 8, 4, 4), torch.randn(2, 8, 4, 4), torch.tensor([0.25, 1.0])
    t = time[:, None, None, None]
    torch.testing.assert_close(velocity((1 - t) * clean + t * noise, clean, time), noise - clean)


def test_drawing_is_the_same_for_the_same_noise():
    data, model = small_data(), small_denoiser()
    condition = model.condition(*told(data, [0, 1], torch.ones(2, 3, dtype=torch.bool)))
    empty = model.condition(*told(data, [N, N], torch.zeros(2, 3, dtype=torch.bool)))
    noise = torch.randn(2, 8, 16, 16)
    one, two = (denoiser.draw(model, condition, empty, noise.clone(), steps=3) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == noise.shape


def test_no_reference_is_withheld_and_the_most_alike_comes_first(pictures):
    captions = Captions(pictures)
    by_thing: dict[str, list[int]] = {}
    for row, record in enumerate(pictures.records):
        by_thing.setdefault(record["hexcode"], []).append(row)
    for seed in range(100):
        scene = captions.scene(seed)
        allowed = allowed_references(scene, pictures.records, by_thing)
        for row, rows in zip(dict.fromkeys(scene.rows), allowed, strict=True):
            assert not any(pictures.records[other]["withheld"] for other in rows)
            assert {pictures.records[other]["hexcode"] for other in rows} <= {pictures.records[row]["hexcode"]}
            assert rows[0] == row  # what is most like it


def test_batches_refer_to_the_same_thing_but_for_a_wrong_one_now_and_then():
    data = small_data()
    g = torch.Generator().manual_seed(0)
    rows = torch.randint(N, (400,), generator=g).tolist()
    shown = denoiser.shown(data, rows, 3, g)
    assert 0.05 < (~shown.there.any(1)).float().mean() < 0.2
    assert (shown.there.sum(1) == 3).float().mean() > 0.5
    right = [
        bool((latents.half() == data.pictures[first : first + 4]).flatten(1).all(1).any())
        for row, pictures, there in zip(rows, shown.latents, shown.there, strict=True)
        for first in [row // 4 * 4]
        for latents in pictures[there]
    ]
    assert 0.9 < sum(right) / len(right) < 1


def test_muon_steps_are_orthogonal():
    g = torch.Generator().manual_seed(0)
    for shape in ((8, 32), (32, 8)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape, generator=g)))
        assert values.min() > 0.5
        assert values.max() < 1.3


def test_muon_takes_matrices_and_adamw_the_rest():
    model = small_denoiser()
    muon, adamw = optimisers(model, outside=("enter", "leave"))
    assert isinstance(muon, Muon)
    inner = {id(p) for p in muon.param_groups[0]["params"]}
    assert id(model.blocks[0].qkv.weight) in inner
    assert id(model.leave.weight) not in inner
    assert len(inner) + len(adamw.param_groups[0]["params"]) == len(list(model.parameters()))


def test_the_rate_rises_stays_and_falls():
    run = Run(100, lr=1.0, warmup=10, cooldown=20)
    assert [rate(step, run) for step in (0, 9, 50, 80, 90, 99)] == pytest.approx([0.1, 1, 1, 1, 0.5, 0.05])


def test_logging_passes_every_step_on(capsys):
    data, model = small_data(), small_denoiser()
    steps = training(model, optimisers(model), denoiser_loss(model, data), Run(4))
    assert [step.number for step in log(steps, every=2, batch=8)] == [1, 2, 3, 4]
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == ["step 2", "step 4"]
