"""The workspace: saved views of the project's runs, as code.

All panels of a W&B view show the same set of runs; only the view as a whole has a filter. So there is one view for each
experiment and each sweep, filtered to its group, and one view over everything, with a section for each paper, where the
lines of a panel say which experiment they are of.
"""

from collections.abc import Sequence
from typing import Any

import wandb_workspaces.workspaces as ws
from wandb_workspaces import expr

from augrnn.dashboard import panels
from augrnn.dashboard.shown import STEP, Shown, SweepPanel, by_paper, identity, plain

OVERVIEW = "augrnn"
"""The name of the view over everything."""


def views(shown: Sequence[Shown], sweeps: Sequence[SweepPanel], entity: str, project: str) -> dict[str, Any]:
    """All views of the workspace, by name.

    Args:
      shown: the experiments.
      sweeps: the sweeps.
      entity: whose project it is.
      project: the project.
    """
    found = {OVERVIEW: overview(shown, sweeps, entity, project)}
    for each in shown:
        found[plain(each.name)] = experiment_view(each, entity, project)
    for sweep in sweeps:
        found[plain(sweep.group)] = sweep_view(sweep, entity, project)
    return found


def overview(shown: Sequence[Shown], sweeps: Sequence[SweepPanel], entity: str, project: str) -> Any:
    """The view over everything: a section for each paper, with claims, curves and media, and one for sweeps."""
    sections = [_paper_section(paper, group) for paper, group in by_paper(shown).items()]
    sections += [_sweeps_section(sweeps)] if sweeps else []
    runs = ws.RunsetSettings(
        filters=expr.Or(*(panels.filter_of(each) for each in shown)),
        groupby=[expr.Metric("Group"), expr.Metric(panels.VARIANT)],
    )
    return _view(OVERVIEW, sections, runs, entity, project)


def experiment_view(shown: Shown, entity: str, project: str) -> Any:
    """An experiment's view: claims, curves, media, and how its runs are."""
    name = shown.name
    sections = [
        _section("claims", [panels.claims_panel(shown)], name, columns=1),
        _section("curves", panels.curves(shown), name),
        _section("media", panels.media(shown.pictures, shown.tables, name), name),
        _section("vitals", panels.vitals(shown), name, is_open=False),
    ]
    runs = ws.RunsetSettings(filters=panels.filter_of(shown), groupby=[expr.Metric(panels.VARIANT)])
    return _view(name, [section for section in sections if section.panels], runs, entity, project)


def sweep_view(sweep: SweepPanel, entity: str, project: str) -> Any:
    """A sweep's view: parallel coordinates, the parameters' importance, and the metric by each of them."""
    sections = [_section(sweep.group, panels.sweep_panels(sweep), sweep.group)]
    runs = ws.RunsetSettings(filters=panels.sweep_filter(sweep))
    return _view(sweep.group, sections, runs, entity, project)


def _paper_section(paper: str, shown: Sequence[Shown]) -> Any:
    metrics: dict[str, list[str]] = {}
    for each in shown:
        for metric in each.experiment.curves:
            metrics.setdefault(metric, []).append(each.name)
    lines = [panels.curve(metric, f"{metric}: {', '.join(names)}", None) for metric, names in metrics.items()]
    pictures = sorted({key for each in shown for key in each.pictures})
    tables = sorted({key for each in shown for key in each.tables})
    shows = [*map(panels.claims_panel, shown), *lines, *panels.media(pictures, tables, paper)]
    return _section(paper, shows, OVERVIEW)


def _sweeps_section(sweeps: Sequence[SweepPanel]) -> Any:
    lines = [f"- {sweep.group}: {sweep.goal} {sweep.metric} over {', '.join(sweep.parameters)}" for sweep in sweeps]
    text = "\n".join(["Each sweep has a saved view of its own, under its group's name:", "", *lines])
    return _section("sweeps", [panels.wr.MarkdownPanel(markdown=text)], OVERVIEW)


def _section(name: str, shows: Sequence[Any], view: str, columns: int = 2, is_open: bool = True) -> Any:
    return ws.Section(
        name=name,
        panels=panels.pinned(shows, view, name),
        is_open=is_open,
        layout_settings=ws.SectionLayoutSettings(columns=columns, rows=3),
        panel_settings=ws.SectionPanelSettings(x_axis=STEP),
    )


def _view(name: str, sections: Sequence[Any], runs: Any, entity: str, project: str) -> Any:
    settings = ws.WorkspaceSettings(x_axis=STEP, max_runs=panels.MOST_RUNS)
    view = ws.Workspace(
        entity=entity,
        project=project,
        name=plain(name),
        sections=list(sections),
        settings=settings,
        runset_settings=runs,
    )
    view._internal_runset_id = identity("runs", name)
    view._internal_name = f"nw-{identity('view', name, length=11)}-v"  # the form that the app's addresses rely on
    return view
