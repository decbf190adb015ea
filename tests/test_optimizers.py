"""RMSProp beside a naive loop over Graves' equations, and beside torch's own in the limit in which both agree."""

from pathlib import Path

import pytest
import torch
import yaml
from torch import nn
from torch.testing import assert_close

from augrnn.optimizers import GravesRMSprop
from augrnn.training.command import Command

ROOT = Path(__file__).parents[1]
SETTINGS = {"lr": 0.03, "decay": 0.9, "momentum": 0.7, "epsilon": 0.01}


def parameters_and_gradients(steps: int) -> tuple[list[nn.Parameter], list[list[torch.Tensor]]]:
    source = torch.Generator().manual_seed(0)
    shapes = [(3, 2), (4,), ()]
    parameters = [nn.Parameter(torch.randn(shape, generator=source, dtype=torch.float64)) for shape in shapes]
    return parameters, [
        [torch.randn(shape, generator=source, dtype=torch.float64) for shape in shapes] for _ in range(steps)
    ]


def walk(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], steps: list[list[torch.Tensor]]) -> None:
    for gradients in steps:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.clone()
        optimizer.step()


def naive(
    weights: list[float], steps: list[list[float]], lr: float, decay: float, momentum: float, epsilon: float
) -> list[float]:
    """Graves (2013), Eqs. 38 to 45, one number at a time."""
    n, m, change = ([0.0] * len(weights) for _ in range(3))
    for gradients in steps:
        for i, gradient in enumerate(gradients):
            n[i] = decay * n[i] + (1 - decay) * gradient**2
            m[i] = decay * m[i] + (1 - decay) * gradient
            change[i] = momentum * change[i] - lr * gradient / (n[i] - m[i] ** 2 + epsilon) ** 0.5
            weights[i] += change[i]
    return weights


def flat(tensors: list[torch.Tensor] | list[nn.Parameter]) -> list[float]:
    return [number for tensor in tensors for number in tensor.detach().flatten().tolist()]


@pytest.mark.parametrize("settings", [SETTINGS, {"lr": 1e-4, "decay": 0.95, "momentum": 0.9, "epsilon": 1e-4}])
def test_updates_are_those_of_the_naive_loop(settings: dict[str, float]) -> None:
    parameters, steps = parameters_and_gradients(12)
    expected = naive(flat(parameters), [flat(gradients) for gradients in steps], **settings)
    walk(GravesRMSprop(parameters, **settings), parameters, steps)
    assert flat(parameters) == pytest.approx(expected, rel=1e-12)


def test_the_defaults_are_graves_values() -> None:
    assert GravesRMSprop([nn.Parameter(torch.zeros(1))]).defaults == {
        "lr": 1e-4, "decay": 0.95, "momentum": 0.9, "epsilon": 1e-4
    }  # fmt: skip


def test_it_is_torchs_where_epsilon_does_not_matter() -> None:
    ours, steps = parameters_and_gradients(12)
    torchs, _ = parameters_and_gradients(0)
    walk(GravesRMSprop(ours, lr=0.01, decay=0.9, momentum=0.8, epsilon=1e-30), ours, steps)
    walk(torch.optim.RMSprop(torchs, lr=0.01, alpha=0.9, momentum=0.8, eps=1e-15, centered=True), torchs, steps)
    assert_close(ours, torchs, rtol=1e-10, atol=1e-10)


def test_groups_have_their_own_rates_and_what_has_no_gradient_stays() -> None:
    parameters, steps = parameters_and_gradients(3)
    first, second, idle = parameters
    before = [parameter.detach().clone() for parameter in parameters]
    optimizer = GravesRMSprop([{"params": [first, idle]}, {"params": [second], "lr": 0.5}], **SETTINGS)
    for gradients in steps:
        first.grad, second.grad = gradients[0].clone(), gradients[1].clone()
        optimizer.step()
    assert torch.equal(idle, before[2])
    assert idle not in optimizer.state
    for i, rate in ((0, 0.03), (1, 0.5)):
        expected = naive(flat([before[i]]), [flat([gradients[i]]) for gradients in steps], **{**SETTINGS, "lr": rate})
        assert flat([parameters[i]]) == pytest.approx(expected, rel=1e-12)


def test_a_saved_state_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole, steps = parameters_and_gradients(8)
    walk(GravesRMSprop(whole, **SETTINGS), whole, steps)
    parts, _ = parameters_and_gradients(0)
    stopped = GravesRMSprop(parts, **SETTINGS)
    walk(stopped, parts, steps[:3])
    torch.save(stopped.state_dict(), tmp_path / "state")
    resumed = GravesRMSprop(parts)
    resumed.load_state_dict(torch.load(tmp_path / "state"))
    walk(resumed, parts, steps[3:])
    assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_a_constant_gradient_has_no_negative_variance_whatever_rounding_makes_of_it() -> None:
    gradient = torch.linspace(0.1, 100, 1000)
    weight = nn.Parameter(torch.zeros(1000))
    optimizer = GravesRMSprop([weight])
    least = 0.0
    for _ in range(300):
        walk(optimizer, [weight], [[gradient]])
        n, m = (optimizer.state[weight][name] for name in ("square", "mean"))
        least = min(least, float((n - m**2).min()))
    assert least < -optimizer.defaults["epsilon"]  # of which the root would be nan
    assert weight.isfinite().all()
    assert (weight < 0).all()


def test_the_closure_is_evaluated_with_gradients_and_its_loss_given_back() -> None:
    weight = nn.Parameter(torch.ones(2))
    optimizer = GravesRMSprop([weight])

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (weight**2).sum()
        loss.backward()
        return loss.detach()

    assert float(optimizer.step(closure)) == 2.0
    assert (weight < 1).all()


def test_a_schedule_sets_the_rate() -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = GravesRMSprop([weight], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    rates = []
    for _ in range(4):
        rates.append(optimizer.param_groups[0]["lr"])
        walk(optimizer, [weight], [[torch.ones(1)]])
        schedule.step()
    assert rates == pytest.approx([0.1, 0.0853553, 0.05, 0.0146447], rel=1e-5)
    before = weight.detach().clone()
    optimizer.state[weight]["change"].zero_()
    walk(optimizer, [weight], [[torch.ones(1)]])  # the rate is now zero
    assert_close(weight.detach(), before, rtol=0, atol=1e-7)


def test_a_config_names_it(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "configs/copy/lstm.yaml").read_text())
    config["model"]["init_args"]["optimizer"] = {
        "class_path": "augrnn.optimizers.GravesRMSprop",
        "init_args": {"lr": 3e-5, "momentum": 0.8},
    }
    config["model"]["init_args"]["cell"]["init_args"]["hidden_size"] = 4
    config["trainer"] |= {"fast_dev_run": 2, "logger": False, "accelerator": "cpu"}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    command = Command(["--config", str(path)], run=False, folder=tmp_path)
    command.trainer.fit(command.model, command.datamodule)
    (optimizer,) = command.trainer.optimizers
    assert isinstance(optimizer, GravesRMSprop)
    assert optimizer.defaults == {"lr": 3e-5, "decay": 0.95, "momentum": 0.8, "epsilon": 1e-4}
    assert all(state["change"].abs().sum() > 0 for state in optimizer.state.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [("lr", 0.0), ("lr", -1.0), ("lr", float("nan")), ("epsilon", 0.0), ("decay", 1.0), ("decay", -0.1),
     ("momentum", 1.0), ("momentum", -0.1)],
)  # fmt: skip
def test_impossible_settings_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"RMSProp needs {name} "):
        GravesRMSprop([nn.Parameter(torch.zeros(1))], **{name: value})
