"""Numbers of things on the command line."""

from collections.abc import Callable

from augrnn.errors import UserError


def count(option: str, most: int) -> Callable[[str], int]:
    """A reader of an option's text, for argparse: whole numbers from 1 to `most`, else a UserError of one line."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most:
            return int(text)
        raise UserError(f"{option} must be a whole number from 1 to {most:,}, not {text[:40]!r}")

    return read
