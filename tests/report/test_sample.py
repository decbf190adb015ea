"""docs/report, which a static host can serve, is what the committed records give."""

from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.report.build import report_files

if TYPE_CHECKING:
    from augrnn.report.contents import Shown


def test_the_report_in_docs_is_up_to_date(committed: "list[Shown]", root: Path) -> None:
    folder = root / "docs" / "report"
    kept = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    expected = report_files(committed)
    hint = "run `rm -r docs/report; augrnn report --committed --out docs/report`"
    assert set(kept) == set(expected), hint
    assert [name for name, content in expected.items() if kept[name] != content] == [], hint
    assert sum(map(len, kept.values())) < 5_000_000
