"""Panels for workspace and report, with W&B's classes.

W&B's library gives every panel an id at random; `pinned` gives it one that is the same every time.
"""

from collections.abc import Sequence
from typing import Any

import wandb_workspaces.reports.v2 as wr
from wandb_workspaces import expr

from augrnn.dashboard.shown import STEP, VITALS, Shown, SweepPanel, identity, verdicts_table
from augrnn.option_names import shortened

MOST_RUNS = 100
"""Runs and groups that a panel shows; ten by default."""

VARIANT = "JobType"
"""W&B's name for what `augrnn.tracking.loggers` gives the variant as."""


def filter_of(shown: Shown) -> Any:
    """Picks an experiment's runs at its scale."""
    return expr.And(expr.Metric("Group") == shown.name, expr.Tags().isin([shown.scale]))


def sweep_filter(sweep: SweepPanel) -> Any:
    """Picks a sweep's runs."""
    return expr.And(expr.Metric("Group") == sweep.group)


def claims_panel(shown: Shown) -> Any:
    """An experiment's claims, with their verdicts, as Markdown."""
    head = f"**{shown.name}**: {shown.experiment.title} ({shown.card})"
    return wr.MarkdownPanel(markdown=f"{head}\n\n{verdicts_table(shown.rows)}")


def curve(metric: str, title: str, groupby: str | None = VARIANT) -> Any:
    """A metric over updates: the mean over seeds, and the range from the worst to the best one.

    Args:
      metric: its name.
      title: the panel's.
      groupby: what makes a line; None where the workspace's own grouping does.
    """
    return wr.LinePlot(
        title=title,
        x=STEP,
        y=[metric],
        title_x="updates",
        title_y=metric,
        groupby=groupby,
        aggregate=True,
        groupby_aggfunc="mean",
        groupby_rangefunc="minmax",
        smoothing_type="none",
        max_runs_to_show=MOST_RUNS,
    )


def curves(shown: Shown) -> list[Any]:
    """An experiment's curves, a line for each variant."""
    return [curve(metric, f"{shown.name}: {metric}") for metric in shown.experiment.curves]


def vitals(shown: Shown) -> list[Any]:
    """What tells whether an experiment's runs are well."""
    return [curve(metric, f"{shown.name}: {metric}") for metric in VITALS]


def media(pictures: Sequence[str], tables: Sequence[str], title: str) -> list[Any]:
    """Pictures, a row for each run and a column for each time it was drawn, and tables."""
    browsers = [
        wr.MediaBrowser(title=f"{title}: {key}", media_keys=[key], mode="grid", grid_x_axis="step", grid_y_axis="run")
        for key in pictures
    ]
    return [*browsers, *(wr.WeavePanelSummaryTable(table_name=key) for key in tables)]


def sweep_panels(sweep: SweepPanel) -> list[Any]:
    """What a sweep found: all points, what matters, each parameter by itself, and how the best value came down."""
    importance = wr.ParameterImportancePlot(with_respect_to=sweep.metric)
    slices = [_slice(sweep, parameter) for parameter in sweep.parameters]
    return [_parallel(sweep), importance, *slices, _progress(sweep)]


def _parallel(sweep: SweepPanel) -> Any:
    short = shortened(sweep.parameters)
    axes = [
        wr.ParallelCoordinatesPlotColumn(metric=wr.Config(name), display_name=short[name]) for name in sweep.parameters
    ]
    # inverted where less is better, so that up is good in every sweep
    result = wr.ParallelCoordinatesPlotColumn(
        metric=wr.SummaryMetric(sweep.metric), display_name=sweep.metric, inverted=sweep.goal == "minimize"
    )
    return wr.ParallelCoordinatesPlot(columns=[*axes, result], title=f"{sweep.group}: all points")


def _slice(sweep: SweepPanel, parameter: str) -> Any:
    title = f"{sweep.group}: {sweep.metric} by {shortened(sweep.parameters)[parameter]}"
    return wr.ScatterPlot(title=title, x=wr.Config(parameter), y=wr.SummaryMetric(sweep.metric))


def _progress(sweep: SweepPanel) -> Any:
    return wr.ScatterPlot(
        title=f"{sweep.group}: {sweep.metric} over time, and the best so far",
        x=wr.Metric("CreatedTimestamp"),
        y=wr.SummaryMetric(sweep.metric),
        running_ymin=sweep.goal == "minimize",
        running_ymax=sweep.goal == "maximize",
    )


def pinned(panels: Sequence[Any], *place: str) -> list[Any]:
    """The panels, with ids that follow from where they stand."""
    for number, panel in enumerate(panels):
        panel._id = identity(*place, number)
    return list(panels)


def laid_out(panels: Sequence[Any], columns: int = 2) -> list[Any]:
    """The panels in rows, on the 24 columns of a report's grid."""
    width, height = 24 // columns, 8
    for number, panel in enumerate(panels):
        place = {"x": number % columns * width, "y": number // columns * height}
        panel.layout = wr.Layout(**place, w=width, h=height)
    return list(panels)
