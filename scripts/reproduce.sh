#!/usr/bin/env bash
# Reproduces an experiment and prints the verdicts on its claims: scripts/reproduce.sh [EXPERIMENT [OPTIONS]]
# Without arguments: the copy task of the Neural Turing Machine at smoke scale, which needs no download.
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
[ $# -gt 0 ] || set -- ntm/copy --scale smoke
exec .venv/bin/augrnn reproduce "$@"
