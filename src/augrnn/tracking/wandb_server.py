"""The server that W&B is set up for: whether runs go there, who is signed in, and what it refuses."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.errors import UserError
from augrnn.known_names import near

if TYPE_CHECKING:
    import wandb

PROJECT = "augrnn"
"""The project that runs are in."""

MEDIA = "media"
"""The section of W&B that exhibits are logged in."""

SECONDS = 10
"""How long a server may take to say who is signed in."""

MODES = {"online": "online", "run": "online", "offline": "offline", "dryrun": "offline", "disabled": "disabled"}
"""What WANDB_MODE may be, and the mode that each word stands for; two are W&B's older words."""


class UnreachableError(UserError):
    """No server answers."""


def asked_mode() -> str:
    """The mode asked for: WANDB_MODE's, or that of `wandb offline` or `disabled`; else online where there is a key.

    It is online, offline or disabled; there is never a prompt for a key.

    Raises:
      UserError: WANDB_MODE, or another of W&B's settings where they are asked, is none that W&B takes.
    """
    mode = os.environ.get("WANDB_MODE")
    if mode is not None and mode not in MODES:
        found = near(mode.lower(), MODES)
        hint = f"; did you mean {found[0]}?" if found else ""
        raise UserError(f"WANDB_MODE is {mode!r}: it must be online, offline or disabled, or not set{hint}")
    if mode is not None:
        return MODES[mode]
    settings = _settings()
    if settings.mode in MODES and MODES[settings.mode] != "online":
        return MODES[settings.mode]
    return "online" if _key(_address(settings)) else "offline"


def usable_mode(folder: Path) -> tuple[str, str]:
    """The mode that runs in a folder can have, offline where no server answers, and what is to be said of it.

    Raises:
      UserError: a setting is none that W&B takes, or there is a server but no key that it takes.
    """
    mode = asked_mode()
    if mode == "offline":
        _settings()
    if mode == "online":
        try:
            signed_in()
        except UnreachableError as error:
            return "offline", f"{error}. Training goes on offline; send it later with `augrnn sync {folder}`"
    return mode, ""


def _settings() -> "wandb.Settings":
    from wandb.errors import Error
    from wandb.sdk import wandb_setup

    try:
        return wandb_setup.singleton().settings
    except (ValueError, Error) as error:
        told = " ".join(str(error).split(" [type=")[0].split())
        raise UserError(f"W&B's settings (variables WANDB_..., and the files that `wandb` writes): {told}") from error


def _address(settings: "wandb.Settings") -> str:
    return (os.environ.get("WANDB_BASE_URL") or settings.base_url).rstrip("/")


def _key(address: str) -> str:
    import requests

    return os.environ.get("WANDB_API_KEY") or (requests.utils.get_netrc_auth(address) or ("", ""))[1]


def signed_in() -> str:
    """The entity that the API key's owner works under by default; "" for none.

    W&B's own client is not asked: it tries an unreachable server again and again, and prompts for a missing key.

    Raises:
      UnreachableError: no server answers.
      UserError: there is no key, or the server refuses it.
    """
    import requests

    address = _address(_settings())
    login = _key(address)
    if not login:
        raise UserError(f"there is no API key for {address}: run `wandb login`, or set WANDB_API_KEY")
    question = {"query": "query Viewer { viewer { id entity } }"}
    try:
        answer = requests.post(f"{address}/graphql", json=question, auth=("api", login), timeout=SECONDS)
        if answer.status_code in (401, 403):
            raise UserError(f"{address} refuses the API key: run `wandb login --relogin`, or set WANDB_API_KEY")
        answer.raise_for_status()
        viewer = answer.json()["data"]["viewer"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        told = f"no W&B server answers at {address} ({type(error).__name__})"
        raise UnreachableError(f"{told}: check the network and WANDB_BASE_URL") from error
    if not viewer:
        raise UserError(f"{address} does not know the API key: run `wandb login --relogin`, or set WANDB_API_KEY")
    return viewer["entity"] or ""


@contextmanager
def refusals(failed: str) -> Iterator[None]:
    """Turn what W&B's client raises for a server's refusal into a UserError of one line, which begins with `failed`."""
    import wandb
    from wandb.sdk.lib.service.service_connection import WandbApiFailedError

    try:
        yield
    except (wandb.Error, WandbApiFailedError, ValueError) as error:
        raise UserError(f"{failed}: {' '.join(str(error).split())}") from error
