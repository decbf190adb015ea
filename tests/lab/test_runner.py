from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from augrnn import files
from augrnn.errors import UserError
from augrnn.lab import progress, runner
from augrnn.lab.committed_record import read_record, results_path
from augrnn.lab.experiment import load
from augrnn.lab.plan import Run

if TYPE_CHECKING:
    from tests.lab.conftest import World


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def states(outcome: runner.Outcome) -> dict[str, str]:
    return {claim: verdict.state for claim, verdict in outcome.record.verdicts.items()}


def legs(world: World, variant: str, seed: int) -> list[dict[str, Any]]:
    return read(world.folder(variant, seed) / "provenance.json")["legs"]


def lines(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def plain_console() -> Console:
    return Console(file=io.StringIO(), width=200)


@pytest.mark.parametrize("given", [{}, {"SLURM_NTASKS": "2"}, {"SLURM_JOB_ID": "7", "SLURM_PROCID": "1"}])
def test_what_a_pool_starts_is_no_task_of_slurms(
    given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MINE", "kept")
    wrote = "import os; print(sorted(name for name in os.environ if name.startswith('SLURM')), os.environ['MINE'])"
    run = Run("e/x", "smoke", "v", 0, "f", {})
    with progress.Progress(plain_console(), total=1, jobs=1, seconds=1, curves=()) as shown:
        runner.Pool(lambda _: [sys.executable, "-c", wrote], tmp_path, 1, 1, shown).do([run])
    assert (run.folder(tmp_path) / "log.txt").read_text().strip() == "[] kept"


def test_a_plan_becomes_a_committed_record_with_exhibits(world: World) -> None:
    console = plain_console()
    outcome = world.reproduce(console=console, commit=True)
    assert outcome.complete
    assert outcome.committed == world.experiments / "toy/learn/results/smoke.json"
    assert outcome.committed.read_text() == outcome.record.encoded()
    assert read_record(results_path(world.experiments, "toy/learn", "smoke")) == outcome.record
    assert states(outcome) == {"learns": "reproduced", "beats": "reproduced"}
    assert [(run.variant, run.seed) for run in outcome.record.runs] == [
        ("bad", 0), ("bad", 1), ("good", 0), ("good", 1)
    ]  # fmt: skip
    good = outcome.record.runs[2]
    assert (good.updates, good.sequences, good.parameters, good.status) == (5, 80, 7, "finished")
    assert good.measures == {"solved": True, "cost": 0.25, "by length": {"10": 0.25}}
    assert good.curves["val/cost"]["values"] == [4, 2, 1, 0.5, 0.25]
    shown = read(world.experiments / "toy/learn/exhibits/smoke.json")
    assert list(shown) == ["learning", "bad-0", "bad-1", "good-0", "good-1"]
    assert shown["good-0"]["rows"] == [["0.25"]]
    pictures = world.experiments / "toy/learn/figures/smoke"
    assert sorted(path.stem for path in pictures.iterdir()) == sorted(shown)
    assert "good seed 0: started" in lines(console)
    assert "good seed 1: finished after" in lines(console)
    assert "val/cost 0.25" in lines(console)


def test_a_run_has_one_thread_and_leaves_word_of_its_surroundings(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "cores", lambda: 6)
    console = plain_console()
    world.reproduce(variants=["good"], seeds=1, jobs=None, console=console)
    world.reproduce(variants=["bad"], jobs=2)
    assert "1 at once" in lines(console)
    leg = legs(world, "good", 0)[0]
    assert (leg["threads"], legs(world, "bad", 0)[0]["threads"]) == (1, 1)
    assert leg["outcome"] == "ended"
    assert leg["hardware"]
    assert leg["versions"]["numpy"]


def test_finished_runs_are_kept(finished: World) -> None:
    path = finished.experiments / "toy/learn/results/smoke.json"
    before = path.read_text()
    finished.reproduce(command=lambda *_: pytest.fail("nothing is left to do"))
    assert path.read_text() == before


def test_more_seeds_add_runs_and_fresh_does_all_again(finished: World) -> None:
    assert finished.reproduce(seeds=3).complete
    assert [len(legs(finished, "good", seed)) for seed in range(3)] == [1, 1, 1]
    before = legs(finished, "good", 0)[0]
    finished.reproduce(fresh=True)
    assert len(legs(finished, "good", 0)) == 1
    assert legs(finished, "good", 0)[0] != before


def with_a_new_measure(world: World) -> World:
    path = world.experiments / "toy/learn/experiment.py"
    path.write_text(path.read_text().replace('{"solved":', '{"twice": 2 * trained.cost, "solved":'))
    return world


def test_finished_runs_are_measured_again_without_training(finished: World) -> None:
    before = read(finished.experiments / "toy/learn/results/smoke.json")["runs"]
    metrics = [finished.folder(run["variant"], run["seed"]) / "metrics.csv" for run in before]
    rows = [path.read_text() for path in metrics]
    outcome = with_a_new_measure(finished).reproduce(measure_again=True)
    assert outcome.complete
    for run in before:
        run["measures"] |= {"twice": 2 * run["measures"]["cost"]}
    assert [asdict(run) for run in outcome.record.runs] == before
    assert [path.read_text() for path in metrics] == rows
    assert [len(legs(finished, run["variant"], run["seed"])) for run in before] == [2] * 4
    again = finished.reproduce(measure_again=True, variants=["good"], seeds=1).record
    assert [asdict(run) for run in again.runs] == before[2:3]
    assert [len(legs(finished, "good", seed)) for seed in range(2)] == [3, 2]
    finished.reproduce(command=lambda *_: pytest.fail("nothing is left to do"))


def test_the_time_of_a_run_is_that_of_its_training_however_often_it_is_measured(finished: World) -> None:
    summary = finished.folder("good", 0) / "summary.json"
    summary.write_text(json.dumps({**read(summary), "seconds": 1234.5}))
    for _ in range(2):
        finished.reproduce(measure_again=True, variants=["good"], seeds=1)
        assert read(summary)["seconds"] == 1234.5
    finished.reproduce(fresh=True, variants=["good"], seeds=1)
    assert read(summary)["seconds"] < 1000


def test_a_run_that_broke_while_measured_again_is_measured_by_the_plain_command(finished: World) -> None:
    seconds = read(finished.folder("good", 0) / "summary.json")["seconds"]
    path = finished.experiments / "toy/learn/experiment.py"
    text = path.read_text()
    path.write_text(text.replace("import numpy as np\n\n", "raise RuntimeError('a bug')\n\n"))
    outcome = finished.reproduce(measure_again=True, variants=["good"], seeds=1)
    assert list(outcome.crashed.values()) == ["exit status 1: RuntimeError: a bug"]
    path.write_text(text)
    with_a_new_measure(finished)
    assert finished.reproduce(seeds=1).record.runs[1].measures["twice"] == 0.5
    assert read(finished.folder("good", 0) / "summary.json")["seconds"] == seconds


def test_measuring_again_leaves_failed_runs_alone_and_does_what_is_left(world: World) -> None:
    world.write("diverge").reproduce(seeds=1)
    started = []
    outcome = world.reproduce(
        measure_again=True, command=lambda run, *place: started.append(str(run)) or world.command(run, *place)
    )
    assert sorted(started) == ["bad seed 1", "good seed 0", "good seed 1"]
    assert [run.status for run in outcome.record.runs] == ["failed", "failed", "finished", "finished"]


def test_a_run_without_its_checkpoint_is_never_trained_again_to_be_measured(finished: World) -> None:
    (finished.folder("bad", 1) / "checkpoints" / "last.ckpt").unlink()
    with pytest.raises(UserError, match=r"checkpoints of 1 finished runs are gone \(bad seed 1\).*--variants"):
        finished.reproduce(measure_again=True, command=lambda *_: pytest.fail("nothing may start"))
    assert all((finished.folder(name, seed) / "summary.json").exists() for name in ("good", "bad") for seed in (0, 1))
    assert not finished.reproduce(measure_again=True, variants=["good"]).crashed


def test_a_diverged_run_is_a_result_that_counts(world: World) -> None:
    outcome = world.write("diverge").reproduce()
    assert outcome.complete
    assert not outcome.crashed
    assert states(outcome) == {"learns": "reproduced", "beats": "not reproduced"}
    failed = outcome.record.runs[0]
    assert failed.status == "failed"
    assert failed.error == "the loss is not finite at update 3"
    assert failed.measures == {}
    assert len(failed.curves["val/cost"]["values"]) == 2
    world.reproduce(command=lambda *_: pytest.fail("a diverged run is not tried again unasked"))
    started = []
    world.reproduce(retry=True, command=lambda run, *place: started.append(run.variant) or world.command(run, *place))
    assert started == ["bad", "bad"]


@pytest.mark.parametrize(
    ("behaviour", "reason"), [("crash", "exit status 1: RuntimeError: a bug"), ("kill", "killed by SIGKILL")]
)
def test_a_broken_run_leaves_the_rest_alone_and_resumes(world: World, behaviour: str, reason: str) -> None:
    outcome = world.write(behaviour).reproduce()
    assert set(outcome.crashed.values()) == {reason}
    assert not outcome.complete
    assert outcome.folder == world.runs / "toy/learn/smoke"
    assert states(outcome) == {"learns": "reproduced", "beats": "not run"}
    assert not (world.experiments / "toy/learn/results").exists()
    for seed in range(2):
        (world.folder("bad", seed) / "checkpoints" / "mended").touch()
    outcome = world.reproduce()
    assert outcome.complete
    first, second = legs(world, "bad", 0)
    assert first["outcome"] == ("killed" if behaviour == "kill" else "RuntimeError: a bug")
    assert first["seconds"] >= 0
    assert second["outcome"] == "ended"
    assert outcome.record.runs[0].curves["val/cost"]["updates"] == [1, 2, 3, 4, 5]
    assert outcome.record.runs[0].seconds >= round(first["seconds"])


def stop_soon(world: World, number: int) -> threading.Thread:
    """Signal this process once both runs that wait to be stopped have got as far as they will."""

    def stop() -> None:
        waiting = [world.folder("bad", seed) / "checkpoints" / "last.ckpt" for seed in range(2)]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not all(path.exists() and path.read_text() == "2" for path in waiting):
            time.sleep(0.01)
        time.sleep(0.2)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=stop)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_experiment_resumes_to_the_same_record(world: World, number: int) -> None:
    console = plain_console()
    thread = stop_soon(world.write("wait"), number)
    with pytest.raises(SystemExit) as stopped:
        world.reproduce(console=console)
    thread.join()
    assert stopped.value.code == 130
    assert "the same command resumes" in lines(console)
    assert not (world.folder("bad", 0) / "summary.json").exists()
    assert legs(world, "bad", 0)[0]["outcome"] == "SystemExit: 143"
    outcome = world.reproduce()
    assert outcome.complete
    assert outcome.record.runs[0].curves["val/cost"]["values"] == [4, 2, 1, 0.5, 0.25]


def test_outdated_runs_are_refused_and_only_they_start_over(finished: World) -> None:
    finished.write("learn")
    with pytest.raises(UserError, match=r"settings of 2 runs have changed .*bad seed 0.*--retry"):
        finished.reproduce()
    started = []
    finished.reproduce(
        retry=True, command=lambda run, *place: started.append(str(run)) or finished.command(run, *place)
    )
    assert started == ["bad seed 0", "bad seed 1"]


@pytest.mark.parametrize("left", ["checkpoints/last.ckpt", "summary.json"])
def test_a_run_without_its_settings_on_record_is_not_taken_up(finished: World, left: str) -> None:
    folder = finished.folder("bad", 1)
    for path in list(folder.glob("**/*")):
        if path.is_file() and path.relative_to(folder).as_posix() != left:
            path.unlink()
    (folder / left).parent.mkdir(parents=True, exist_ok=True)
    (folder / left).write_text("2")
    with pytest.raises(UserError, match=r"no provenance.json says how .*: bad seed 1; .*--retry"):
        finished.reproduce()
    started = []
    finished.reproduce(
        retry=True, command=lambda run, *place: started.append(str(run)) or finished.command(run, *place)
    )
    assert started == ["bad seed 1"]


def test_comments_in_a_config_outdate_nothing_and_values_do(finished: World) -> None:
    config = finished.root / "configs/toy.yaml"
    config.write_text("# as the paper has it\n" + config.read_text())
    finished.reproduce(command=lambda *_: pytest.fail("nothing is left to do"))
    config.write_text("model: {behaviour: learn, rate: 1}\n")
    with pytest.raises(UserError, match="settings of 4 runs"):
        finished.reproduce()
    config.write_text("model: {behaviour: other}\n")  # which the variant `bad` has otherwise anyway
    with pytest.raises(UserError, match=r"settings of 2 runs have changed since they ran \(good seed 0, good seed 1\)"):
        finished.reproduce()


@pytest.mark.parametrize(
    ("options", "state"),
    [({"seeds": 1}, {"learns": "reproduced", "beats": "reproduced"}),
     ({"variants": ["good"]}, {"learns": "reproduced", "beats": "not run"})],
)  # fmt: skip
def test_a_part_of_the_plan_never_replaces_a_complete_record(
    finished: World, options: dict[str, Any], state: dict[str, str]
) -> None:
    before = contents(finished.experiments)
    part = finished.reproduce(**options)
    assert not part.complete
    assert part.committed is None
    assert states(part) == state
    with pytest.raises(UserError, match="--record needs every run of toy/learn at scale smoke: leave out --variants"):
        finished.reproduce(**options, commit=True, fresh=True, command=lambda *_: pytest.fail("nothing may start"))
    assert contents(finished.experiments) == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def test_results_stand_in_the_runs_folder_and_nothing_beside_the_experiment_changes(world: World) -> None:
    before = contents(world.experiments)
    outcome = world.reproduce()
    assert contents(world.experiments) == before
    folder = world.runs / "toy/learn/smoke"
    assert outcome.folder == folder
    assert (folder / "results.json").read_text() == outcome.record.encoded()
    assert list(read(folder / "exhibits.json")) == list(outcome.exhibits)
    assert [path.read_bytes()[:4] for path in outcome.pictures] == [b"\x89PNG"] * len(outcome.exhibits)
    page = outcome.page.read_text()
    assert "It learns | always." in page
    assert "2 claims: 2 reproduced (2 thin)" in page
    assert "<td>reproduced, thin: 2 seeds</td>" in page
    assert all(f'src="figures/{path.name}"' in page for path in outcome.pictures)
    shown = outcome._repr_html_()
    assert "data:image/png;base64," in shown
    assert "figures/" not in shown


def test_a_mistake_of_the_users_ends_in_one_line(world: World) -> None:
    with pytest.raises(UserError, match=r"^there is no data set; set AUGRNN_DATA$"):
        world.write("mistake").reproduce(jobs=1)
    assert not world.folder("good", 1).exists()
    assert not (world.experiments / "toy/learn/results").exists()


def test_two_processes_never_work_on_one_run(world: World) -> None:
    with (
        files.locked(world.folder("good", 0)),
        pytest.raises(UserError, match=r"another process is at work in .*seed-0"),
    ):
        world.reproduce(jobs=1)
    with files.locked(world.folder("good", 0)), pytest.raises(UserError, match="another process"):
        world.reproduce(fresh=True)


def test_a_folder_and_a_variant_may_be_plain_text(world: World) -> None:
    elsewhere = world.root / "elsewhere"
    given: dict[str, Any] = {"console": Console(quiet=True), "command": world.command, "experiments": world.experiments}
    runner.reproduce("toy/learn", seeds=1, variants="good", runs=str(elsewhere), **given)
    (done,) = elsewhere.glob("toy/learn/smoke/*/*/summary.json")
    assert done.parent == elsewhere / "toy/learn/smoke/good/seed-0"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": "smal"}, "did you mean small"),
        ({"variants": ["godo"]}, "did you mean good"),
        ({"seeds": 0}, "--seeds must be a whole number from 1 to 1,000"),
        ({"seeds": 1_000_000_000}, "--seeds must be a whole number from 1 to 1,000"),
        ({"variants": []}, "--variants names none; toy/learn has good, bad"),
        ({"jobs": 0}, "--jobs must be a whole number from 1 to 1,000"),
        ({"fresh": True, "measure_again": True}, r"^--fresh .* and --measure-again .*: choose one$"),
    ],
)
def test_bad_options(world: World, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        world.reproduce(**options)


@pytest.mark.parametrize("dry", [False, True])
def test_what_contradicts_itself_is_refused_before_anything_is_deleted(finished: World, dry: bool) -> None:
    plan = load("toy/learn", finished.experiments).plan("smoke", finished.experiments)
    before = contents(finished.runs)
    with pytest.raises(UserError, match=r"--measure-again .*: choose one"):
        runner.left_to_do(plan, finished.runs, fresh=True, measure_again=True, dry=dry)
    assert contents(finished.runs) == before


def test_an_unwritable_runs_folder(world: World) -> None:
    world.runs.write_text("a file where a folder should be")
    with pytest.raises(UserError, match=r"cannot write in"):
        world.reproduce()


def test_the_worker_is_started_as_a_module_of_this_python(world: World) -> None:
    run = world.experiment.plan("smoke", world.experiments)[1]
    assert runner.worker_command(run, Path("e"), Path("r")) == [
        sys.executable, "-m", "augrnn.lab.run_process", "toy/learn", "smoke", "bad", "0",
        "--experiments", "e", "--runs", "r"
    ]  # fmt: skip


def test_progress_reports_now_and_then_where_there_is_no_terminal(world: World) -> None:
    console = plain_console()
    thread = stop_soon(world.write("wait"), signal.SIGINT)
    with pytest.raises(SystemExit):
        world.reproduce(console=console, heartbeat=0.05)
    thread.join()
    assert "of 4 runs done, 2 at work, about" in lines(console)
    assert "bad seed 0: step 2, sequences 32, val/cost 2" in lines(console)


def test_progress_is_a_live_table_on_a_terminal(world: World) -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    run = world.experiment.plan("smoke", world.experiments)[0]
    folder = world.folder("good", 0)
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text("step,epoch,sequences,val/cost\n4,0,64,\n4,0,,2.5\n")
    with progress.Progress(console, total=4, jobs=2, seconds=3600, curves=("val/cost",)) as shown:
        shown.started(run, folder)
        shown._reported -= 2
        shown.beat()
        shown.ended(run, "finished")
    assert "step 4, sequences 64, val/cost 2.5" in lines(console)
    assert "0 of 4 runs done, 1 at work, about 2.0 h left" in lines(console)


def test_the_time_left_follows_from_the_updates_of_this_leg(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("trainer: {max_steps: 100, max_epochs: -1}\n")
    metrics = tmp_path / "metrics.csv"
    metrics.write_text("step,val/cost\n40,3\n")  # from an earlier leg
    clock = progress.Clock(tmp_path)
    clock._start -= 60
    assert clock.left() is None
    metrics.write_text("step,val/cost\n40,3\n60,2\n")
    assert clock.left() == pytest.approx(120, abs=1)
    (tmp_path / "config.yaml").write_text("trainer: {max_steps: -1, max_epochs: null}\n")
    assert clock.left() is None


def test_the_latest_metrics_are_found_at_the_end_of_a_long_file(tmp_path: Path) -> None:
    rows = [f"{step},{16 * step},{1 / step}" for step in range(1, 5000)]
    (tmp_path / "metrics.csv").write_text("\n".join(["step,sequences,val/cost", *rows]) + "\n")
    latest = progress.latest_metrics(tmp_path / "metrics.csv", ("val/cost",))
    assert latest == "step 4,999, sequences 79,984, val/cost 0.0002"
    assert progress.latest_metrics(tmp_path / "none.csv", ()) == ""
