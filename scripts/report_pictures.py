#!/usr/bin/env python3
"""Takes the pictures of the report that README shows, docs/report-claims.png, -attention.png and -machine.png.

scripts/report_pictures.py FOLDER     # where `augrnn report --committed --out FOLDER` has written it
"""

import io
import os
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
WIDTH = 1000
PICTURES = {
    "report-claims.png": ("index.html", ".legend", ".bars"),
    "report-attention.png": (
        "try/attention.html",
        "#answer",
        "#figure [aria-label^='Probabilities of the next unit. ']",
    ),
    "report-machine.png": ("try/ntm.html", "#figure", "#figure .controls"),
}
"""For each picture a page, and the elements with which it begins and ends."""


def main(folder: Path) -> None:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        for name, (page_name, first, last) in PICTURES.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
            page.goto((folder / page_name).resolve().as_uri())
            begin, end = (page.locator(each).first.bounding_box() for each in (first, last))
            top = begin["y"] - 8
            clip = {"x": 0, "y": top, "width": WIDTH, "height": end["y"] + end["height"] + 8 - top}
            shot = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))
            shot.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(DOCS / name, "PNG", optimize=True)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
