"""The page of an outcome: its verdicts and pictures, as HTML that needs nothing beside it but its pictures."""

import base64
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.lab.claims_tables import counted

if TYPE_CHECKING:
    from augrnn.lab.claims_tables import Judged
    from augrnn.lab.outcome import Outcome

FIGURES = "figures"
"""The folder of the pictures, beside the page."""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; } td, th { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; }
tr { border-top: 1px solid #ccc; } img { max-width: 100%; } figure { margin: 1.5rem 0; } figcaption { color: #555; }
"""


def page(outcome: "Outcome") -> str:
    """The whole page, with its pictures beside it in `figures/`."""
    title = escape(f"{outcome.experiment.name}, scale {outcome.scale}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body(outcome, embedded=False)}\n</body></html>\n"
    )


def body(outcome: "Outcome", embedded: bool) -> str:
    """What the page shows; `embedded` pictures are part of the text, as a notebook needs them."""
    experiment = outcome.experiment
    parts = [
        f"<h1>{escape(experiment.title)}</h1>",
        f"<p>{escape(experiment.paper)}<br>Experiment {escape(experiment.name)}, scale {escape(outcome.scale)}.</p>",
        f"<p>{escape(summary(outcome))}</p>",
    ]
    if outcome.rows:
        parts.append("<table><tr><th>verdict</th><th>claim</th><th>here</th><th>needed</th><th>in the paper</th></tr>")
        parts += [_row(row) for row in outcome.rows]
        parts.append("</table>")
    for name, exhibit in outcome.exhibits.items():
        source = _embedded(outcome.folder / FIGURES / f"{name}.png") if embedded else f"{FIGURES}/{name}.png"
        parts.append(f'<figure><img src="{source}" alt="{escape(exhibit.caption)}"></figure>')
    return "\n".join(parts)


def summary(outcome: "Outcome") -> str:
    """How many claims have which verdict; at a scale that judges none, what it is for."""
    if not outcome.experiment.judges(outcome.scale):
        larger = [name for name in outcome.experiment.scales if outcome.experiment.judges(name)]
        return f"unjudged: this scale only shows that everything runs; {' and '.join(larger)} judge"
    return counted(outcome.rows)


def _row(row: "Judged") -> str:
    state = ", ".join(filter(None, (row.verdict.state, row.verdict.mark)))
    cells = [state, row.claim.sentence, row.verdict.text, row.claim.bar(row.scale), row.claim.paper]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _embedded(picture: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()
