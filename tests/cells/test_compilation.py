"""A compiler that is there but cannot build: one warning, and the same numbers eagerly."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch._dynamo.exc import BackendCompilerFailed
from torch._inductor.exc import CppCompileError, InductorError

from augrnn.cells import compilation
from augrnn.cells.gru import GRU
from augrnn.cells.lstm import LSTM
from augrnn.cells.unroll import unroll

OLD = "g++: error: unrecognized command line option '-std=c++20'"
NO_HEADERS = "x.cpp:1:10: fatal error: Python.h: No such file or directory"


def failing(error: Exception) -> Callable[..., Any]:
    def compile_(step: Any, **_: Any) -> Any:
        def compiled(*_: Any) -> Any:
            raise error

        return compiled

    return compile_


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InductorError(CppCompileError(["g++"], OLD), None), OLD),  # type: ignore[arg-type]
        (InductorError(CppCompileError(["g++"], NO_HEADERS), None), NO_HEADERS),  # type: ignore[arg-type]
        (BackendCompilerFailed("inductor", RuntimeError("killed"), None), "killed"),  # type: ignore[arg-type]
    ],
)
def test_a_failed_compilation_is_one_warning_and_eager_steps(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "available", lambda: True)
    monkeypatch.setattr(compilation, "_COMPILED", {})
    monkeypatch.setattr(compilation, "_BROKEN", [])
    monkeypatch.setattr(torch, "compile", failing(error))
    inputs = torch.randn(4, 2, 3)
    for cell in (LSTM(3, 5), GRU(3, 5)):
        if not compilation._BROKEN:
            with pytest.warns(UserWarning, match="the compiler cannot build") as warned:
                found = unroll(cell, inputs).y_TBO
            assert len(warned) == 1
            assert told in str(warned[0].message)
        else:
            found = unroll(cell, inputs).y_TBO  # a warning would be an error
        assert torch.equal(found, unroll(cell.eval(), inputs).y_TBO)


def test_faults_of_a_step_are_not_taken_for_the_compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "available", lambda: True)
    monkeypatch.setattr(compilation, "_COMPILED", {})
    monkeypatch.setattr(torch, "compile", failing(TypeError("of our own")))
    with pytest.raises(TypeError, match="of our own"):
        unroll(LSTM(3, 5), torch.randn(4, 2, 3))


def test_a_real_compiler_that_fails(tmp_path: Path) -> None:
    program = "import torch; from augrnn.cells.lstm import LSTM; from augrnn.cells.unroll import unroll\n"
    program += "unroll(LSTM(3, 5), torch.randn(4, 2, 3)).y_TBO.sum().backward()"
    settings = {"CXX": "/bin/false", "AUGRNN_COMPILE": "1", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("the compiler cannot build") == 1
    assert "Traceback" not in done.stderr


def test_a_machine_that_has_compiled_nothing_says_that_it_compiles(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(torch, "compile", lambda step, **_: step)
    compilation._compiled(LSTM)
    assert capsys.readouterr().err.startswith("augrnn: compiling the step of LSTM, once on this machine: 20 to 60")
    (tmp_path / "fxgraph").mkdir()
    compilation._compiled(LSTM)
    assert not capsys.readouterr().err
