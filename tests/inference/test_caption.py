"""The command `caption`, on images of every kind and on runs small enough to make here."""

import base64
import io
import os
import re
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import augrnn
from augrnn.checkpoints import CONFIG_KEY
from augrnn.cli import main
from augrnn.encoders.grid import GridSource
from augrnn.errors import UserError
from augrnn.exhibits.word_maps import DARKEST, WordMaps, shaded
from augrnn.inference.caption import PAGE, Captioner
from augrnn.inference.load import Model, load
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.text.token_batches import EOS, PairBatch, padded
from tests.tasks.pictures import folder as corpus
from tests.tiny import train

LAST = Path("checkpoints/last.ckpt")
GRID, CHANNELS, VOCABULARY, LIMIT = (7, 7), 128, 20, 9


def part(path: str, /, **settings: object) -> dict[str, Any]:
    return {"class_path": f"augrnn.{path}", "init_args": settings}


def made(folder: Path, directory: Path, attention: bool = True, tuned: bool = False) -> Path:
    """The folder of a run that trained for one update and then got random weights."""
    looks = part("attention.additive.AdditiveAttention", query_size=8, annotation_size=CHANNELS, size=8)
    fixed = part("attention.fixed_context.FixedContext", query_size=8, annotation_size=CHANNELS, summary_size=CHANNELS)
    sizes = {"vocabulary": VOCABULARY, "embedding_size": 6, "hidden_size": 8, "start_size": CHANNELS}
    backbone = part("vision.backbone.Backbone", name="squeezenet1_1", layer="features.3", size=32)
    encoder = {"annotation_size": CHANNELS} | ({"backbone": backbone} if tuned else {})
    config = {
        "model": part(
            "systems.encoder_decoder.EncoderDecoder",
            encoder=part("encoders.grid.GridEncoder", **encoder),
            decoder=part("decoders.captioning.CaptionDecoder", **sizes, attention=looks if attention else fixed),
            length_factor=0.0,
            length_constant=LIMIT,
            beam_size=3,
        ),
        "data": part(
            "tasks.captioning.Captioning",
            backbone=backbone,
            directory=str(directory),
            vocabulary=VOCABULARY,
            batch_size=2,
            tuned=tuned,
        ),
        "trainer": {"accelerator": "cpu", "max_steps": 1, "limit_val_batches": 0, "log_every_n_steps": 1},
    }
    written = folder.with_suffix(".yaml")
    written.write_text(yaml.safe_dump(config))
    train(["--config", str(written)], folder, {"experiment": "e", "variant": "v", "scale": "smoke", "seed": 0})
    return randomised(folder)


def randomised(folder: Path, seed: int = 0) -> Path:
    """Give a run random weights, so that it writes all sorts and looks all over."""
    content = torch.load(folder / LAST)
    random = torch.Generator().manual_seed(seed)
    for name, tensor in content["state_dict"].items():
        if tensor.is_floating_point() and "backbone" not in name:
            tensor.normal_(std=0.7, generator=random)
    content["state_dict"]["decoder.vocabulary_layer.bias"][EOS] -= 1
    torch.save(content, folder / LAST)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose corpus and cache are gone."""
    folder = tmp_path_factory.mktemp("run")
    data = corpus(folder / "data")
    made(folder / "seed-0", data)
    shutil.rmtree(data)
    return folder / "seed-0"


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without attention."""
    folder = tmp_path_factory.mktemp("blind")
    return made(folder / "seed-0", corpus(folder / "data"), attention=False)


@pytest.fixture(autouse=True)
def _models_are_built_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(folder: Path, checkpoints: Sequence[Path] = (), *parts: Any) -> Model:
        return load_once(folder) if folder == run and not checkpoints else load(folder, checkpoints, *parts)

    monkeypatch.setattr("augrnn.inference.load.load", loaded)


load_once = cache(load)


def picture(path: Path, seed: int = 0) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (5, 5, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((60, 40)).save(path)
    return path


@pytest.fixture
def told(run: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def lines(*words: object, status: int = 0) -> list[str]:
        assert main(["caption", *map(str, words), "--run", str(run)]) == status
        return capsys.readouterr().out.splitlines()

    return lines


# What comes out ------------------------------------------------------------------------------------------------------


def test_each_image_has_a_line_and_predict_gives_the_same(
    run: Path, tmp_path: Path, told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [picture(tmp_path / f"{number}.png", number) for number in range(4)]
    lines = told(*images)
    assert len(lines) == 4
    assert len(set(lines)) > 1
    assert [line for image in images for line in told(image)] == lines
    (tmp_path / "list").write_text("\n".join(map(str, images)))
    assert main(["predict", str(run), str(tmp_path / "list")]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_the_n_best_are_a_list_with_scores(run: Path, tmp_path: Path, told: Any) -> None:
    images = [picture(tmp_path / f"{number}.png", number) for number in range(2)]
    rows = [line.split(" ||| ") for line in told(*images, "--best", 3, "--beam", 4)]
    assert [row[0] for row in rows] == [str(image) for image in images for _ in range(3)]
    for start in (0, 3):
        scores = [float(row[2]) for row in rows[start : start + 3]]
        assert scores == sorted(scores, reverse=True)
        assert len({row[1] for row in rows[start : start + 3]}) == 3


def test_maps_are_those_that_made_the_words(run: Path, tmp_path: Path) -> None:
    model = load_once(run)
    system = model.system
    assert isinstance(system, EncoderDecoder)
    found = model.caption([picture(tmp_path / "0.png"), picture(tmp_path / "1.png", 1)], beam=3, length_penalty=0.0)
    for captions in found:
        best = captions[0]
        assert best.maps_MRC.shape == (len(best.words), *GRID)
        assert best.maps_MRC.sum((1, 2)) == pytest.approx(np.ones(len(best.words)), abs=1e-5)
        ids = model.task.codec.vocabulary.encode([best.words])[0]  # type: ignore[attr-defined]
        with Image.open(best.image) as image:
            source = model.task.codec.source([image.convert("RGB")])  # type: ignore[attr-defined]
        assert isinstance(source, GridSource)
        batch = PairBatch(source, *padded([ids]), torch.zeros(1))
        maps_MRC = system.align(batch)[0, : len(best.words)].reshape(-1, *GRID).detach().numpy()
        np.testing.assert_allclose(best.maps_MRC, maps_MRC, atol=1e-5)
        # forced to look where the maps say, it gives the words the same probability, and another with others
        assert forced(system, batch, best.maps_MRC) == pytest.approx(best.score, abs=1e-4)
        assert abs(forced(system, batch, best.maps_MRC[:, ::-1]) - best.score) > 1e-3


@torch.no_grad()
def forced(system: EncoderDecoder, batch: PairBatch, maps_MRC: np.ndarray) -> float:
    """The log probability of a caption where the contexts are mixed by given maps; the end of it looks as it likes."""
    decoder = system.decoder
    maps = iter(torch.tensor(maps_MRC.reshape(len(maps_MRC), -1).copy(), dtype=torch.float32))
    look = decoder.attention.look

    def given(query_BH: torch.Tensor, attended: Any) -> Any:
        if (map_L := next(maps, None)) is None:
            return look(query_BH, attended)
        found = look(query_BH, attended)
        return found._replace(context_BD=(map_L[None, :, None] * attended.values_BLD).sum(1))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoder.attention, "look", given)
        logits_MV = system.answer(batch).y_TBO[:, 0]
    logits_MV = logits_MV[:LIMIT]
    logits_MV[:, :2] = -torch.inf  # no caption has a padding or a beginning in it
    target_M = batch.target_BM[0, :LIMIT]  # one that the limit cut off has no end
    return float(logits_MV.log_softmax(-1)[range(len(target_M)), target_M].sum())


def test_the_page_is_whole_and_the_strip_has_a_panel_a_word(run: Path, tmp_path: Path, told: Any) -> None:
    images = [picture(tmp_path / "a <b>.png"), picture(tmp_path / "other.jpeg", 1)]
    (line, other) = told(*images, "--out", tmp_path / "out")
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["1-a <b>.png", "2-other.png", PAGE]
    text = (tmp_path / "out" / PAGE).read_text()
    assert not re.search(r"(src|href)=\"(?!data:)|url\((?!data:)|https?:", text)
    assert "a &lt;b&gt;.png" in text
    assert "a <b>" not in text
    assert text.count("<figcaption>") == len(line.split()) + len(other.split())
    assert re.findall(r"<li>(.*?) <span", text) == [line.replace("<", "&lt;").replace(">", "&gt;"), other]
    assert "squashed to the square" in text
    model = load_once(run)
    maps = model.caption(images[0])[0].maps_MRC
    urls = re.findall(r"base64,([^\")]+)", text)
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(urls[0]))))
    with Image.open(images[0]) as image:
        pixels = model.task.codec.backbone.pixels(image)  # type: ignore[attr-defined]
    assert np.array_equal(shown, pixels.permute(1, 2, 0).numpy())
    veil = np.asarray(Image.open(io.BytesIO(base64.b64decode(urls[1]))))[..., 3]
    assert veil.shape == GRID
    assert (veil == veil.min()).tolist() == (maps[0] > maps[0].max() * 0.997).tolist()


def test_a_file_may_have_any_name(tmp_path: Path, told: Any) -> None:
    image = picture(tmp_path / os.fsdecode(b"\xff $x_1$ 100%.png"))
    assert len(told(image, "--out", tmp_path / "out")) == 1
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path, told: Any) -> None:
    image = picture(tmp_path / f"{'ä' * 125}.png")
    assert len(told(image, "--out", tmp_path / "out")) == 1
    assert len(list((tmp_path / "out").glob("1-ä*.png"))) == 1


def test_overlays_are_bright_where_the_weight_is(run: Path, tmp_path: Path) -> None:
    picture_SS3, map_RC = np.full((28, 28, 3), 200.0), np.zeros((7, 7))
    map_RC[1, 5] = 0.3
    shown = shaded(picture_SS3, map_RC)
    assert (4 <= shown[:, :, 0].max(1).argmax() < 8, 20 <= shown[:, :, 0].max(0).argmax() < 24) == (True, True)
    assert shown[20:, :12].max() == int(200 * DARKEST)
    strip = WordMaps(picture_SS3, map_RC[None].repeat(8, 0), tuple("abcdefgh"))
    titles = [axes.get_title() for axes in strip.figure().axes]
    assert [title for title in titles if title] == list("abcdefgh")
    assert "7 x 7 cells" in strip.caption


def test_from_python(run: Path, tmp_path: Path) -> None:
    image = picture(tmp_path / "0.png")
    model = augrnn.load(run)
    captions = model.caption(image, 2)
    assert len(captions) == 2
    assert captions.text == model.predict(str(image))
    assert repr(captions).startswith(captions.text)
    assert "<figcaption>" in captions._repr_html_()
    captions.exhibit().save(tmp_path / "strip.png")
    assert (tmp_path / "strip.png").stat().st_size > 1000


def test_two_runs_are_an_ensemble(run: Path, tmp_path: Path) -> None:
    other = randomised(Path(shutil.copytree(run, tmp_path / "other")), seed=1)
    image = picture(tmp_path / "0.png")
    one, two, both = (Captioner(list(map(load, runs))).caption(image)[0] for runs in ([run], [other], [run, other]))
    assert one.maps_MRC.shape != two.maps_MRC.shape or not np.allclose(one.maps_MRC, two.maps_MRC)
    assert both.maps_MRC.sum((1, 2)) == pytest.approx(np.ones(len(both.words)), abs=1e-5)
    np.testing.assert_allclose(both.maps_MRC[0], (one.maps_MRC[0] + two.maps_MRC[0]) / 2, atol=1e-5)


def test_a_tuned_encoder_captions_from_pixels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tuned = made(tmp_path / "seed-0", corpus(tmp_path / "data"), tuned=True)
    assert main(["caption", str(picture(tmp_path / "0.png")), "--run", str(tuned), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.strip()


# Images of every kind ------------------------------------------------------------------------------------------------


def kinds(folder: Path) -> dict[str, Path]:
    """The same picture in every way that its pixels may be kept, and others of odd sizes."""
    folder.mkdir()
    plain = Image.open(picture(folder / "plain.png")).convert("RGB")
    grey = plain.convert("L")
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by a quarter
    sixteen = Image.fromarray((np.asarray(grey).astype(np.uint16)) * 257)
    palette = plain.convert("RGBA")
    palette.putpixel((0, 0), (0, 0, 0, 0))
    saved: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "grey.png": (grey, {}),
        "cmyk.tiff": (plain.convert("CMYK"), {}),
        "palette.gif": (palette.quantize(64), {"transparency": 0}),
        "sixteen.png": (sixteen, {}),
        "exif.tiff": (plain.transpose(Image.Transpose.ROTATE_90), {"exif": turned}),
        "one.png": (plain.resize((1, 1)), {}),
        "wide.png": (plain.resize((10_000, 3)), {}),
    }
    for name, (image, options) in saved.items():
        image.save(folder / name, **options)
    return {path.name: path for path in sorted(folder.iterdir())}


def test_images_of_every_kind_are_captioned(tmp_path: Path, told: Any) -> None:
    found = kinds(tmp_path / "kinds")
    lines = dict(zip(found, told(*found.values(), "--out", tmp_path / "out"), strict=True))
    assert all(lines.values())
    assert lines["exif.tiff"] == lines["plain.png"]
    assert lines["sixteen.png"] == lines["grey.png"]
    assert len(list((tmp_path / "out").glob("*.png"))) == len(found)


def test_files_that_are_no_images_are_refused_each_in_a_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = picture(tmp_path / "good.png")
    (tmp_path / "text.jpg").write_text("this is a text")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:60])
    bad = [tmp_path / name for name in ("text.jpg", "empty.jpg", "cut.png", "gone.jpg")] + [tmp_path]
    words = ["caption", *map(str, bad[:2]), str(good), *map(str, bad[2:]), "--run", str(run)]
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    lines = err.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("augrnn: error: ") for line in lines)
    assert all(str(path) in line for path, line in zip(bad, lines, strict=True))
    assert main(["caption", str(bad[0]), "--run", str(run)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


# Refused -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--best", "4"], "1 <= best <= beam"),
        (["--best", "0"], "--best"),
        (["--beam", "21"], "wider than the target vocabulary of 20"),
        (["--length-penalty", "-1"], "length penalty >= 0"),
    ],
)
def test_impossible_searches_are_refused(
    words: list[str], message: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", str(picture(tmp_path / "0.png")), "--run", str(run), *words]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_a_model_without_attention_captions_and_has_no_maps(
    blind: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["caption", str(picture(tmp_path / "0.png")), "--run", str(blind)]
    assert main(words) == 0
    assert capsys.readouterr().out.strip()
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    assert "without attention there are no maps to draw" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_is_no_folder_or_no_name_is_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = str(picture(tmp_path / "0.png"))
    assert main(["caption", image, "--run", str(run), "--out", image]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "0.png is a file: --out needs a folder" in err
    assert main(["caption", "a\0b", "--run", str(run)]) == 2
    assert "cannot read 'a\\x00b'" in capsys.readouterr().err


def test_a_run_whose_weights_are_gone_says_so(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copied = Path(shutil.copytree(run, tmp_path / "copied"))
    content = torch.load(copied / LAST)
    config = yaml.safe_load(content[CONFIG_KEY])
    config["data"]["init_args"]["backbone"]["init_args"]["weights"] = "gone.pth"
    content[CONFIG_KEY] = yaml.safe_dump(config)
    torch.save(content, copied / LAST)
    assert main(["caption", str(picture(tmp_path / "0.png")), "--run", str(copied)]) == 2
    err = capsys.readouterr().err
    assert "cannot be followed here: there is no file gone.pth" in err
    assert err.count("\n") == 1


def test_empty_captions_have_a_page_without_overlays(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = Path(shutil.copytree(run, tmp_path / "silent"))
    content = torch.load(silent / LAST)
    content["state_dict"]["decoder.vocabulary_layer.bias"][EOS] += 100
    torch.save(content, silent / LAST)
    words = ["caption", str(picture(tmp_path / "0.png")), "--run", str(silent), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    assert capsys.readouterr() == ("\n", "")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [PAGE]


def test_other_runs_are_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = str(picture(tmp_path / "0.png"))
    assert main(["caption", image, "--run", str(tmp_path / "none")]) == 2
    assert "there is no such file" in capsys.readouterr().err
    assert main(["caption", image, "--run", str(run), "--run", str(run), "--checkpoint", str(run / LAST)]) == 2
    assert "give one --run with --checkpoint" in capsys.readouterr().err
    (tmp_path / "text").write_text("a dog\n")
    assert main(["translate", str(tmp_path / "text"), "--run", str(run)]) == 2
    assert "translate needs one of Translation" in capsys.readouterr().err
    with pytest.raises(UserError, match="nothing to caption"):
        load_once(run).caption([])
