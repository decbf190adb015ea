import pytest

from augrnn.dotted import named, path_of
from augrnn.errors import UserError
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.text_table import TextTable


def test_a_class_is_found_by_its_path_and_has_that_path() -> None:
    assert named("augrnn.exhibits.text_table.TextTable", Exhibit, "kind") is TextTable
    assert path_of(TextTable) == "augrnn.exhibits.text_table.TextTable"


@pytest.mark.parametrize("path", ["", "TextTable", "augrnn.exhibits.nowhere.A", "augrnn.exhibits.text_table.A", ".A"])
def test_a_path_that_leads_nowhere_is_one_line(path: str) -> None:
    with pytest.raises(UserError, match=f"there is no kind called {path}:"):
        named(path, Exhibit, "kind")


@pytest.mark.parametrize("path", ["augrnn.errors.UserError", "augrnn.dotted.named"])
def test_what_is_no_such_class_is_one_line(path: str) -> None:
    with pytest.raises(UserError, match=f"{path} is no kind: it must be a subclass of augrnn.exhibits.exhibit.Exhibit"):
        named(path, Exhibit, "kind")
