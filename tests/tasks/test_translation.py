"""The translation task on a small corpus made here, and on the real one where there is one."""

import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sacrebleu
import torch
from hypothesis import given
from hypothesis import strategies as st
from lightning.pytorch.trainer.states import TrainerFn
from torch.utils import _pytree as pytree

from augrnn.errors import UserError
from augrnn.tasks.translation import Translation
from augrnn.text.token_batches import EOS, PAD, PairBatch, bucketed, padded

COLOURS = {"red": "rouge", "blue": "bleu", "green": "vert", "yellow": "jaune"}
THINGS = {"shirt": "maillot", "dog": "chien", "hat": "chapeau", "car": "bus", "ball": "ballon"}
PAIRS = [
    (f"A {colour}{' old' * old} {thing} is here.", f"Un {vieux * old}{chose} {couleur} est là.")
    for old, vieux in enumerate(("", "vieux "))
    for colour, couleur in COLOURS.items()
    for thing, chose in THINGS.items()
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for split, pairs in {"train": PAIRS, "val": PAIRS[::4], "test_2016_flickr": PAIRS[1::4]}.items():
        for language, lines in zip(("en", "fr"), zip(*pairs, strict=True), strict=True):
            (folder / f"{split}.{language}.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    return folder


@pytest.fixture
def make(directory: Path, tmp_path: Path) -> Any:
    def translation(**options: Any) -> Translation:
        defaults = {"directory": directory, "cache": tmp_path / "cache", "vocabulary": 60, "batch_size": 6, "pool": 2}
        return Translation(**(defaults | options))

    return translation


def same(one: PairBatch, other: PairBatch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(pytree.tree_leaves(one), pytree.tree_leaves(other), strict=True))


def test_a_batch_holds_whole_pairs_padded_to_its_longest(make: Any) -> None:
    task = make()
    train = task.parallel("train")
    for number in range(task.epoch_length()):
        batch = task.draw(number)
        assert batch.size == 6
        for ids_BL, mask_BL, sentences in (
            (batch.source.ids_BL, batch.source.mask_BL, train.source_ids),
            (batch.target_BM, batch.target_mask_BM, train.target_ids),
        ):
            assert mask_BL.all(dim=0).sum() > 0
            assert mask_BL.sum(1).max() == mask_BL.shape[1]
            assert (ids_BL[~mask_BL] == PAD).all()
            for row, index in enumerate(batch.index_B.tolist()):
                assert ids_BL[row][mask_BL[row]].tolist() == sentences[index]
                assert sentences[index][-1] == EOS


def test_batches_are_a_function_of_seed_and_number(make: Any) -> None:
    task, again, other = make(), make(), make(seed=1)
    numbers = [5, 0, 17, 5, 3]
    assert all(same(task.draw(number), again.draw(number)) for number in numbers)
    assert same(task.draw(17), make().draw(17))
    assert not all(same(task.draw(number), other.draw(number)) for number in numbers)


def test_an_epoch_meets_each_pair_at_most_once_and_the_next_is_another(make: Any) -> None:
    task = make()
    count = task.epoch_length()
    assert count == 40 // 6
    epochs = [[i for number in range(count) for i in task.draw(e * count + number).index_B.tolist()] for e in range(3)]
    assert all(len(set(epoch)) == len(epoch) == 36 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert len({frozenset(epoch) for epoch in epochs}) > 1


def test_processes_share_an_epoch(make: Any) -> None:
    task = make()
    seen = []
    for rank in range(2):
        task.trainer = SimpleNamespace(current_epoch=1, global_rank=rank, world_size=2)
        seen += list(task.train_dataloader())
    assert len(seen) == 6
    assert len({i for batch in seen for i in batch.index_B.tolist()}) == 36


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=50),
    st.integers(1, 7),
    st.integers(1, 4),
    st.integers(0, 3),
)
def test_buckets_hold_everything_once(lengths: list[tuple[int, int]], batch_size: int, pool: int, seed: int) -> None:
    batches = bucketed(lengths, batch_size, pool, seed)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert sum(len(batch) != batch_size for batch in batches) <= 1
    assert batches == bucketed(lengths, batch_size, pool, seed)


def test_one_pool_sorts_by_length() -> None:
    lengths = [(length, 1) for length in (5, 3, 1, 4, 2, 6)]
    assert {frozenset(batch) for batch in bucketed(lengths, 2, 3, 0)} == {
        frozenset({2, 4}),
        frozenset({1, 3}),
        frozenset({0, 5}),
    }


def test_evaluation_meets_every_pair_once_in_a_fixed_order(make: Any) -> None:
    for split, draws in (("val", make().val_dataloader()), ("test_2016_flickr", make().test_dataloader()[0])):
        order = [i for batch in draws for i in batch.index_B.tolist()]
        assert sorted(order) == list(range(10))
        assert order == [i for batch in make(seed=5).evaluation(split) for i in batch.index_B.tolist()]


def test_long_pairs_are_left_out_of_training_alone(make: Any) -> None:
    task = make(max_words=6)
    train = task.parallel("train")
    seen = {i for number in range(3 * task.epoch_length()) for i in task.draw(number).index_B.tolist()}
    assert seen == {i for i in range(40) if len(train.source_words[i]) <= 6 and len(train.target_words[i]) <= 6}
    assert 0 < len(seen) < 40
    assert task.target_subwords.digest == make().target_subwords.digest
    with pytest.raises(UserError, match="no training pair has at most max_words=2 words"):
        make(max_words=2).draw(0)


def test_joining_puts_whole_sentences_one_after_the_other(make: Any) -> None:
    task, again = make(join=2, batch_size=3), make(join=2, batch_size=3)
    train, count = task.parallel("train"), task.epoch_length()
    assert count == 10  # of 40 pairs, half are alone and half in twos: 30 examples
    whole = list(zip(train.source_ids, train.target_ids, strict=True))
    for epoch in range(2):
        seen = []
        for number in range(epoch * count, (epoch + 1) * count):
            batch = task.draw(number)
            assert same(batch, again.draw(number))
            for row, first in enumerate(batch.index_B.tolist()):
                source = batch.source.ids_BL[row][batch.source.mask_BL[row]].tolist()
                target = batch.target_BM[row][batch.target_mask_BM[row]].tolist()
                source_1, target_1 = (ids[:-1] for ids in whole[first])
                assert (source[: len(source_1)], target[: len(target_1)]) == (source_1, target_1)
                rest = source[len(source_1) :], target[len(target_1) :]
                seen += [first] if rest == ([EOS], [EOS]) else [first, whole.index(rest)]
        assert sorted(seen) == list(range(40))


def test_no_joining_is_the_plain_stream(make: Any) -> None:
    assert all(same(make(join=1).draw(i), make().draw(i)) for i in range(8))
    with pytest.raises(UserError, match="too few to join up to 8"):
        make(join=8).draw(0)


def test_either_direction_and_either_kind_of_vocabulary(make: Any) -> None:
    there, back, apart = make(), make(source="fr", target="en"), make(joint=False)
    assert there.parallel("val").source_words == back.parallel("val").target_words
    assert there.source_subwords is there.target_subwords
    assert apart.source_subwords.digest != apart.target_subwords.digest
    for task in (there, back, apart):
        assert task.source_subwords.size == task.target_subwords.size == task.source_vocabulary == 60


def test_a_vocabulary_of_words_reads_the_rare_ones_as_unknown(make: Any) -> None:
    task = make(units="words", vocabulary=12)
    assert task.source_subwords.size == task.target_subwords.size == task.source_vocabulary == 12
    pairs = task.parallel("val")
    first, ids = pairs.source_words[0], pairs.source_ids[0]
    known = set(task.source_subwords.pieces(range(4, 12)))
    assert 0 < len(known & set(first)) < len(set(first))
    assert task.source_subwords.words(ids) == [word if word in known else "<unk>" for word in first]
    assert len(ids) == len(first) + 1
    assert task.target_subwords.words(task.target_subwords.encode([["un", "☃", "."]])[0]) == ["un", "<unk>", "."]
    with pytest.raises(UserError, match="trained on another vocabulary"):
        task.load_state_dict(make().state_dict())


def test_the_score_is_bleu_on_lowercased_tokens(make: Any) -> None:
    task = make()
    pairs = task.parallel("val")
    perfect = [pairs.target_ids[i] for i in (3, 1)]
    assert task.score(perfect, [3, 1], "val")["bleu"] == pytest.approx(100)
    hypotheses, references = pairs.target_ids[:4], pairs.target_words[1:5]
    theirs = sacrebleu.corpus_bleu(
        [" ".join(task.target_subwords.words(ids)) for ids in hypotheses],
        [[" ".join(words) for words in references]],
        tokenize="none",
        force=True,
    )
    assert task.score(hypotheses, [1, 2, 3, 4], "val")["bleu"] == pytest.approx(theirs.score)


def test_no_test_split_is_read_before_its_time(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make()
    read = []
    original = task._readable
    monkeypatch.setattr(task, "_readable", lambda split: read.append(split) or original(split))
    task.prepare_data()
    task.draw(0)
    list(task.val_dataloader())
    assert set(read) == {"train", "val"}


def test_a_checkpoint_brings_the_vocabulary_and_no_data_is_read(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for options in ({}, {"joint": False}, {"units": "words", "vocabulary": 12}):
        known, fresh = make(**options), make(**options)
        monkeypatch.setattr(fresh, "corpus", None)
        fresh.load_state_dict(known.state_dict())
        assert fresh.state_dict() == known.state_dict()
        for side in ("source_subwords", "target_subwords"):
            assert getattr(fresh, side).digest == getattr(known, side).digest
        words = [["a", "red", "shirt"], ["☃"]]
        assert fresh.source_subwords.encode(words) == known.source_subwords.encode(words)


def test_without_training_no_training_text_is_read(make: Any, directory: Path, tmp_path: Path) -> None:
    known = make()
    for split in ("val", "test_2016_flickr"):
        for language in ("en", "fr"):
            (tmp_path / f"{split}.{language}.gz").write_bytes((directory / f"{split}.{language}.gz").read_bytes())
    for fn, stage in ((TrainerFn.TESTING, "test"), (TrainerFn.VALIDATING, "validate")):
        task = make(directory=tmp_path)
        task.trainer = SimpleNamespace(state=SimpleNamespace(fn=fn))
        task.prepare_data()
        task.setup(stage)
        task.load_state_dict(known.state_dict())
        assert task.parallel("test_2016_flickr") == known.parallel("test_2016_flickr")


def test_a_missing_split_to_validate_on_is_told_before_training(make: Any, tmp_path: Path) -> None:
    task = make(directory=written(tmp_path, train=PAIRS))
    with pytest.raises(UserError, match="no split 'val'"):
        task.prepare_data()
    task.trainer = SimpleNamespace(state=SimpleNamespace(fn=TrainerFn.FITTING), limit_val_batches=0)
    task.prepare_data()


def test_a_checkpoint_of_other_subwords_is_refused(make: Any) -> None:
    task = make()
    task.setup()
    task.load_state_dict(make().state_dict())
    with pytest.raises(UserError, match="trained on another vocabulary"):
        task.load_state_dict(make(vocabulary=59).state_dict())
    with pytest.raises(UserError, match="fr to en"):
        task.load_state_dict(make(source="fr", target="en").state_dict())


def written(folder: Path, **splits: list[tuple[str, str]]) -> Path:
    for split, pairs in splits.items():
        for language, lines in zip(("en", "fr"), zip(*pairs, strict=True), strict=True):
            (folder / f"{split}.{language}").write_bytes("".join(line + "\n" for line in lines).encode())
    return folder


BLANK = [("", "Un chien."), ("A dog.", " \u00a0"), ("", ""), ("\u200b", "Un chien."), ("A dog.", "\ufeff")]


@pytest.mark.parametrize("count", [1, 3, 5])
def test_pairs_with_a_blank_side_are_left_out_of_training_alone_and_told(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    pairs = [*PAIRS[:4], *BLANK[:count], *PAIRS[4:]]
    task = make(directory=written(tmp_path, train=pairs, val=[*PAIRS[:4], *BLANK[:count]]))
    clean = make()
    assert task.parallel("train") == clean.parallel("train")
    assert same(task.draw(3), clean.draw(3))
    assert len(task.parallel("val").source_ids) == 4 + count
    task.parallel("val")
    assert capsys.readouterr().err.splitlines() == [
        f"augrnn: {count} of {40 + count} pairs of 'train' have a blank side and are left out",
        f"augrnn: {count} of {4 + count} pairs of 'val' have a blank side and stay, so that the score is of the whole "
        "split",
    ]
    assert task.score(task.parallel("val").target_ids, range(4 + count), "val")["bleu"] == pytest.approx(100)


def test_training_text_that_is_all_blank_or_in_tokens_is_told(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "all").mkdir()
    with pytest.raises(UserError, match="every pair of 'train' has a blank side"):
        make(directory=written(tmp_path / "all", train=[("x", " "), ("", "y")])).setup()
    pairs = [(source.replace(".", " ."), target) for source, target in PAIRS]
    make(directory=written(tmp_path, train=pairs, val=pairs[:3])).setup()
    (line,) = capsys.readouterr().err.splitlines()
    assert "the en text of 'train' seems to be in tokens already" in line


def test_a_byte_order_mark_is_no_text(make: Any, directory: Path, tmp_path: Path) -> None:
    for path in directory.glob("*.gz"):
        lines = gzip.decompress(path.read_bytes()).split(b"\n")
        lines[5] = b"\xef\xbb\xbf" + lines[5]  # of two files joined by cat
        (tmp_path / path.name).write_bytes(gzip.compress(b"\xef\xbb\xbf" + b"\n".join(lines)))
    task = make(directory=tmp_path)
    assert task.state_dict() == make().state_dict()
    assert task.parallel("val") == make().parallel("val")


def test_case_is_kept_on_request_and_with_the_run(make: Any) -> None:
    task, lower = make(lowercase=False, vocabulary=70), make(vocabulary=70)
    assert task.parallel("val").source_words[0][0] == "A"
    assert lower.parallel("val").source_words[0][0] == "a"
    for trained, words in ((task, ["A", "Dog"]), (lower, ["a", "dog"])):
        other = make(vocabulary=70)
        other.load_state_dict(trained.state_dict())
        assert other.codec.source.words("A Dog") == other.codec.target.words("A Dog") == words
    task.setup()
    with pytest.raises(UserError, match="trained on another vocabulary"):
        task.load_state_dict(lower.state_dict())


def test_an_older_checkpoint_gets_todays_normalisation(make: Any) -> None:
    older = {name: value for name, value in make().state_dict().items() if name != "normalisation"}
    fresh, known = make(), make()
    fresh.load_state_dict(older)
    known.setup()
    known.load_state_dict(older)
    assert fresh.state_dict() == known.state_dict() == make().state_dict()
    with pytest.raises(UserError, match="only a newer augrnn has"):
        make().load_state_dict(older | {"normalisation": {"rules": 99, "lowercase": True}})


@pytest.mark.parametrize(("target", "tokenize"), [("zh", "zh"), ("ja", "char"), ("th", "char")])
def test_one_wrong_character_is_not_a_wrong_sentence(make: Any, tmp_path: Path, target: str, tokenize: str) -> None:
    lines = {"zh": "他在用 Windows 电脑{}。", "ja": "コーヒーを{}ください。", "th": "สวัสดีชาวโลก{}"}[target]
    for split in ("train", "val"):
        (tmp_path / f"{split}.tsv").write_text(
            f"en\t{target}\n" + "".join(f"A {n}.\t{lines.format(n)}\n" for n in "abcd")
        )
    task = make(target=target, directory=tmp_path, vocabulary=30, units="subwords")
    references = [lines.format(n).lower() for n in "abcd"]
    words = [task.codec.target.words(lines.format(n)) for n in "bbcd"]
    theirs = sacrebleu.corpus_bleu([lines.format(n).lower() for n in "bbcd"], [references], tokenize=tokenize)
    found = task.score(task.target_subwords.encode(words), range(4), "val")["bleu"]
    assert found == pytest.approx(theirs.score)
    assert 50 < found < 100
    assert task.codec.spelled(task.target_subwords.encode(words)[0]) == lines.format("b").lower().replace(" ", "")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"source": "fr"}, "two languages"),
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"pool": 0}, "pool must be at least 1"),
        ({"vocabulary": 0}, "vocabulary must be at least 1"),
    ],
)
def test_impossible_settings_are_named(make: Any, options: dict[str, Any], why: str) -> None:
    with pytest.raises(UserError, match=why):
        make(**options)


def test_an_impossible_vocabulary_is_named_and_nothing_is_cached(make: Any, tmp_path: Path) -> None:
    for size, units in ((10, "subwords"), (10_000, "subwords"), (4, "words"), (10_000, "words")):
        with pytest.raises(UserError, match=f"vocabulary of {size} {units} is impossible"):
            make(vocabulary=size, units=units).setup()
    assert {path.name.partition("-")[0] for path in (tmp_path / "cache").iterdir()} == {"words"}


def test_padding_keeps_what_is_real() -> None:
    ids_BL, mask_BL = padded([[5, 6, EOS], [EOS]])
    assert ids_BL.tolist() == [[5, 6, EOS], [EOS, PAD, PAD]]
    assert mask_BL.tolist() == [[True, True, True], [True, False, False]]


# The real data -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.data
@pytest.mark.parametrize(("source", "target"), [("en", "fr"), ("de", "en")])
def test_multi30k(data_root: Path, cache: Path, source: str, target: str) -> None:
    task = Translation(source, target, directory=data_root / "multi30k", cache=cache)
    task.setup()
    assert task.target_subwords.size == 5000
    pairs = task.parallel("val")
    assert len(pairs.source_ids) == 1014
    assert [task.target_subwords.words(ids) for ids in pairs.target_ids] == pairs.target_words
    assert task.score(pairs.target_ids, range(1014), "val")["bleu"] == pytest.approx(100)
    assert sum(batch.size for batch in task.evaluation("test_2016_flickr")) == 1000


@pytest.mark.data
def test_multi30k_trains_in_batches_with_little_padding(data_root: Path, cache: Path) -> None:
    task = Translation(directory=data_root / "multi30k", cache=cache)
    assert task.epoch_length() == 29_000 // 64
    batches = [task.draw(number) for number in range(0, task.epoch_length(), 9)]
    assert torch.cat([batch.target_mask_BM.flatten() for batch in batches]).float().mean() > 0.95
    assert len({i for batch in batches for i in batch.index_B.tolist()}) == 64 * len(batches)
