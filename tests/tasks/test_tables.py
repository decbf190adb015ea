"""Questions about tables: answers found from the written question alone, on Python's lists."""

import itertools
from collections import Counter
from typing import Any

import pytest
import torch

from augrnn.errors import UserError
from augrnn.tasks.table_questions import CONDITIONS, ENDINGS, PHRASES, TableBatch, Template, templates
from augrnn.tasks.tables import LETTERS, Tables, TableTexts
from augrnn.text.token_batches import EOS


def small(**options: Any) -> Tables:
    sizes = {"min_rows": 3, "max_rows": 6, "largest": 5.0, "test_rows": 7, "test_largest": (5.0, 10.0)}
    return Tables(**(sizes | {"test_questions": 100, "batch_size": 10} | options))


def columns_of(template: Template) -> list[int]:
    """The columns that a question is about."""
    named = [(template.first, template.first_column), (template.logic, template.second_column)]
    return [column for there, column in named if there] + [template.column] * (ENDINGS[template.ending] != "count")


WAYS = {phrase: name for name, phrases in PHRASES.items() for phrase in phrases}


def taken(words: list[str]) -> str:
    """What the first words say, which are taken away: the longest phrase that fits."""
    for length in (2, 1):
        if " ".join(words[:length]) in WAYS:
            name = WAYS[" ".join(words[:length])]
            del words[:length]
            return name
    raise AssertionError(words)


def answer(question: str, columns: list[str], numbers: list[list[float]], words: list[list[int]]) -> Any:
    """The answer to a question as it is written: a number, or the set of its cells."""
    left, rows = question.split(), range(len(numbers))

    def condition() -> set[int]:
        kind, value = taken(left), left.pop(0)
        column = columns.index(left.pop(0))
        if kind == "match":
            return {row for row in rows if f"w{words[row][column]}" == value}
        return {row for row in rows if (numbers[row][column] > float(value)) == (kind == "greater")
                and numbers[row][column] != float(value)}  # fmt: skip

    def starts(*names: str) -> bool:
        return bool(left) and WAYS.get(left[0], WAYS.get(" ".join(left[:2]))) in names

    chosen = set(rows)
    if starts("greater", "lesser", "match"):
        chosen = condition()
        if starts("and", "or"):
            both = taken(left) == "and"
            other = condition()
            chosen = chosen & other if both else chosen | other

    def ending() -> float | set[tuple[int, int]]:
        kind = taken(left)
        if kind == "count":
            return float(len(chosen))
        column = columns.index(left.pop(0))
        if kind == "sum":
            return sum(numbers[row][column] for row in chosen)
        return {(row, column) for row in chosen}

    if starts("less"):
        taken(left)
        first, second = ending(), ending()
        found: Any = first - second  # type: ignore[operator]
    else:
        found = ending()
    assert not left
    return found


def require_right_answers(task: Tables, batch: TableBatch) -> None:
    """The batch's answers are those to its questions as they are written."""
    for b, question in enumerate(task.texts(batch)):
        columns = [task.vocabulary[name] for name in batch.table.names_BC[b].tolist()]
        numbers = [[round(cell, 1) for cell in row] for row in batch.table.numbers_BRC[b].tolist()]
        found = answer(question, columns, numbers, batch.table.words_BRC[b].tolist())
        if batch.number_asked_B[b]:
            assert float(batch.number_B[b]) == pytest.approx(found, abs=1e-4)
            assert not batch.cells_BRC[b].any()
        else:
            assert {tuple(cell) for cell in batch.cells_BRC[b].nonzero().tolist()} == found


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"number_columns": 3},
        {"number_columns": 2, "word_columns": 2, "entries": 3},
        {"number_columns": 2, "word_columns": 1, "wording": "many", "held_out": 0.3},
    ],
)
def test_answers_follow_from_the_written_questions(options: dict[str, Any]) -> None:
    task = small(**options)
    for batch in (task.sample(300, 6, 5.0, 0), task.draw(3), next(iter(task.test_sets()["10"]))):
        require_right_answers(task, batch)


def test_there_are_as_many_templates_as_in_the_paper() -> None:
    assert [len(templates(columns, 0)) for columns in (1, 3, 5, 10)] == [23, 307, 1231, 8861]
    assert len(set(templates(2, 2))) == len(templates(2, 2))


def test_templates_are_drawn_evenly() -> None:
    batch = small().sample(23_000, 2, 5.0, 0)
    counts = Counter(map(tuple, batch.template_BS.tolist()))
    assert len(counts) == 23
    assert all(abs(count - 1000) < 4 * 1000**0.5 for count in counts.values())


def test_two_conditions_on_one_column_select_between_or_outside() -> None:
    batch = small().sample(2000, 4, 5.0, 0)
    low = batch.question.numbers_BN
    seen = 0
    for template_S, pivots in zip(batch.template_BS.tolist(), low.tolist(), strict=True):
        template = Template(*template_S)
        if template.logic:
            rising = pivots if CONDITIONS[template.first] == "greater" else pivots[::-1]
            assert (rising[0] <= rising[1]) == (template.logic == 1) or pivots[0] == pivots[1]
            seen += 1
    assert seen > 500


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_a_share_of_differences_is_that_of_training_alone(share: float) -> None:
    sizes = {"number_columns": 2, "held_out": 0.1, "batch_size": 1000}
    task, even = small(**sizes, differences=share), small(**sizes)
    asked = ["difference" in text for text in task.texts(task.draw(0))]
    assert sum(asked) / len(asked) == pytest.approx(share, abs=0.05)
    assert task.texts(task.validation_questions(0)) == even.texts(even.validation_questions(0))
    assert task.texts(task.test_questions("5", 0)) == even.texts(even.test_questions("5", 0))


def test_lessons_bound_the_numbers_of_training_alone() -> None:
    task = small(batch_size=200, largest=5.0, lessons=((2, 1.0), (4, 20.0)), examples=600)
    largest = [float(task.draw(number).table.numbers_BRC.abs().max()) for number in range(6)]
    assert [round(each) for each in largest] == [5, 5, 1, 1, 20, 20]
    assert float(task.validation_questions(0).table.numbers_BRC.abs().max()) == pytest.approx(5, abs=0.2)
    plain = small(batch_size=200, largest=5.0, examples=600)
    assert all(torch.equal(one, other) for one, other in zip(task.draw(1).table, plain.draw(1).table, strict=True))


@pytest.mark.parametrize("options", [{}, {"word_columns": 2}, {"wording": "many"}, {"differences": 0.5}])
def test_lessons_about_few_columns_are_those_of_training_alone(options: dict[str, Any]) -> None:
    columns = 3 + options.get("word_columns", 0)
    options = {"number_columns": 3, "held_out": 0.2, "batch_size": 200, "examples": 600, **options}
    task = small(**options, column_lessons=((1, 1), (3, 2), (4, columns)))
    for number, width in enumerate([columns, 1, 1, 2, columns]):
        batch = task.draw(number)
        assert batch.table.numbers_BRC.shape[2] == batch.cells_BRC.shape[2] == batch.table.names_BC.shape[1] == width
        require_right_answers(task, batch)
        seen = {task.vocabulary[name] for name in batch.table.names_BC.flatten().tolist()}
        assert seen == set(task.columns)
        for names_C in batch.table.names_BC.tolist():
            assert names_C == sorted(set(names_C))
    plain = small(**options)
    assert task.texts(task.draw(0)) == plain.texts(plain.draw(0))
    assert task.texts(task.validation_questions(0)) == plain.texts(plain.validation_questions(0))
    assert task.texts(task.test_questions("5", 0)) == plain.texts(plain.test_questions("5", 0))


def test_lessons_about_few_columns_have_every_question_about_them_and_no_other() -> None:
    task = small(number_columns=3, word_columns=1, batch_size=4000, examples=None, column_lessons=((0, 2),))
    taught = {tuple(row) for number in range(3) for row in task.draw(number).template_BS.tolist()}
    wanted = {template for template in templates(3, 1) if len(set(columns_of(template))) <= 2}
    assert 100 < len(wanted) < len(templates(3, 1))
    assert taught == wanted


def test_columns_beside_those_asked_about_are_as_likely() -> None:
    task = small(number_columns=5, batch_size=2000, examples=None, column_lessons=((0, 3),))
    batch = task.draw(0)
    beside = Counter(
        task.vocabulary[name]
        for text, names_C in zip(task.texts(batch), batch.table.names_BC.tolist(), strict=True)
        for name in names_C
        if task.vocabulary[name] not in text
    )
    assert beside.total() > 500
    assert [beside[name] / beside.total() for name in task.columns] == pytest.approx([0.2] * 5, abs=0.04)


def test_lessons_about_few_columns_ask_nothing_that_is_held_out() -> None:
    task = small(number_columns=3, held_out=0.3, batch_size=500, column_lessons=((0, 1),))
    taught = {tuple(row) for number in range(10) for row in task.draw(number).template_BS.tolist()}
    tested = {tuple(row) for number in range(10) for row in task.test_questions("5", number).template_BS.tolist()}
    assert len(taught) > 30
    assert not taught & tested


def test_held_out_questions_are_in_the_test_sets_alone() -> None:
    def asked(batches: Any) -> set[tuple[int, ...]]:
        return {tuple(row) for batch in batches for row in batch.template_BS.tolist()}

    task = small(number_columns=3, held_out=0.1, examples=None, batch_size=100)
    trained = asked(task.draw(number) for number in range(60))
    tested = asked(batch for batches in task.test_sets().values() for batch in batches)
    assert 240 < len(trained) < 300
    assert not trained & tested
    assert not asked(task.validation_set()) & tested
    assert tested


def test_sets_of_all_templates_have_what_is_held_out_and_the_rest_as_often() -> None:
    task = small(number_columns=3, held_out=0.3, test_questions=6000)
    out = {tuple(row) for batch in task.test_sets()["10"] for row in batch.template_BS.tolist()}
    sets = task.sets_of_all_templates()
    assert sets.keys() == task.test_sets().keys()
    for name, batches in sets.items():
        asked = Counter(tuple(row) for batch in batches for row in batch.template_BS.tolist())
        assert len(asked) == 307
        assert sum(asked[each] for each in out) / 6000 == pytest.approx(len(out) / 307, abs=0.02)
        batch = next(iter(batches))
        assert batch.table.real_BR.shape[1] == task.test_rows
        assert batch.table.numbers_BRC.abs().max() == pytest.approx(float(name), rel=0.02)


def test_each_seed_holds_out_other_questions() -> None:
    task = small(number_columns=3, held_out=0.1)
    every = {tuple(row) for row in task.sample(20_000, 2, 5.0, 0).template_BS.tolist()}
    assert len(every) == 307
    out = []
    for seed in range(20):
        task = small(number_columns=3, held_out=0.1, batch_size=2000, examples=None, seed=seed)
        taught = {tuple(row) for number in range(4) for row in task.draw(number).template_BS.tolist()}
        validated = {tuple(row) for row in task.validation_questions(0).template_BS.tolist()}
        tested = {tuple(row) for number in range(10) for row in task.test_questions("5", number).template_BS.tolist()}
        assert not (taught | validated) & tested
        assert taught | tested == every
        out.append(tested)
    assert sum(map(len, out)) / 20 == pytest.approx(30.7, abs=4)
    assert len(set.union(*out)) > 240
    assert max(len(one & other) for one, other in itertools.combinations(out, 2)) < 15


def test_with_many_wordings_it_is_templates_in_their_wording() -> None:
    task = small(wording="many", held_out=0.1, examples=None, batch_size=100, test_questions=1000)

    def said(batches: Any) -> set[tuple[int, ...]]:
        return {tuple(filter(None, row)) for batch in batches for row in batch.question.words_BL.tolist()}

    trained, tested = said(task.draw(number) for number in range(60)), said(task.test_sets()["10"])
    assert not trained & tested
    assert {ENDINGS[template.ending] for template in templates(1, 0)} == set(ENDINGS)
    assert len(trained) > 700
    assert 50 < len(tested) < 0.2 * len(trained)


def test_sizes_bounds_and_examples() -> None:
    task = small(examples=40)
    for number in range(4):
        batch = task.draw(number)
        assert 3 <= batch.table.numbers_BRC.shape[1] <= 6
        assert float(batch.table.numbers_BRC.abs().max()) <= 5
        again = task.draw(number + 4)
        assert torch.equal(batch.table.numbers_BRC, again.table.numbers_BRC)
        assert torch.equal(batch.question.words_BL, again.question.words_BL)
    for name, batches in task.test_sets().items():
        (batch,) = batches
        assert batch.table.numbers_BRC.shape == (100, 7, 1)
        assert 0.8 * float(name) < float(batch.table.numbers_BRC.abs().max()) <= float(name)
    other = small(seed=1).draw(0)
    assert not torch.equal(other.number_B, small().draw(0).number_B)


def test_padding_is_on_the_left_and_places_point_at_what_is_left_of_a_number() -> None:
    task = small(number_columns=1, word_columns=1, wording="many")
    batch = task.sample(300, 4, 5.0, 0)
    words, question = batch.question.words_BL, batch.question
    assert (words[:, -1] != 0).all()
    assert (words != 0).long().diff(dim=1).min() >= 0
    assert (words[:, 0] != 0).any()
    for b in range(300):
        said = [task.vocabulary[word] for word in words[b].tolist()]
        for place in question.left_BN[b].tolist():
            assert place == -1 or said[place] in " ".join(PHRASES["greater"] + PHRASES["lesser"]).split()
        for place in question.places_BW[b].tolist():
            assert place == -1 or said[place] == "<entry>"


def test_an_answer_is_right_up_to_rounding_and_with_all_cells() -> None:
    batch = small().sample(60, 3, 5.0, 0)
    outputs = torch.zeros(4, 60, 4)
    outputs[-1, :, 0], outputs[-1, :, 1:] = batch.number_B * (1 + 5e-4), 0.9 * batch.cells_BRC.flatten(1)
    assert batch.right(outputs).all()
    assert (batch.scores(outputs)["wrong"] == 0).all()
    outputs[-1, :, 0] += 0.01 * batch.number_B.abs().clamp_min(1)
    outputs[-1, :, 1] = 1 - outputs[-1, :, 1]
    assert not batch.right(outputs).any()


def test_the_example_of_the_docstring() -> None:
    columns = ["A", "B", "C"]
    numbers, words = [[3, -7.5, 0], [1.5, 2.25, 0], [4, 1.25, 0]], [[-1, -1, 0], [-1, -1, 0], [-1, -1, 1]]
    assert answer("greater 2.5 A and is w0 C sum B", columns, numbers, words) == -7.5
    assert answer("greater 2.5 A or lesser -8 B print C", columns, numbers, words) == {(0, 2), (2, 2)}
    assert answer("difference sum A count", columns, numbers, words) == 5.5


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"number_columns": 0}, "number_columns of at least 1"),
        ({"word_columns": -1}, "word_columns of at least 0"),
        ({"wording": "two"}, "single or many, not two"),
        ({"held_out": 1.0}, "held_out from 0 to below 1"),
        ({"differences": 1.0}, "share of differences from 0 to below 1, not 1.0"),
        ({"differences": -0.1}, "share of differences from 0 to below 1"),
        ({"lessons": ((5, 1.0), (5, 2.0))}, "lessons that begin one after the other"),
        ({"lessons": ((-1, 1.0),)}, "lessons that begin one after the other"),
        ({"lessons": ((0, 0.0),)}, "at least .1"),
        ({"held_out": 1e-4}, "holds out none"),
        ({"column_lessons": ((5, 1), (5, 1))}, "column_lessons that begin one after the other"),
        ({"column_lessons": ((-1, 1),)}, "column_lessons that begin one after the other"),
        ({"column_lessons": ((0, 0.5),)}, "whole number for column_lessons"),
        ({"column_lessons": ((0.5, 1),)}, "whole number for column_lessons"),
        ({"column_lessons": ((0, 0),)}, "1 to all [0-9]+ columns, not of"),
        ({"column_lessons": ((0, 1), (5, 9))}, "1 to all [0-9]+ columns, not of"),
        ({"differences": 0.5, "held_out": 0.97}, "nearly all differences are held out"),
        (
            {"number_columns": 3, "held_out": 0.99, "column_lessons": ((0, 1),)},
            "nearly all questions about at most 1 columns are held out",
        ),
        ({"min_rows": 7}, "min_rows of at most max_rows, not 7 and 6"),
        ({"largest": 0.0}, "at least .1"),
        ({"test_largest": ()}, "at least .1"),
        ({"examples": 9}, "examples for a batch of 10"),
        ({"entries": 0}, "entries of at least 1"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        small(**options)


def test_a_batch_is_moved_whole() -> None:
    from augrnn.batches import moved

    batch = moved(small().draw(0), torch.device("meta"))
    assert isinstance(batch, TableBatch)
    assert batch.table.numbers_BRC.device.type == batch.question.words_BL.device.type == "meta"


# The same as texts ------------------------------------------------------------------------------------------------


def texts(**options: Any) -> TableTexts:
    sizes = {"min_rows": 2, "max_rows": 3, "largest": 5.0, "test_rows": 3, "test_largest": (5.0, 10.0)}
    return TableTexts(**(sizes | {"test_questions": 200, "batch_size": 10} | options))


def test_texts_spell_the_questions_the_tables_and_the_answers() -> None:
    task = texts(number_columns=2)
    drawn, batch = task.training_questions(5), task.draw(5)
    tokens = ["", "", "<end>", "", *LETTERS, *task.vocabulary]
    assert tokens.index("<end>") == EOS
    for b, question in enumerate(task.texts(drawn)):
        ids_L = batch.source.ids_BL[b][batch.source.mask_BL[b]].tolist()
        words = [tokens[token] for token in ids_L]
        assert words.pop() == "<end>"
        place = words.index("|")
        assert "".join(words[:place]) == question.replace(" ", "")
        cells = [float(cell) for cell in "".join(words[place + 1 :]).split("|")]
        assert cells == pytest.approx(drawn.table.numbers_BRC[b].flatten().tolist())
        target = [tokens[token] for token in batch.target_BM[b][batch.target_mask_BM[b]].tolist()]
        assert target.pop() == "<end>"
        assert float("".join(target)) == pytest.approx(float(drawn.number_B[b]), abs=1e-4)
        assert drawn.number_asked_B[b]
        assert max(batch.target_BM[b]) < task.target_vocabulary
        assert max(ids_L) < task.source_vocabulary


def test_answers_are_scored_to_the_last_letter_in_any_order() -> None:
    task = texts()
    wanted = {}
    for batch in task.test_sets()["10"]:
        for index, target_M in zip(batch.index_B.tolist(), batch.target_BM.tolist(), strict=True):
            wanted[index] = target_M[: target_M.index(EOS)]
    assert sorted(wanted) == list(range(200))
    order = sorted(wanted, key=lambda index: -index)
    assert task.score([wanted[index] for index in order], order, "10") == {"right": 1.0}
    assert task.score([[*wanted[index], EOS, 7] for index in order], order, "10") == {"right": 1.0}
    wrong = [wanted[index][:-1] if index < 50 else wanted[index] for index in order]
    assert task.score(wrong, order, "10") == {"right": 0.75}
    assert task.score([wanted[0]], [0], "val")["right"] in (0.0, 1.0)
