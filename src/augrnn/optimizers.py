"""RMSProp in the form of Graves (2013, arXiv 1308.0850, Eqs. 38 to 45), which the Neural Turing Machine paper uses."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class GravesRMSprop(torch.optim.Optimizer):
    """Gradient descent with momentum on gradients divided by their running standard deviation.

        n <- decay * n + (1 - decay) * g^2
        m <- decay * m + (1 - decay) * g
        d <- momentum * d - lr * g / sqrt(n - m^2 + epsilon)
        w <- w + d

    torch's RMSprop with `centered` differs in that epsilon is added to the root, not under it: the paper's 1e-4 under
    the root keeps the divisor above .01, which with losses summed over a sequence is what tames small gradients.

    Args:
      params: what to train.
      lr: the learning rate.
      decay: of both running means.
      momentum: of the update.
      epsilon: under the root.

    Raises:
      ValueError: a rate or epsilon that is not positive, a decay or momentum outside [0, 1).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        decay: float = 0.95,
        momentum: float = 0.9,
        epsilon: float = 1e-4,
    ) -> None:
        for name, value in {"lr": lr, "epsilon": epsilon}.items():
            if not value > 0:
                raise ValueError(f"RMSProp needs {name} > 0, not {value}")
        for name, value in {"decay": decay, "momentum": momentum}.items():
            if not 0 <= value < 1:
                raise ValueError(f"RMSProp needs {name} in [0, 1), not {value}")
        super().__init__(params, {"lr": lr, "decay": decay, "momentum": momentum, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of all parameters that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if parameters:
                self._update(group, parameters, [parameter.grad for parameter in parameters])
        return loss

    def _update(self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Any]) -> None:
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter] = {name: torch.zeros_like(parameter) for name in ("square", "mean", "change")}
        square, mean, change = (
            [self.state[parameter][name] for parameter in parameters] for name in ("square", "mean", "change")
        )
        decay = group["decay"]
        torch._foreach_mul_(square, decay)
        torch._foreach_addcmul_(square, gradients, gradients, 1 - decay)
        torch._foreach_lerp_(mean, gradients, 1 - decay)
        divisor = torch._foreach_addcmul(square, mean, mean, -1)
        torch._foreach_clamp_min_(divisor, 0.0)  # a variance; rounding can take it below -epsilon
        torch._foreach_add_(divisor, group["epsilon"])
        torch._foreach_sqrt_(divisor)
        torch._foreach_mul_(change, group["momentum"])
        torch._foreach_addcdiv_(change, gradients, divisor, -group["lr"])
        torch._foreach_add_(parameters, change)
