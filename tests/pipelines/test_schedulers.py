"""What a step predicts, checked with a denoiser that knows the answer; and that watching changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines import schedulers
from pipelines.errors import BadRequest
from pipelines.schedulers import CLASSES, FLOW_CLASSES

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers

STEPS = 8
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


def diffusion(name: str, prediction: str = "epsilon") -> Any:
    from diffusers import PNDMScheduler

    own = PNDMScheduler(**NOISE, skip_prk_steps=True, prediction_type=prediction)
    return schedulers.make(own, name, flow=False)  # type: ignore[arg-type]


def flow(**settings: Any) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return schedulers.make(FlowMatchEulerDiscreteScheduler(**settings), "default", flow=True)


def flow_solver(name: str, **settings: Any) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return schedulers.make(FlowMatchEulerDiscreteScheduler(**settings), name, flow=True)  # type: ignore[arg-type]


def sana(name: str = "default") -> Any:
    from diffusers import DPMSolverMultistepScheduler

    settings = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0}
    own = DPMSolverMultistepScheduler.from_config({"algorithm_type": "dpmsolver++", **settings})  # as from a file
    return schedulers.make(own, name, flow=True)  # type: ignore[arg-type]


CASES = {
    **{name: (lambda name=name: diffusion(name)) for name in schedulers.NAMES},
    **{f"{name} v": (lambda name=name: diffusion(name, "v_prediction")) for name in ("Euler", "DDIM", "DPM++ 2M")},
    "flow": flow,
    "flow shifted": lambda: flow(shift=3.0),
    "flow DPM++": sana,
    **{f"flow {name}": (lambda name=name: flow_solver(name, shift=3.0)) for name in FLOW_CLASSES},
    **{f"flow {name} for DPM++": (lambda name=name: sana(name)) for name in FLOW_CLASSES},
}


def noisy(scheduler: Any, clean: Any, noise: Any, timestep: Any) -> Any:
    add = scheduler.scale_noise if hasattr(scheduler, "scale_noise") else None
    when = timestep.reshape(1)
    return add(clean, when, noise) if add else scheduler.add_noise(clean, noise, when)


def is_flow(scheduler: Any) -> bool:
    return scheduler.config.get("prediction_type") in (None, "flow_prediction") or "FlowMatch" in str(type(scheduler))


def answer(scheduler: Any, clean: Any, noise: Any, timestep: Any) -> Any:
    """What a perfect model says of this noisy sample."""
    if is_flow(scheduler):
        return noise - clean
    if scheduler.config.get("prediction_type") == "epsilon":
        return noise
    alpha = scheduler.alphas_cumprod[int(timestep)]
    return alpha**0.5 * noise - (1 - alpha) ** 0.5 * clean


@pytest.mark.parametrize("case", CASES)
def test_every_step_predicts_the_clean_latent_and_never_the_noise(case: str) -> None:
    import torch

    scheduler = CASES[case]()
    seen: list[Any] = []
    schedulers.watch(scheduler, lambda clean, noisy: seen.append(clean))
    scheduler.set_timesteps(STEPS)
    random = torch.Generator().manual_seed(0)
    clean, noise = (torch.randn(1, 4, 8, 8, generator=random) for _ in range(2))
    if is_flow(scheduler):
        scheduler.set_begin_index(0)
    for timestep in scheduler.timesteps:
        sample = noisy(scheduler, clean, noise, timestep)
        scheduler.step(answer(scheduler, clean, noise, timestep), timestep, sample, return_dict=False)
    assert len(seen) == len(scheduler.timesteps)
    for prediction in seen:
        torch.testing.assert_close(prediction, clean, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("case", CASES)
def test_watching_a_scheduler_changes_no_bit(case: str) -> None:
    import torch

    def walk(watched: bool) -> Any:
        scheduler = CASES[case]()
        if watched:
            schedulers.watch(scheduler, lambda clean, noisy: None)
        scheduler.set_timesteps(STEPS)
        random = torch.Generator().manual_seed(0)
        sample = torch.randn(1, 4, 8, 8, generator=random) * getattr(scheduler, "init_noise_sigma", 1.0)
        extra = {"generator": random} if "Euler a" in case or "LCM" in case else {}
        for timestep in scheduler.timesteps:
            output = torch.tanh(scheduler.scale_model_input(sample, timestep) if extra else sample)
            sample = scheduler.step(output, timestep, sample, **extra, return_dict=False)[0]
        return sample

    with_watch, without = walk(True), walk(False)
    assert torch.equal(with_watch, without)


def test_the_watched_step_keeps_its_signature() -> None:
    """Pipelines ask it whether the scheduler takes a generator."""
    import inspect

    scheduler = diffusion("Euler a")
    schedulers.watch(scheduler, lambda clean, noisy: None)
    assert "generator" in inspect.signature(scheduler.step).parameters


def test_what_is_raised_while_watching_ends_the_step() -> None:
    import torch

    def stop(clean: Any, noisy: Any) -> None:
        raise KeyboardInterrupt

    scheduler = flow()
    schedulers.watch(scheduler, stop)
    scheduler.set_timesteps(STEPS)
    with pytest.raises(KeyboardInterrupt):
        scheduler.step(torch.zeros(1, 4, 8, 8), scheduler.timesteps[0], torch.zeros(1, 4, 8, 8))


def test_each_run_gets_a_scheduler_of_its_own_with_the_models_settings() -> None:
    own = diffusion("default")
    for name in schedulers.NAMES:
        made = schedulers.make(own, name, flow=False)
        assert made is not own
        assert made.config.beta_end == own.config.beta_end
        if name in CLASSES:
            assert type(made).__name__ == CLASSES[name][0]


def test_a_flow_refuses_what_cannot_go_there_with_a_list_of_what_can() -> None:
    with pytest.raises(BadRequest, match=r"“DDIM” cannot go. Choose one of “default”, “Euler”, “DPM\+\+ 2M”, “UniPC”"):
        flow_solver("DDIM")


@pytest.mark.parametrize("name", FLOW_CLASSES)
@pytest.mark.parametrize("settings", [{"shift": 3.0}, {"use_dynamic_shifting": True}, {"shift_terminal": 0.02}])
def test_every_solver_of_a_flow_goes_along_the_models_own_levels(name: str, settings: dict[str, Any]) -> None:
    import torch

    own, solver = flow(**settings), flow_solver(name, **settings)
    asked = {"sigmas": [1.0, 0.75, 0.5, 0.25], "mu": 0.9}
    own.set_timesteps(**asked)
    solver.set_timesteps(**asked)
    for mine, theirs in ((solver.sigmas, own.sigmas), (solver.timesteps, own.timesteps)):
        torch.testing.assert_close(mine.unique(), theirs.unique(), rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", ["DPM++ 2M", "UniPC", "Heun"])
@pytest.mark.parametrize(("even", "steps"), [(True, 12), (False, 96)])
def test_solvers_of_second_order_come_closer_to_where_the_flow_goes(name: str, even: bool, steps: int) -> None:
    """To a bell curve of width 1/2, from noise of width 1: the flow is known, and each point ends at half itself."""
    import torch

    def end(scheduler: Any) -> Any:
        scheduler.set_timesteps(**({"sigmas": torch.linspace(1, 1 / steps, steps).tolist()} if even else plain))
        sample = start
        for timestep in scheduler.timesteps:
            t = timestep / 1000
            velocity = (t - 0.25 * (1 - t)) / (t**2 + 0.25 * (1 - t) ** 2) * sample
            sample = scheduler.step(velocity, timestep, sample, return_dict=False)[0]
        return sample

    plain = {"num_inference_steps": steps}
    start = torch.linspace(-2, 2, 64).reshape(1, 4, 4, 4)
    error, eulers = ((end(each) - start / 2).abs().max() for each in (flow_solver(name), flow()))
    assert error < eulers / 4


def test_even_levels_are_kept_where_a_pipeline_asks_only_its_own_scheduler_for_them() -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler

    solver = schedulers.make(FlowMatchEulerDiscreteScheduler(), "DPM++ 2M", flow=True, even=True)
    solver.set_timesteps(4)
    assert solver.timesteps.tolist() == [1000, 750, 500, 250]


def test_a_scheduler_that_does_not_tell_has_no_preview() -> None:
    import torch
    from diffusers import IPNDMScheduler

    scheduler = IPNDMScheduler()
    seen: list[Any] = []
    schedulers.watch(scheduler, lambda clean, noisy: seen.append(clean))
    scheduler.set_timesteps(STEPS)
    scheduler.step(torch.zeros(1, 4, 8, 8), scheduler.timesteps[0], torch.zeros(1, 4, 8, 8))
    assert seen == [None]
