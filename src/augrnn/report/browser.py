"""Pages as PDF, by a browser of this machine."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from augrnn.errors import UserError

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
"""Programs that print pages without a window, in the order in which they are looked for."""

CHOSEN = "AUGRNN_BROWSER"
"""The variable that names one, by its path or name."""

DRAWING = 60_000
"""Milliseconds of a page's own clock that its charts may take; it runs as fast as they are drawn."""

PATIENCE = 300
"""Seconds after which a browser is given up."""


def browser() -> str:
    """The program that prints pages.

    Raises:
      UserError: there is none.
    """
    chosen = os.environ.get(CHOSEN)
    found = next((path for name in ([chosen] if chosen else NAMES) if (path := shutil.which(name))), None)
    if found is None and chosen:
        raise UserError(f"{CHOSEN} names {chosen}, and there is no such program")
    if found is None:
        raise UserError(
            f"--pdf needs a browser, and there is none of {', '.join(NAMES)}; {CHOSEN} may name one like these"
        )
    return found


def printed(page: Path, program: str) -> bytes:
    """A page as PDF, once its scripts have drawn it.

    Args:
      page: the file, in a folder that can be written.
      program: the browser.

    Raises:
      UserError: the browser gives none.
    """
    pdf = page.with_suffix(".pdf")
    # A browser that is open already would take the page over; one that ends may still be writing its profile.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            program,
            "--headless",
            "--disable-gpu",
            f"--user-data-dir={profile}",
            "--no-first-run",
            "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
            "--window-size=1000,1400",
            f"--virtual-time-budget={DRAWING}",
            f"--print-to-pdf={pdf.resolve()}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired as error:
            raise UserError(f"{program} has not printed the report in {PATIENCE} s") from error
        except OSError as error:
            raise UserError(f"{program} cannot be started: {error.strerror}") from error
    content = pdf.read_bytes() if pdf.is_file() else b""
    if not content.startswith(b"%PDF"):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(f"{program} gave no PDF, exit status {done.returncode}{f': {said[-1]}' if said else ''}")
    return content
