"""How a diffusion model's noise is taken away: schedulers by the names that people know, and what one step predicts.

A run has a scheduler of its own, made afresh from the model's configuration: schedulers keep the state of a run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from pipelines.errors import BadRequest

if TYPE_CHECKING:
    from torch import Tensor

SchedulerName = Literal["default", "Euler", "Euler a", "DPM++ 2M", "DDIM", "UniPC", "LCM", "Heun"]
NAMES: tuple[SchedulerName, ...] = get_args(SchedulerName)
OWN: SchedulerName = "default"

CLASSES: dict[SchedulerName, tuple[str, dict[str, Any]]] = {
    "Euler": ("EulerDiscreteScheduler", {}),
    "Euler a": ("EulerAncestralDiscreteScheduler", {}),
    "DPM++ 2M": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "DDIM": ("DDIMScheduler", {"clip_sample": False}),
    "UniPC": ("UniPCMultistepScheduler", {"predict_x0": True}),
    "LCM": ("LCMScheduler", {"clip_sample": False}),
    "Heun": ("HeunDiscreteScheduler", {}),
}

IN_FLOW = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "use_dynamic_shifting": False}
FLOW_CLASSES: dict[SchedulerName, tuple[str, dict[str, Any]]] = {
    "Euler": ("FlowMatchEulerDiscreteScheduler", {"use_dynamic_shifting": False, "shift_terminal": None}),
    "DPM++ 2M": ("DPMSolverMultistepScheduler", {**CLASSES["DPM++ 2M"][1], **IN_FLOW}),
    "UniPC": ("UniPCMultistepScheduler", {**CLASSES["UniPC"][1], **IN_FLOW, "shift_terminal": None}),
    "Heun": ("FlowMatchHeunDiscreteScheduler", {}),
}
NEARLY_ALL = 1 - 1e-6  # noise: at 1 the multistep solvers would take the logarithm of no signal


def make(own: Any, name: SchedulerName, flow: bool, even: bool = False) -> Any:
    """A fresh scheduler of this name for a model that came with the scheduler `own`; `own` itself is left alone.

    `flow`: whether the model flows from noise to picture on straight lines. Its schedule is a part of what it has
    learned, so another solver walks along the same one. `even`: whether its pipeline asks `own` for evenly spaced
    levels of noise, but leaves other schedulers to themselves.
    """
    fresh = type(own).from_config(own.config)
    if name == OWN:
        return fresh
    import diffusers

    if not flow:
        kind, settings = CLASSES[name]
        return getattr(diffusers, kind).from_config(own.config, **settings)
    if name not in FLOW_CLASSES:
        able = ", ".join(f"“{each}”" for each in (OWN, *FLOW_CLASSES))
        raise BadRequest(f"This model flows on straight lines, where “{name}” cannot go. Choose one of {able}.")
    kind, settings = FLOW_CLASSES[name]
    return _along(fresh, getattr(diffusers, kind).from_config(own.config, **settings), even)


def _along(own: Any, solver: Any, even: bool) -> Any:
    """The solver with the timesteps and noise levels of the model's own scheduler, whatever decides those."""
    import torch

    plain = solver.set_timesteps

    def set_timesteps(
        num_inference_steps: int | None = None,
        device: Any = None,
        sigmas: Any = None,
        mu: float | None = None,
    ) -> None:
        if even and sigmas is None and num_inference_steps is not None:
            sigmas = torch.linspace(1, 1 / num_inference_steps, num_inference_steps).tolist()
        given = {"num_inference_steps": num_inference_steps, "sigmas": sigmas, "mu": mu}
        taken = signature(own.set_timesteps).parameters
        own.set_timesteps(
            device=device, **{key: value for key, value in given.items() if key in taken and value is not None}
        )
        levels = own.sigmas.clamp(max=NEARLY_ALL)
        plain(len(levels) - 1, device=device)
        timesteps = own.sigmas[:-1] * own.config.num_train_timesteps
        if solver.order == 2:  # between the first and the last, each level is looked at twice
            levels = torch.cat([levels[:1], levels[1:-1].repeat_interleave(2), levels[-1:]])
            timesteps = torch.cat([timesteps[:1], timesteps[1:].repeat_interleave(2)])
        solver.sigmas, solver.timesteps = levels.cpu(), timesteps.to(device)

    def scale_noise(sample: Tensor, timestep: Tensor, noise: Tensor) -> Tensor:
        level = (timestep / solver.config.num_train_timesteps).to(sample).reshape(-1, *[1] * (sample.ndim - 1))
        return cast("Tensor", level * noise + (1 - level) * sample)

    solver.set_timesteps, solver.scale_noise = set_timesteps, scale_noise
    return solver


def watch(scheduler: Any, seen: Callable[[Tensor | None, Tensor], None]) -> None:
    """Call `seen` with the predicted clean latent, and the noisy one that the step began with, at the end of each
    step; what it raises ends the run there.

    The scheduler's step is the one place that every pipeline passes at every step, whichever callbacks its class has,
    and the only one that knows the prediction. The tensors are the run's own: look, don't touch.
    """
    plain = scheduler.step

    @wraps(plain)  # pipelines look at its signature for "eta" and "generator"
    def step(model_output: Tensor, timestep: Any, sample: Tensor, *args: Any, return_dict: bool = True, **kwargs: Any):  # type: ignore[no-untyped-def]
        output = plain(model_output, timestep, sample, *args, **kwargs)
        seen(predicted_clean(scheduler, output, model_output, timestep, sample), at_unit_scale(scheduler, sample))
        return output if return_dict else output.to_tuple()

    scheduler.step = step


def at_unit_scale(scheduler: Any, sample: Tensor) -> Tensor:
    """The noisy latent of a step just taken, about as large as a clean one: some schedulers let the noise grow."""
    if float(getattr(scheduler, "init_noise_sigma", 1.0)) <= 1:
        return sample
    sigma = scheduler.sigmas[scheduler.step_index - 1].to(sample.device)
    return cast("Tensor", sample / (sigma**2 + 1) ** 0.5)


def predicted_clean(scheduler: Any, output: Any, model_output: Tensor, timestep: Any, sample: Tensor) -> Tensor | None:
    """The clean latent that a step, just taken, was heading for; None where this scheduler does not tell."""
    for name in ("pred_original_sample", "denoised"):  # Euler, Euler a, DDIM, DDPM, SCM and more; LCM
        clean: Tensor | None = getattr(output, name, None)
        if clean is not None:
            return clean
    config = scheduler.config  # which keeps what the scheduler that it was made from was set to: classes come first
    if type(scheduler).__name__.startswith("FlowMatch"):
        level = timestep / config.num_train_timesteps
        return cast("Tensor", sample.float() - level * model_output.float())
    if config.get("predict_x0") or "dpmsolver++" in config.get("algorithm_type", ""):  # UniPC, the DPM-Solver family
        return cast("Tensor", scheduler.model_outputs[-1])
    if config.get("prediction_type") == "epsilon" and hasattr(scheduler, "alphas_cumprod"):  # PNDM
        alpha = scheduler.alphas_cumprod[int(timestep)].to(sample.device)
        return cast("Tensor", (sample.float() - (1 - alpha) ** 0.5 * model_output.float()) / alpha**0.5)
    return None
