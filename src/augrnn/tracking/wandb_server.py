"""The server that W&B is set up for: who is signed in, and what it refuses."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from augrnn.errors import UserError

SECONDS = 10
"""How long a server may take to say who is signed in."""


def signed_in() -> str:
    """The entity that the API key's owner works under by default; "" for none.

    W&B's own client is not asked: it tries an unreachable server again and again, and prompts for a missing key.

    Raises:
      UserError: there is no key, no server, or the server refuses the key.
    """
    import requests
    from wandb.sdk import wandb_setup

    address = (os.environ.get("WANDB_BASE_URL") or wandb_setup.singleton().settings.base_url).rstrip("/")
    login = os.environ.get("WANDB_API_KEY") or (requests.utils.get_netrc_auth(address) or ("", ""))[1]
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
        raise UserError(f"{told}: check the network and WANDB_BASE_URL") from error
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
