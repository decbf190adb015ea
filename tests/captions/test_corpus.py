"""Readers of captions: every layout gives the same collection, and bad ones are refused in one line."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict, concatenate_datasets
from PIL import Image

from augrnn.captions.collection import Collection
from augrnn.captions.corpus import CaptionCorpus
from augrnn.errors import UserError
from augrnn.vision.pictures import decode

SPLITS = {"train": ["a.jpg", "b.jpg", "c.jpg"], "val": ["d.jpg"], "test": ["e.jpg", "f.jpg"]}
CAPTIONS = {name: [f"A {name[0]} is here .", f'{name[0]}, "there"'] for names in SPLITS.values() for name in names}


def jpeg(name: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (ord(name[0]), 0, 0)).save(file, "JPEG")
    return file.getvalue()


def images(folder: Path, names: Any = tuple(CAPTIONS)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(jpeg(name))
    return folder


def flickr(folder: Path) -> None:
    images(folder / "Flicker8k_Dataset")
    lines = [f"{name}#{k}\t{text}" for name, texts in CAPTIONS.items() for k, text in enumerate(texts)]
    lines.insert(0, "odd.jpg.1#0\tA name that is in no list .")
    (folder / "Flickr8k.token.txt").write_text("\n".join(lines) + "\n")
    for split, kind in (("train", "train"), ("val", "dev"), ("test", "test")):
        (folder / f"Flickr_8k.{kind}Images.txt").write_text("\n".join(SPLITS[split]) + "\n")


def flickr_gzipped(folder: Path) -> None:
    flickr(folder)
    for path in folder.glob("*.txt"):
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def rows(split: str) -> Dataset:
    columns: dict[str, Any] = {"image": [{"bytes": jpeg(name), "path": None} for name in SPLITS[split]]}
    columns["filename"] = SPLITS[split]
    for k in range(2):
        columns[f"caption_{k}"] = [CAPTIONS[name][k] for name in SPLITS[split]]
    return Dataset.from_dict(columns)


def parquet(folder: Path) -> None:
    folder.mkdir()
    for split, kind in (("train", "train"), ("val", "validation"), ("test", "test")):
        for shard in range(2):
            part = rows(split).shard(2, shard, contiguous=True) if len(SPLITS[split]) > 1 else rows(split)
            if shard == 0 or len(SPLITS[split]) > 1:
                part.to_parquet(folder / f"{kind}-{shard:05}-of-00002.parquet")


def saved(folder: Path) -> None:
    from datasets import Image as Images

    whole = DatasetDict({split: rows(split).cast_column("image", Images()) for split in SPLITS})
    whole = whole.map(lambda row: {"captions": [row["caption_0"], row["caption_1"]]})
    whole.remove_columns(["caption_0", "caption_1"]).save_to_disk(folder)


def coco(folder: Path) -> None:
    (folder / "annotations").mkdir(parents=True)
    for split, names in SPLITS.items():
        images(folder / f"{split}2017", names)
        content = {
            "images": [{"id": ord(name[0]), "file_name": name, "width": 8} for name in names],
            "annotations": [
                {"id": 10 * k + ord(name[0]), "image_id": ord(name[0]), "caption": CAPTIONS[name][k]}
                for k in range(2)
                for name in names
            ],
        }
        (folder / "annotations" / f"captions_{split}2017.json").write_text(json.dumps(content))


def lines(folder: Path) -> None:
    images(folder / "pictures")
    records = [
        {"image": name, "caption": text, "split": split}
        for split, names in SPLITS.items()
        for k in range(2)
        for name in names
        for text in CAPTIONS[name][k : k + 1]
    ]
    (folder / "captions.jsonl").write_text("\n".join(map(json.dumps, records)))


def table(folder: Path) -> None:
    images(folder)
    for split, names in SPLITS.items():
        texts = [f"./{name}," + '"' + text.replace('"', '""') + '"' for name in names for text in CAPTIONS[name]]
        (folder / f"{split}.csv").write_text("\n".join(["image,caption", *texts]))


LAYOUTS = [flickr, flickr_gzipped, parquet, saved, coco, lines, table]


def check(found: Collection, split: str) -> None:
    assert found.names == SPLITS[split]
    assert found.captions == [CAPTIONS[name] for name in SPLITS[split]]
    assert [picture.content for picture in found.pictures] == [jpeg(name) for name in SPLITS[split]]
    assert len(found.pictures) == len(found.names)
    assert decode(found.pictures[-1]).size == (8, 8)


@pytest.mark.parametrize("write", LAYOUTS)
def test_every_layout_gives_the_same(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "data")
    corpus = CaptionCorpus(tmp_path / "data")
    for split in SPLITS:
        check(corpus.read(split), split)
    with pytest.raises(UserError, match="no split 'nowhere'"):
        corpus.read("nowhere")


def karpathy(folder: Path) -> Path:
    images(folder / "all")
    entries = [
        {"filename": name, "filepath": "all", "split": split, "sentences": [{"raw": text} for text in CAPTIONS[name]]}
        for split, names in SPLITS.items()
        for name in names
    ]
    entries[1]["split"] = "restval"
    (folder / "dataset_own.json").write_text(json.dumps({"images": entries, "dataset": "own"}))
    return folder / "dataset_own.json"


def test_karpathys_splits(tmp_path: Path) -> None:
    corpus = CaptionCorpus(file=karpathy(tmp_path))
    found = corpus.read("train")
    assert sorted(found.names) == ["all/a.jpg", "all/b.jpg", "all/c.jpg"]
    assert corpus.read("validation").captions == [CAPTIONS["d.jpg"]]


def test_a_table_of_ones_own_with_other_columns_and_images_elsewhere(tmp_path: Path) -> None:
    folder = images(tmp_path / "elsewhere")
    text = "photo\tfold\tsays\n" + "".join(
        f"{name}\t{split}\t{text}\n" for split, names in SPLITS.items() for name in names for text in CAPTIONS[name]
    )
    (tmp_path / "mine.tsv").write_text(text)
    columns = {"image": "photo", "caption": "says", "split": "fold"}
    corpus = CaptionCorpus(file=tmp_path / "mine.tsv", images=folder, columns=columns)
    for split in SPLITS:
        check(corpus.read(split), split)


def own(folder: Path, text: str, name: str = "captions.csv") -> CaptionCorpus:
    images(folder)
    (folder / name).write_text(text)
    return CaptionCorpus(folder)


def test_a_share_can_be_held_out(tmp_path: Path) -> None:
    corpus = own(tmp_path, "image,caption\n" + "".join(f"{name},x\n{name},y\n" for name in CAPTIONS))
    with pytest.raises(UserError, match=r"no split 'val' in .*; found: train"):
        corpus.read("val")
    options = {"directory": tmp_path, "held_out": {"val": 0.34, "test": 1}}
    parts = {split: CaptionCorpus(**options).read(split) for split in ("train", "val", "test")}
    assert {split: len(part.names) for split, part in parts.items()} == {"train": 3, "val": 2, "test": 1}
    assert sorted(name for part in parts.values() for name in part.names) == sorted(CAPTIONS)
    assert parts["val"].captions == [["x", "y"]] * 2
    assert [each.content for each in parts["val"].pictures] == [jpeg(name) for name in parts["val"].names]
    other = CaptionCorpus(**options, held_out_seed=1)
    assert any(other.read(split).names != part.names for split, part in parts.items())
    for count in (6, 0.95):
        with pytest.raises(UserError, match="leaves none of the 6 images"):
            CaptionCorpus(tmp_path, held_out={"val": count}).read("train")


def test_an_image_without_captions_has_none(tmp_path: Path) -> None:
    flickr(tmp_path)
    path = tmp_path / "Flickr8k.token.txt"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("b.jpg")))
    assert CaptionCorpus(tmp_path).read("train").captions == [CAPTIONS["a.jpg"], [], CAPTIONS["c.jpg"]]


def test_each_splits_own_table_has_its_own_folder_of_images(tmp_path: Path) -> None:
    for split, name in (("train", "a.jpg"), ("val", "b.jpg")):  # both are called 0.jpg
        (tmp_path / split).mkdir()
        (tmp_path / split / "0.jpg").write_bytes(jpeg(name))
        (tmp_path / f"{split}.csv").write_text(f"image,caption,split\n0.jpg,{name},{split}\n")
    corpus = CaptionCorpus(tmp_path)
    for split, name in (("train", "a.jpg"), ("val", "b.jpg")):
        found = corpus.read(split)
        assert (found.captions, found.pictures[0].content) == ([[name]], jpeg(name))


def test_a_splits_own_name_goes_before_another_name_of_it(tmp_path: Path) -> None:
    corpus = own(tmp_path, "image,caption,split\na.jpg,x,train\nb.jpg,y,val\nc.jpg,z,dev\n")
    assert [corpus.read(split).names for split in ("train", "val", "dev")] == [["a.jpg"], ["b.jpg"], ["c.jpg"]]
    with pytest.raises(UserError, match=r"several splits that may be 'validation': dev, val; name one"):
        corpus.read("validation")
    corpus = CaptionCorpus(tmp_path, held_out={"validation": 1}, columns={"split": "split"})
    (tmp_path / "captions.csv").write_text("image,caption,split\na.jpg,x,train\nb.jpg,y,train\n")
    assert sorted(corpus.read("val").names + corpus.read("train").names) == ["a.jpg", "b.jpg"]


# Refused -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,text\na.jpg,x\n", "no column 'caption'; found: image, text; name it with `columns`$"),
        ("image,caption\na.jpg,x,y\n", "3 fields on line 2"),
        ("image,caption\na.jpg,x\nmissing.jpg,y\n", "captions of 1 images that are not in .*, first missing.jpg"),
        ("image,caption\nmissing.jpg,y\n", r"none of the images .* \(missing.jpg\) is in .*`images`"),
        ("image,caption\n,lonely\n", "no image for caption 1: lonely"),
        (f"image,caption\n{'a long caption ' * 30},a.jpg\n", r"\(a long .*\.\.\.\) is in .*`images`"),
        (f"image,caption\na.jpg,x\n{'a long caption ' * 30},a.jpg\n", r"captions of 1 images .*, first a long "),
        ("image,caption,split\na.jpg,x,train\na.jpg,x,test\n", "image a.jpg in the splits train and test"),
        ("", "is empty"),
    ],
)
def test_bad_tables(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        own(tmp_path, text).read("train")


def test_bad_flickr_files(tmp_path: Path) -> None:
    flickr(tmp_path)
    corpus, tokens = CaptionCorpus(tmp_path), tmp_path / "Flickr8k.token.txt"
    listed = tmp_path / "Flickr_8k.trainImages.txt"
    good = listed.read_text()
    listed.write_text(good + "a.jpg\n")
    with pytest.raises(UserError, match=r"trainImages.txt has the image a.jpg twice"):
        corpus.read("train")
    listed.write_text(good + "e.jpg\n")
    with pytest.raises(UserError, match=r"image e.jpg in the splits test and train"):
        corpus.read("train")
    listed.write_text(good + "gone.jpg\n")
    with pytest.raises(UserError, match=r"1 images that are not in .*Flicker8k_Dataset, first gone.jpg"):
        corpus.read("train")
    (tmp_path / "Flickr_8k.trainImages.txt.gz").write_bytes(gzip.compress(good.encode()))
    with pytest.raises(UserError, match="two lists of the split train"):
        corpus.read("train")
    tokens.write_text("a.jpg A caption without its number\n")
    with pytest.raises(UserError, match=r"on line 1: a\.jpg A caption"):
        corpus.read("train")


def without(key: str, name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda content: content[key][0].pop(name)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: content["annotations"].append({"image_id": 7, "caption": "x"}), "annotation of image 7"),
        (lambda content: content["images"].append({"id": 1, "file_name": "a.jpg"}), "image a.jpg twice"),
        (lambda content: content["images"].append(dict(content["images"][0])), "1 images whose `id` another has"),
        (lambda content: content.pop("images"), "no list of `images`"),
        (lambda content: content.pop("annotations"), "no list of `annotations`"),
        (without("images", "file_name"), "one image has no `file_name`"),
        (without("annotations", "caption"), "one annotation has no `caption`"),
        (lambda content: content["images"].append({"id": 1, "file_name": "x.jpg"}), "not in .*train2017, first x.jpg"),
        (lambda content: content["images"][0].update(id=[1]), r"`id` of one image is no number but \[1\]"),
        (lambda content: content["annotations"][0].update(image_id={}), "`image_id` of one annotation is no number"),
        (
            lambda content: content["annotations"][0].update(caption=None),
            "`caption` of one annotation is no text but None",
        ),
    ],
)
def test_bad_annotations(spoil: Callable[[dict[str, Any]], Any], message: str, tmp_path: Path) -> None:
    coco(tmp_path / "coco")
    path = tmp_path / "coco" / "annotations" / "captions_train2017.json"
    content = json.loads(path.read_text())
    spoil(content)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        CaptionCorpus(tmp_path / "coco").read("train")


def test_annotations_that_are_no_object(tmp_path: Path) -> None:
    coco(tmp_path)
    (tmp_path / "annotations" / "captions_train2017.json").write_text("[1]")
    with pytest.raises(UserError, match="no list of `images`"):
        CaptionCorpus(tmp_path).read("train")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sentences": None}, "`sentences` of the image all/a.jpg is no list but None"),
        ({"sentences": [{"raw": None}]}, "`raw` of one sentence is no text but None"),
        ({"filepath": None}, "`filepath` of one image is no text"),
    ],
)
def test_bad_lists_of_karpathys(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = karpathy(tmp_path)
    content = json.loads(path.read_text())
    content["images"][0].update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        CaptionCorpus(file=path).read("train")


def test_an_image_in_the_files_of_two_splits(tmp_path: Path) -> None:
    table(tmp_path / "table")
    with (tmp_path / "table" / "test.csv").open("a") as file:
        file.write("\nb.jpg,again")
    coco(tmp_path / "coco")
    path = tmp_path / "coco" / "annotations" / "captions_test2017.json"
    content = json.loads(path.read_text())
    content["images"].append({"id": 1, "file_name": "b.jpg"})
    path.write_text(json.dumps(content))
    check(CaptionCorpus(tmp_path / "coco").read("train"), "train")  # of one name, in another folder
    for split in SPLITS:
        (tmp_path / "coco" / f"{split}2017").rename(tmp_path / "coco" / split)
    images(tmp_path / "coco" / "images")
    for folder, name in (("table", "test"), ("coco", "test2017")):
        with pytest.raises(UserError, match=rf"image b\.jpg in the splits train\w* and {name}"):
            CaptionCorpus(tmp_path / folder).read("train")


def test_a_row_in_two_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {"train": rows("train"), "test": concatenate_datasets([rows("test"), rows("train").select([1])])}
    (tmp_path / "parquet").mkdir()
    for split, part in whole.items():
        part.to_parquet(tmp_path / "parquet" / f"{split}.parquet")
    DatasetDict(whole).save_to_disk(tmp_path / "saved")
    monkeypatch.setattr("augrnn.captions.corpus.load_hub", lambda _: DatasetDict(whole))
    corpora = [CaptionCorpus(tmp_path / "parquet"), CaptionCorpus(tmp_path / "saved"), CaptionCorpus(hub="own/hub")]
    for corpus in corpora:
        for split, other in (("train", "test"), ("test", "train")):
            with pytest.raises(UserError, match=rf"has the image b\.jpg in the splits {split} and {other}"):
                corpus.read(split)
    # names may start anew in each split: of one name but with other captions, they are two images
    whole["test"] = whole["test"].map(lambda row: {"caption_0": f"{row['caption_0']} now"})
    assert corpora[2].read("train").names == SPLITS["train"]
    whole["all"] = rows("train")
    assert corpora[2].read("train").names == SPLITS["train"]


def test_bad_rows(tmp_path: Path) -> None:
    twice = Dataset.from_dict(
        {"image": [{"bytes": b"", "path": None}] * 2, "filename": ["a", "a"], "caption": ["x"] * 2}
    )
    for name, made, message in (
        ("twice", twice, "image a twice"),
        ("bare", twice.remove_columns("caption"), "no column 'caption' of captions; found: image, filename"),
        ("blind", twice.rename_column("image", "photo"), "no column 'image' of images"),
        ("odd", twice.remove_columns("caption").add_column("caption", [1, 2]), "of row 1 in .* are no texts: 1"),
    ):
        (tmp_path / name).mkdir()
        made.to_parquet(tmp_path / name / "train.parquet")
        with pytest.raises(UserError, match=message):
            CaptionCorpus(tmp_path / name).read("train")
    (tmp_path / "odd" / "train.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="cannot be read"):
        CaptionCorpus(tmp_path / "odd").read("train")


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="directory or captions, not both"):
        CaptionCorpus(tmp_path, tmp_path / "captions.csv")
    with pytest.raises(UserError, match="columns name 'picture'"):
        CaptionCorpus(tmp_path, columns={"picture": "x"})
    with pytest.raises(UserError, match="no data directory"):
        CaptionCorpus(tmp_path / "nowhere").read("train")
    with pytest.raises(UserError, match="no file of captions"):
        CaptionCorpus(file=tmp_path / "nowhere" / "captions.csv").read("train")
    with pytest.raises(UserError, match="no folder of images"):
        CaptionCorpus(tmp_path, images=tmp_path / "nowhere").read("train")
    with pytest.raises(UserError, match="no captions in any layout"):
        CaptionCorpus(tmp_path).read("train")
    with pytest.raises(UserError, match="give it another name"):
        CaptionCorpus(tmp_path, held_out={"train": 1})
    with pytest.raises(UserError, match="a share below 1"):
        CaptionCorpus(tmp_path, held_out={"val": 1.5})
    with pytest.raises(UserError, match="a share below 1"):
        CaptionCorpus(tmp_path, held_out={"val": float("nan")})


def test_the_hub_and_what_is_there_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = DatasetDict({kind: rows(split) for split, kind in (("train", "train"), ("val", "validation"))})
    monkeypatch.delenv("AUGRNN_DATA", raising=False)
    monkeypatch.setattr("augrnn.captions.corpus.load_hub", lambda hub: {"mine/captions": whole}[hub])
    check(CaptionCorpus(hub="mine/captions").read("val"), "val")
    with pytest.raises(UserError, match="no split 'test' in the hub data set mine/captions; found: train, validation"):
        CaptionCorpus(hub="mine/captions").read("test")
    with pytest.raises(UserError, match=r"the hub did not give jxie/flickr8k .* set AUGRNN_DATA"):
        CaptionCorpus().read("val")


@pytest.mark.data
def test_flickr8k_is_whole(data_root: Path) -> None:
    if not (data_root / "flickr8k").is_dir():
        pytest.skip("no flickr8k among the data")
    corpus = CaptionCorpus(data_root / "flickr8k")
    found = corpus.read("val")
    assert len(found.names) == len(set(found.names)) == len(found.pictures) == 1000
    assert {len(each) for each in found.captions} == {5}
    assert decode(found.pictures[0]).size == (224, 224)
    listed = gzip.decompress((data_root / "flickr8k" / "Flickr_8k.devImages.txt.gz").read_bytes()).decode().split()
    assert sorted(found.names) == sorted(listed)
