"""A report of the committed records, and a browser that opens its pages from the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from augrnn.report.browser import NAMES
from augrnn.report.build import report_files, write_report
from augrnn.report.contents import Shown, shown

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EXPERIMENTS = Path(__file__).parents[2] / "experiments"

Open = Callable[..., "Page"]


@pytest.fixture(scope="session")
def committed() -> list[Shown]:
    """All experiments of the repository, as they are committed."""
    return shown([EXPERIMENTS], None)


@pytest.fixture(scope="session")
def site(committed: list[Shown], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their report."""
    folder = tmp_path_factory.mktemp("report")
    write_report(report_files(committed), folder)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("needs a Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Opens a file in a page of its own; no page may have said an error by the end."""
    contexts, errors = [], []

    def open_file(path: Path, fragment: str = "", width: int = 1440, dark: bool = False, touch: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", has_touch=touch
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", lambda request: errors.append(f"cannot load {request.url[:200]}"))
        page.goto(path.resolve().as_uri() + fragment)
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert errors == []
