"""How a diffusion model's noise is taken away: schedulers by the names that people know, and what one step predicts.

A run has a scheduler of its own, made afresh from the model's configuration: schedulers keep the state of a run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from pipelines.errors import BadRequest

if TYPE_CHECKING:
    from torch import Tensor

SchedulerName = Literal["default", "Euler", "Euler a", "DPM++ 2M", "DDIM", "UniPC", "LCM"]
NAMES: tuple[SchedulerName, ...] = get_args(SchedulerName)
OWN: SchedulerName = "default"

CLASSES: dict[SchedulerName, tuple[str, dict[str, Any]]] = {
    "Euler": ("EulerDiscreteScheduler", {}),
    "Euler a": ("EulerAncestralDiscreteScheduler", {}),
    "DPM++ 2M": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "DDIM": ("DDIMScheduler", {"clip_sample": False}),
    "UniPC": ("UniPCMultistepScheduler", {"predict_x0": True}),
    "LCM": ("LCMScheduler", {"clip_sample": False}),
}


def make(own: Any, name: SchedulerName, only_own: bool) -> Any:
    """A fresh scheduler of this name for a model that came with the scheduler `own`; `own` itself is left alone."""
    if name == OWN:
        return type(own).from_config(own.config)
    if only_own:
        raise BadRequest(f"This model flows along its own schedule and cannot use “{name}”. Choose “{OWN}”.")
    import diffusers

    kind, settings = CLASSES[name]
    return getattr(diffusers, kind).from_config(own.config, **settings)


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
    config = scheduler.config
    if config.get("predict_x0") or "dpmsolver++" in config.get("algorithm_type", ""):  # UniPC, the DPM-Solver family
        return cast("Tensor", scheduler.model_outputs[-1])
    if type(scheduler).__name__.startswith("FlowMatchEuler"):
        sigma = scheduler.sigmas[scheduler.step_index - 1].to(sample.device)
        return cast("Tensor", sample.float() - sigma * model_output.float())
    if config.get("prediction_type") == "epsilon" and hasattr(scheduler, "alphas_cumprod"):  # PNDM
        alpha = scheduler.alphas_cumprod[int(timestep)].to(sample.device)
        return cast("Tensor", (sample.float() - (1 - alpha) ** 0.5 * model_output.float()) / alpha**0.5)
    return None
