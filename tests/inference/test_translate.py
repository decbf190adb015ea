"""The command `translate`, on a corpus and on runs small enough to make here."""

import io
import json
import math
import pickle
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
import torch
import yaml

import augrnn
from augrnn.checkpoints import CONFIG_KEY
from augrnn.cli import main
from augrnn.errors import UserError
from augrnn.inference.load import Model, load
from augrnn.inference.translate import Translated, Translator, replaced
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.text.token_batches import EOS, PairBatch
from tests.inference.translators import LAST, changed, copied, corpus, made, part, randomised

TEXT = "A pink hat is in the old house.\n\nThe dog.\nA red dog is old.\r\n  \nA ball."


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of a small corpus."""
    return corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def run(data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("run") / "seed-0", data)


@pytest.fixture(scope="module")
def another(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return randomised(copied(run, tmp_path_factory.mktemp("another") / "seed-1"), seed=1)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text"
    path.write_bytes(TEXT.encode())
    return path


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Any:
    def lines(*words: object) -> list[str]:
        assert main(["translate", *map(str, words)]) == 0
        return capsys.readouterr().out.removesuffix("\n").split("\n")

    return lines


@pytest.fixture(autouse=True)
def _models_are_built_once(run: Path, another: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Building them from their configs takes most of the time; tests that change a run have one of their own.
    def loaded(folder: Path, checkpoints: Sequence[Path] = (), *parts: Any) -> Model:
        return load_once(folder) if folder in (run, another) and not checkpoints else load(folder, checkpoints, *parts)

    monkeypatch.setattr("augrnn.inference.load.load", loaded)


load_once = cache(load)


def alignments(path: Path) -> list[dict[str, Any]]:
    def refused(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(path.read_text(), parse_constant=refused)


# What comes out ------------------------------------------------------------------------------------------------------


def test_lines_keep_their_order_and_blank_ones_stay_blank(
    run: Path, text: Path, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = told("--run", run, text)
    assert [bool(line) for line in lines] == [True, False, True, True, False, True]
    for number, sentence in enumerate(TEXT.split("\n")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sentence.encode() + b"\n")))
        assert told("--run", run) == [lines[number]]
    assert len(set(lines)) == 5


def test_the_best_are_what_predict_gives(run: Path, text: Path, told: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(run), str(text)]) == 0
    predicted = capsys.readouterr().out.removesuffix("\n").split("\n")
    assert told("--run", run, text) == predicted
    assert told("--run", run / LAST, text) == predicted


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("the man 's hat .", True),
        ("he &apos;s here\n\n", True),
        ("A red dog is old.\n\nA ball.", False),
        ("Oui : très !", False),
    ],
)
@pytest.mark.parametrize("command", ["translate", "predict"])
def test_text_in_tokens_is_told_and_translated(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: str, said: bool, command: str
) -> None:
    (tmp_path / "text").write_text(lines)
    assert main([command, *(["--run"] if command == "translate" else []), str(run), str(tmp_path / "text")]) == 0
    out, err = capsys.readouterr()
    assert (
        err.splitlines() == ["augrnn: the text seems to be in tokens already, and is cut again: give raw text"] * said
    )
    assert len(out.removesuffix("\n").split("\n")) == len(lines.removesuffix("\n").split("\n"))


def test_the_same_text_in_other_characters_is_translated_alike(run: Path, tmp_path: Path, told: Any) -> None:
    plain = "A pink hat is in the old house."
    odd = ["\ufeffA pink hat is in the old house.", "A p\u00adink\u200b hat is in\u00a0the old\u2060 house.", "\u200b"]
    (tmp_path / "text").write_text("\n".join([plain, *odd]))
    lines = told("--run", run, tmp_path / "text")
    assert lines == [lines[0]] * 3 + [""]


def test_a_list_of_the_best_is_as_moses_writes_it(run: Path, text: Path, told: Any) -> None:
    lines = told("--run", run, text, "--best", 3, "--beam", 4)
    rows = [line.split(" ||| ") for line in lines]
    assert all(len(row) == 3 for row in rows)
    assert [int(number) for number, _, _ in rows] == [0, 0, 0, 1, 2, 2, 2, 3, 3, 3, 4, 5, 5, 5]
    assert rows[3][1:] == ["", "0.0000"]
    for line in (0, 2, 3, 5):
        scores = [float(score) for number, _, score in rows if int(number) == line]
        assert scores == sorted(scores, reverse=True)
    best = told("--run", run, text, "--beam", 4)
    assert [next(row[1] for row in rows if int(row[0]) == line) for line in range(6)] == best


def test_the_search_can_be_another_than_the_runs(run: Path, text: Path, told: Any) -> None:
    plain = told("--run", run, text)
    assert told("--run", run, text, "--beam", 5, "--length-penalty", 1) == plain
    assert told("--run", run, text, "--beam", 1) != plain
    assert told("--run", run, text, "--length-penalty", 9) != plain


def test_the_run_is_left_as_it_is(run: Path, text: Path, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def content() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in [run, *run.rglob("*")]}

    before = content()
    monkeypatch.chdir(text.parent)
    told("--run", run, text)
    assert content() == before
    assert list(text.parent.iterdir()) == [text]


# Alignments ----------------------------------------------------------------------------------------------------------


def test_alignments_are_between_words_and_sum_to_one(run: Path, text: Path, told: Any, tmp_path: Path) -> None:
    lines = told("--run", run, text, "--best", 2, "--alignments", tmp_path / "new" / "a.json")
    entries = alignments(tmp_path / "new" / "a.json")
    assert [(each["line"], each["rank"]) for each in entries] == [(n, rank) for n in (0, 2, 3, 5) for rank in (0, 1)]
    codec = load(run).codec
    scores = [line.rpartition(" ")[2] for line in lines if not line.startswith(("1 ", "4 "))]
    for each, score in zip(entries, scores, strict=True):
        assert set(each) == {*Translated._fields, "weights"} - {"weights_ML"}
        assert f"{each['score']:.4f}" == score
        assert each["text"] == codec.target.line(each["target"])
        assert f"{each['line']} ||| {each['text']} ||| {score}" in lines
        assert "".join(each["target_pieces"]).replace("▁", " ").split() == each["target"]
        weights = np.array(each["weights"]).reshape(-1, len(each["source"]))
        assert len(weights) == len(each["target"]) > 0
        assert weights.sum(1) == pytest.approx(np.ones(len(weights)), abs=1e-3)
    assert entries[0]["source"] == ["a", "pink", "hat", "is", "in", "the", "old", "house", ".", "<eos>"]
    assert len(entries[0]["source_pieces"]) > len(entries[0]["source"])


def test_there_is_a_picture_for_each_line(run: Path, text: Path, told: Any, tmp_path: Path) -> None:
    told("--run", run, text, "--best", 2, "--pictures", tmp_path / "pictures")
    paths = sorted((tmp_path / "pictures").iterdir())
    assert [path.name for path in paths] == ["0.png", "2.png", "3.png", "5.png"]
    for path in paths:
        assert len(np.unique(matplotlib.image.imread(path)[..., 0])) > 20


def test_words_that_look_like_formulas_are_drawn(run: Path, told: Any, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a $ x_ $$ ^ \\alpha $_$\n")
    told("--run", run, tmp_path / "text", "--pictures", tmp_path)
    assert (tmp_path / "0.png").exists()


@pytest.mark.parametrize("words", ["小 狗", "हिन्दी", "犬は 한국어"])
def test_what_no_font_draws_is_one_line_on_standard_error(
    words: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("augrnn.exhibits.fonts._regular", list)
    monkeypatch.setattr("augrnn.exhibits.fonts._told", set())
    (tmp_path / "text").write_text(f"A pink {words} hat is in the old house.\n" * 2)
    assert main(["translate", "--run", str(run), str(tmp_path / "text"), "--pictures", str(tmp_path)]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("no installed font can draw ")
    assert (tmp_path / "1.png").exists()


def test_an_unknown_word_becomes_the_source_word_it_looked_at() -> None:
    weights = np.array([[0.9, 0.1, 0.0, 0.0], [0.1, 0.0, 0.2, 0.7], [0.4, 0.6, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    found = Translated(0, 0, ["a", "☃", "b", "<eos>"], ["x", "<unk>", "<unk>-y", "z"], -1.0, weights, [], [])
    assert replaced(found).target == ["x", "b", "☃", "z"]
    assert replaced(found)._replace(target=found.target) == found


def test_no_unknown_word_is_left(data: dict[str, Any], text: Path, told: Any, tmp_path: Path) -> None:
    run = randomised(made(tmp_path / "run", data | {"units": "words", "vocabulary": 18}), unknown=9.0)
    assert any("<unk>" in line for line in told("--run", run, text))
    lines = told("--run", run, text, "--replace-unknown", "--alignments", tmp_path / "a.json")
    assert not any("<unk>" in line for line in lines)
    for each in alignments(tmp_path / "a.json"):
        unknown = [place for place, piece in enumerate(each["target_pieces"]) if piece == "<unk>"]
        for place in unknown:
            looked = int(np.argmax(each["weights"][place][:-1]))
            assert each["target"][place] == each["source"][looked]


# Several models ------------------------------------------------------------------------------------------------------


def test_a_run_twice_is_the_run_once_and_two_runs_are_not(run: Path, another: Path, text: Path, told: Any) -> None:
    once = told("--run", run, text)
    assert told("--run", run, "--run", run, text) == once
    both = told("--run", run, "--run", another, text)
    assert both == told("--run", another, "--run", run, text)
    assert both not in (once, told("--run", another, text))


def test_checkpoints_are_averaged(run: Path, another: Path, text: Path, told: Any, tmp_path: Path) -> None:
    paths = [folder / LAST for folder in (run, another)]
    lines = told("--run", run, "--checkpoint", paths[0], "--checkpoint", paths[1], text)
    assert told("--run", run, "--checkpoint", paths[0], text) == told("--run", run, text)
    mean = copied(run, tmp_path / "mean")
    contents = [torch.load(path) for path in paths]
    weights = {name: (one + contents[1]["state_dict"][name]) / 2 for name, one in contents[0]["state_dict"].items()}
    # What training chose goes before what it ended with.
    torch.save(contents[0] | {"state_dict": weights}, mean / "checkpoints" / "model.ckpt")
    assert told("--run", mean, text) == lines != told("--run", run, text)


def test_it_is_a_library_too(run: Path) -> None:
    found = augrnn.load(run).translate(TEXT.split("\n"), best=2)
    assert [len(translations) for translations in found] == [2, 0, 2, 2, 0, 2]
    assert [each.rank for each in found[0]] == [0, 1]
    assert EOS not in found[0][0].target


@pytest.mark.parametrize("line", ["A pink hat.", "", " \t ", "A dog.\nA ball."])
def test_a_sentence_is_as_a_list_of_one(run: Path, line: str) -> None:
    model = augrnn.load(run)
    alone, [one] = model.translate(line), model.translate([line])
    assert alone.text == one.text == model.predict(line) == model.predict([line])[0]
    assert alone.score == one.score
    assert bool(alone.text) == bool(line.strip())
    assert model.translate(each for each in [line])[0].text == alone.text


def test_a_translation_shows_itself(run: Path) -> None:
    found = augrnn.load(run).translate("A <b> & pink hat.", best=2)
    assert repr(found).splitlines() == [f"{each.text} ({each.score:.4f})" for each in found]
    html = found._repr_html_()
    assert "<b>" not in html
    assert html.count("<tr>") == 3 + 1 + len(found[0].target)
    assert html.count("background:rgba") == found[0].weights_ML.size
    shown = found.exhibit()
    assert shown.sides == ("source", "target (the model's)")
    assert (shown.sources[0], shown.targets[0]) == (tuple(found[0].source), tuple(found[0].target))
    assert len(shown.figure().axes) == 2  # the map, and the scale of its colours


def test_what_cannot_be_shown_is_said(run: Path, data: dict[str, Any], tmp_path: Path) -> None:
    blind = augrnn.load(made(tmp_path / "run", data, attention=False))
    for found in (augrnn.load(run).translate(""), blind.translate("A dog."), blind.translate("A dog.")[0]):
        with pytest.raises(UserError, match="no alignment to show"):
            found.exhibit()
    assert "rgba" not in blind.translate("A dog.")._repr_html_()


@pytest.mark.parametrize(
    "search",
    [{"best": True}, {"beam": 2.5}, {"beam": "4"}, {"length_penalty": "long"}, {"memory": "much"}, {"memory": None}],
)
def test_a_search_by_what_is_no_number_is_refused(run: Path, search: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="a search"):
        augrnn.load(run).translate("A dog.", **search)


def test_half_a_character_is_refused(run: Path) -> None:
    with pytest.raises(UserError, match="half a character"):
        augrnn.load(run).translate(["A dog.", "A \udc80 ball."])


@pytest.mark.parametrize("lines", [[None], ["A dog.", b"A ball."], [3.5]])
def test_what_is_no_text_is_refused(run: Path, lines: list[Any]) -> None:
    with pytest.raises(UserError, match="sentences are text"):
        augrnn.load(run).translate(lines)


# Memory --------------------------------------------------------------------------------------------------------------


def test_a_search_keeps_to_its_memory(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = augrnn.load(run)
    monkeypatch.setattr(model.codec, "batch_size", 64)
    lines = ["A dog."] * 20 + ["A pink hat is in the old house."] * 20 + ["A red dog is old. " * 20]
    sizes: list[tuple[int, int]] = []
    searched = EncoderDecoder.search

    def watched(system: EncoderDecoder, batch: PairBatch) -> Any:
        sizes.append(tuple(batch.source.ids_BL.shape))
        return searched(system, batch)

    monkeypatch.setattr(EncoderDecoder, "search", watched)
    plain = model.translate(lines)
    assert sum(rows for rows, _ in sizes) == len(lines)
    assert sizes[-1][0] == 1  # the long line is alone
    longest, system = sizes[-1][1], model.system
    assert isinstance(system, EncoderDecoder)
    for room in (system.search_bytes(longest, 5), 3 * system.search_bytes(longest, 5)):
        sizes.clear()
        bounded = model.translate(lines, memory=room / 2**30)
        assert all(rows * system.search_bytes(columns, 5) <= room for rows, columns in sizes)
        assert [each.text for each in bounded] == [each.text for each in plain]
    with pytest.raises(UserError, match=f"line 41 has {longest} units of the vocabulary: with a beam of 5 its search"):
        model.translate(lines, memory=(room // 3 - 1) / 2**30)


def test_a_line_of_ten_thousand_words_is_named_before_anything_is_searched(run: Path) -> None:
    for words in ("dog " * 10_000, "d" * 10_000, "☃ " * 10_000):
        with pytest.raises(UserError, match=r"line 2 has \d{5} units"):
            augrnn.load(run).translate(["A dog.", words])


# Mistakes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--run", "nowhere", "{text}"], "nowhere is neither a run's folder nor a checkpoint"),
        (["--run", "{run}", "nowhere"], "cannot read nowhere"),
        (["--run", "{run}", "{folder}"], "cannot read"),
        (["--run", "{run}", "{empty}"], "nothing to translate"),
        (["--run", "{run}", "{latin}"], "is not UTF-8 text (byte 0xe9 on line 2)"),
        (
            ["--run", "{run}", "--beam", "1000000", "{text}"],
            "beam of 1000000 is wider than the target vocabulary of 45",
        ),
        (["--run", "{run}", "--beam", "46", "{text}"], "beam of 46 is wider"),
        (["--run", "{run}", "--memory", "0", "{text}"], "above 0, not 0"),
        (["--run", "{run}", "--memory", "nan", "{text}"], "above 0, not nan"),
        (["--run", "{run}", "--memory", "1e-9", "{text}"], " units of the vocabulary"),
        (["--run", "{run}", "--best", "6", "{text}"], "best 6, beam 5"),
        (["--run", "{run}", "--best", "0", "{text}"], "--best must be a whole number"),
        (["--run", "{run}", "--beam", "0", "{text}"], "--beam must be a whole number"),
        (["--run", "{run}", "--length-penalty", "nan", "{text}"], "length penalty nan"),
        (["--run", "{run}", "--checkpoint", "nowhere", "{text}"], "cannot read the checkpoint nowhere"),
        (["--run", "{run}", "--checkpoint", "{latin}", "{text}"], "is not a checkpoint"),
        (["--run", "{run}", "--run", "{run}", "--checkpoint", "{latin}", "{text}"], "one --run with --checkpoint"),
        (["--run", "{run}", "--alignments", "{text}/a.json", "{text}"], "cannot write"),
        (["--run", "{run}", "--pictures", "{text}", "{text}"], "cannot write"),
    ],
)
def test_a_mistake_is_one_clear_line(
    words: list[str], why: str, run: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, latin = text.parent / "empty", text.parent / "latin"
    empty.touch()
    latin.write_bytes(b"tea\ncaf\xe9")
    paths = {"run": run, "text": text, "folder": text.parent, "empty": empty, "latin": latin}
    refused([word.format(**paths) for word in words], why, capsys)


def refused(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["translate", *words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("augrnn: error: ")
    assert why in line


def test_runs_that_do_not_fit_are_named(
    run: Path, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turned = copied(run, tmp_path / "turned")
    checkpoint = str(turned / LAST)
    content = changed(run, source="fr", target="en")
    content["Translation"]["languages"].reverse()
    torch.save(content, checkpoint)
    refused(["--run", str(run), "--run", str(turned), str(text)], "cannot be an ensemble", capsys)
    both = ["--checkpoint", str(run / LAST), "--checkpoint", checkpoint]
    refused(["--run", str(run), *both, str(text)], "trained on another vocabulary", capsys)
    torch.save({name: content[name] for name in ("state_dict", CONFIG_KEY)}, checkpoint)
    refused(["--run", str(turned), str(text)], "holds no vocabulary of Translation", capsys)
    torch.save({name: value for name, value in content.items() if name != CONFIG_KEY}, checkpoint)
    refused(["--run", str(turned), str(text)], "a plain L.Trainer or an older augrnn wrote it", capsys)
    del content["state_dict"]["encoder.embedding.weight"]
    torch.save(content, checkpoint)
    refused(["--run", str(turned), str(text)], "of another model", capsys)
    config = content[CONFIG_KEY].replace("augrnn.decoders.attentive", "augrnn.interfaces.decoder")
    torch.save(content | {CONFIG_KEY: config}, checkpoint)
    refused(["--run", str(turned), str(text)], "fits another version of augrnn", capsys)
    Path(checkpoint).unlink()
    refused(["--run", str(turned), str(text)], "not of a trained one", capsys)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is not a checkpoint"),
        (b"some text\n", "is not a checkpoint"),
        (b"half", "is not a checkpoint"),
        (pickle.dumps({"a": {1, 2}}), "is not a checkpoint"),
        (pickle.dumps(Path("x")), "is not a checkpoint"),
        ([1, 2, 3], "is not a checkpoint"),
        ({"state_dict": [1, 2]}, "is not a checkpoint"),
        ({"state_dict": {}}, "holds no config"),
        (None, "cannot read the checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_one_line_by_every_way(
    content: Any, why: str, run: Path, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.ckpt"
    if content == b"half":
        path.write_bytes((run / LAST).read_bytes()[:5000])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif content is None:
        path.mkdir()
    else:
        torch.save(content, path)
    refused(["--run", str(run), "--checkpoint", str(path), str(text)], f"{path} {why}" if content else why, capsys)
    for checkpoints in (str(path), path, [str(path)]):
        with pytest.raises(UserError, match=why):
            augrnn.load(str(run), checkpoints)
    if content is not None:
        refused(["--run", str(path), str(text)], why, capsys)
        assert main(["predict", str(path), str(text)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"a\nb\nc\xff d\n", "byte 0xff on line 3"),
        ("A dog.".encode("utf-16"), "byte 0xff on line 1"),
        (b"a\n\nb \xe2\x82", "byte 0xe2 on line 3"),
    ],
)
def test_the_line_that_is_not_utf8_is_named(
    raw: bytes, told: str, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    refused(["--run", str(run)], f"the standard input is not UTF-8 text ({told})", capsys)


def test_weights_that_are_not_finite_are_named(
    run: Path, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = randomised(copied(run, tmp_path / "broken"), unknown=math.nan)
    refused(["--run", str(broken), str(text)], f"{broken / LAST} are not finite", capsys)
    both = [word for part in (run, broken) for word in ("--checkpoint", str(part / LAST))]
    refused(["--run", str(run), *both, str(text)], f"{broken / LAST} are not finite", capsys)


def test_a_run_of_another_task_is_named(
    run: Path, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = torch.load(run / LAST)
    config = yaml.safe_load(content[CONFIG_KEY])
    config["data"] = part("tasks.reversal.Reversal", symbols=41)
    torch.save(content | {CONFIG_KEY: yaml.safe_dump(config)}, tmp_path / "reversal.ckpt")
    other = str(tmp_path / "reversal.ckpt")
    refused(["--run", other, str(text)], "a run of Reversal", capsys)
    refused(["--run", str(run), "--run", other, str(text)], f"{other} is a run of Reversal", capsys)
    refused(["--run", str(run), "--run", str(tmp_path), str(text)], "is not the folder of a run", capsys)


def test_runs_of_other_vocabularies_are_no_ensemble(
    run: Path, data: dict[str, Any], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fewer = made(tmp_path / "fewer", data | {"vocabulary": 44})
    whole = made(tmp_path / "whole", data | {"vocabulary": 18, "units": "words"})
    for other in (fewer, whole):
        refused(["--run", str(run), "--run", str(other), str(text)], "cannot be an ensemble", capsys)
        both = [word for each in (run, other) for word in ("--checkpoint", str(each / LAST))]
        refused(["--run", str(run), *both, str(text)], "another vocabulary", capsys)
        with pytest.raises(UserError, match="cannot be an ensemble"):
            Translator([augrnn.load(str(run)), augrnn.load(str(other))])


def test_without_attention_nothing_can_be_aligned(
    data: dict[str, Any], text: Path, told: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made(tmp_path / "run", data, attention=False)
    assert len(told("--run", run, text)) == 6
    refused(["--run", str(run), str(text), "--replace-unknown"], "without attention", capsys)


@pytest.mark.parametrize("words", [["--help"], ["list"], ["translate", "--help"]])
def test_what_only_tells_needs_no_torch(words: list[str], root: Path) -> None:
    code = (
        "import sys, contextlib; from augrnn.cli import main\n"
        f"with contextlib.suppress(SystemExit): main({words})\n"
        "sys.exit(sum(name in sys.modules for name in ('torch', 'lightning', 'matplotlib', 'wandb', 'datasets')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=root, stdout=subprocess.DEVNULL, check=False).returncode == 0
    )


def test_translating_needs_no_tracking_and_no_data_sets(run: Path, text: Path) -> None:
    code = (
        f"import sys; from augrnn.cli import main; main(['translate', '--run', {str(run)!r}, {str(text)!r}])\n"
        "sys.exit(sum(name in sys.modules for name in ('wandb', 'datasets', 'optuna', 'pandas', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0
