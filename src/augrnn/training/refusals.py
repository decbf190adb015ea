"""One clear line for a user's mistake, wherever a library noticed it."""

import contextlib
import inspect
import os
import re
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import lightning as L
import torch
import yaml
from jsonargparse import ArgumentError
from lightning.fabric.utilities.exceptions import MisconfigurationException

from augrnn.dotted import named
from augrnn.errors import UserError
from augrnn.files import DISK_FULL, explained
from augrnn.known_names import near
from augrnn.yaml_files import BARE, parsed, read_config

TRACEBACK = "AUGRNN_TRACEBACK"
"""Set this environment variable to 1 to see where a library refused something."""

NO_MEMORY = "DefaultCPUAllocator: can't allocate memory"
"""What torch says, in an error without a class of its own, where the machine's memory does not suffice."""

REFUSING = ("lightning", "jsonargparse", "torch.optim")
"""Libraries whose errors are refusals of what they were given. torch's other errors are faults of a model's code."""

REFUSALS = (ValueError, RuntimeError, MisconfigurationException, ModuleNotFoundError)
"""What they raise to refuse, and TypeErrors of a `raise` of theirs; other errors are faults of code, and stay."""

TOP = ("config", "seed_everything", "trainer", "model", "data", "ckpt_path", "verbose", "weights_only", "print_config")
"""The options of LightningCLI that have no parent."""


@contextlib.contextmanager
def one_clear_line() -> Iterator[None]:
    """Turn what the libraries raise for a user's mistake into a UserError of one line.

    An error is a library's refusal by where it was raised: in a function of Lightning, its parser or torch's
    optimizers, not in a function of this package or in torch's tensor operations.
    """
    try:
        yield
    except Exception as error:
        line = _line(error)
        if line is None:
            raise
        if os.environ.get(TRACEBACK, "0") not in ("", "0"):
            traceback.print_exception(error)
        raise UserError(line) from error


def _line(error: Exception) -> str | None:
    """What to tell the user of an error; None where it is not a user's mistake, or tells all by itself."""
    if isinstance(error, ArgumentError):
        return parsing(str(error))
    if isinstance(error, RuntimeError) and "loading state_dict" in str(error):
        return "the checkpoint is of another model than the config's: its parameters differ"
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or NO_MEMORY in str(error):
        return f"there is not enough memory: take smaller batches, shorter sequences or a smaller model{_shown()}"
    if isinstance(error, OSError):
        return _of_a_file(error)
    on_purpose = isinstance(error, TypeError) and _raising(error)
    if (on_purpose or isinstance(error, REFUSALS)) and _raised_in(error).startswith(
        tuple(f"{name}." for name in REFUSING)
    ):
        return f"{_flat(str(error))}{_shown()}"
    return None


def _of_a_file(error: OSError) -> str | None:
    """What to tell the user of a file that is missing or that the disk has no room for; None of others."""
    if isinstance(error, FileNotFoundError):
        return _flat(str(error))
    if error.errno in DISK_FULL:
        return f"cannot write {error.filename or 'a file'}: {explained(error)}"
    return None


def _shown() -> str:
    return f" ({TRACEBACK}=1 shows where)"


def _raised_in(error: Exception) -> str:
    """The module of the function that raised an error."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return f"{frames[-1].f_globals.get('__name__', '')}." if frames else ""


def _raising(error: Exception) -> bool:
    """Whether a `raise` made an error, and not an operation that failed."""
    return (traceback.extract_tb(error.__traceback__)[-1].line or "").startswith("raise ")


def root_of(error: BaseException) -> BaseException:
    """The error that an error was raised for, in the end; a UserError says all there is to say."""
    while not isinstance(error, UserError) and (cause := error.__cause__ or error.__context__):
        error = cause
    return error


def _flat(message: str) -> str:
    return " ".join(message.split())


# What the parser says ------------------------------------------------------------------------------------------------


def parsing(message: str) -> str:
    """What a parser's message says of the innermost option that it could not take, in one line without types."""
    keys = re.findall(r'Parser key "([^"]+)"', message)
    classes = re.findall(r"given class_path '([^']+)'", message)
    if unknown := re.search(r"(?:Key|Option) [\"']([\w.]+)[\"'] is not (?:accepted|expected)", message):
        owner = f"{classes[-1]} has" if classes else "there is"
        return f"{owner} no option {unknown[1]}{_near(unknown[1], classes)}"
    if unknown := re.match(r"unrecognized arguments: (?:--)?([\w.]+)", message):
        return f"there is no option {unknown[1]}{_near(unknown[1], [])}"
    if missing := re.match(r"the following arguments are required: (.*)", message):
        names = missing[1].replace("fit.", "").replace("validate.", "").replace("test.", "")
        return f"there is no {names.replace(', ', ' and no ')}: name a config with --config FILE"
    value = re.search(r"(?:Given value|Got value): (?!NestedArg|Namespace)(.*?)(?:\. Got value.*)?$", message, re.M)
    problems = re.findall(r"Problem with given class_path '([^']+)':\s*([^\n]+)", message)
    if problems and not problems[-1][1].startswith("Parser key"):
        return f"{problems[-1][0]}: {problems[-1][1]}"
    if value and keys:
        return f"{'.'.join(keys)} cannot be {value[1].strip()}: {_wanted(message[: value.start()])}"
    return _flat(message).split(" Given value")[0].split(" - Expected a <class")[0]


def _wanted(text: str) -> str:
    """What the innermost option takes."""
    text = text.rpartition("Parser key")[2]
    kinds = re.findall(r"Expected a (?:<class '([^']+)'>|typing\.Literal\[([^\]]*)\])", text)
    names = [kind.rpartition(".")[2].replace("NoneType", "null") or literal for kind, literal in kinds]
    if "dot import path" in text and set(names) <= {"null"}:
        return "it takes a class, by its whole path (augrnn.tasks.copy.Copy)"
    return f"it takes {' or '.join(dict.fromkeys(names))}" if names else _flat(text.partition(":")[2])


def _near(name: str, classes: Sequence[str]) -> str:
    """The option that a misspelt one may be."""
    *parents, last = name.split(".")
    known: list[str] = list(TOP)
    if classes:
        with contextlib.suppress(UserError):
            known = list(inspect.signature(named(classes[-1], object, "class")).parameters)
    elif parents:
        known = list(inspect.signature(L.Trainer).parameters) if parents == ["trainer"] else ["class_path", "init_args"]
    found = near(last, known)[:1]
    return f"; did you mean {'.'.join([*parents, *found])}?" if found else ""


def require_configs(words: Sequence[str]) -> None:
    """Refuse a config among a command's words that is no YAML mapping, with its name; the parser would not give it.

    As LightningCLI has it, settings may stand in place of the name of a file.

    Raises:
      UserError: names the first of them.
    """
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, given, name = word.partition("=")
        if option != "--config":
            continue
        name = name if given else following
        if os.path.exists(name):
            if not read_config(Path(name)):
                raise UserError(f"the config {name} {BARE}")
        elif not _settings(name):
            raise UserError(f"there is no config {name}")


def _settings(text: str) -> bool:
    """Whether a text has settings itself, which the parser takes as well as a path."""
    try:
        return isinstance(parsed(text), dict)
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
