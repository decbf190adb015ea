"""Saving views and report on the server that W&B is set up for, so that saving again changes what is there."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from augrnn.errors import UserError

SECONDS = 10
"""How long a server may take to say who is signed in."""

VIEWS = """
query SavedViews($entity: String, $project: String, $type: String, $count: Int) {
  project(name: $project, entityName: $entity) {
    allViews(viewType: $type, first: $count) { edges { node { id name displayName } } }
  }
}
"""


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


def save(
    views: Mapping[str, Any], make_report: Callable[[], Any], entity: str, project: str, title: str
) -> dict[str, str]:
    """Save views and report, in place of earlier ones of the same names; gives their addresses, by name.

    Args:
      views: the workspace's views, by name.
      make_report: makes the report, once the project is sure to exist.
      entity: whose project it is.
      project: the project, which is made where it is missing.
      title: the report's.

    Raises:
      UserError: the server refuses.
    """
    with refusals(f"cannot save the dashboard in {entity}/{project}"):
        known = _saved(entity, project, "project-view", by="name")
        addresses = {}
        for name, view in views.items():
            view._internal_id = known.get(view._internal_name, "")
            addresses[name] = view.save().url
        report = make_report()
        report.id = _saved(entity, project, "runs", by="displayName").get(title, "")
        addresses["report"] = report.save().url
    return addresses


def _saved(entity: str, project: str, kind: str, by: str) -> dict[str, str]:
    """The ids of the views of a kind, by one of their fields; makes the project where it is missing."""
    import wandb
    from wandb_workspaces._graphql import execute_graphql

    api = wandb.Api()
    variables = {"entity": entity, "project": project, "type": kind, "count": 1000}
    found = execute_graphql(api, VIEWS, variables)["project"]
    if found is None:
        api.create_project(project, entity)
        return {}
    return {edge["node"][by]: edge["node"]["id"] for edge in found["allViews"]["edges"]}


@contextmanager
def refusals(failed: str) -> Iterator[None]:
    """Turn what W&B's client raises for a server's refusal into a UserError of one line, which begins with `failed`."""
    import wandb
    from wandb.sdk.lib.service.service_connection import WandbApiFailedError

    try:
        yield
    except (wandb.Error, WandbApiFailedError, ValueError) as error:
        raise UserError(f"{failed}: {' '.join(str(error).split())}") from error
