#!/usr/bin/env bash
# Reproduces experiments, prints the verdicts on their claims and draws their pictures:
#   scripts/reproduce.sh [EXPERIMENT ... [OPTIONS]]
# Without arguments: attention against a fixed vector on reversal, then the Neural Turing Machine on copy; no download.
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
if [ $# -eq 0 ]; then
  set -- attention/reversal ntm/copy --scale smoke
  export AUGRNN_COMPILE=${AUGRNN_COMPILE:-0}  # so short trainings are over before compiling has paid
fi
exec .venv/bin/augrnn reproduce "$@"
