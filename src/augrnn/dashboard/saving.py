"""Saving views and report on the server that W&B is set up for, so that saving again changes what is there."""

from collections.abc import Callable, Mapping
from typing import Any

from augrnn.tracking.wandb_server import refusals

VIEWS = """
query SavedViews($entity: String, $project: String, $type: String, $count: Int) {
  project(name: $project, entityName: $entity) {
    allViews(viewType: $type, first: $count) { edges { node { id name displayName } } }
  }
}
"""


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
