#!/usr/bin/env bash
# Reproduces experiments, prints the verdicts on their claims and draws their pictures:
#   scripts/reproduce.sh [EXPERIMENT ... [OPTIONS]]
# Without arguments: attention against a fixed vector on reversal, then the Neural Turing Machine on copy; no download.
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
[ $# -gt 0 ] || set -- attention/reversal ntm/copy --scale smoke
exec .venv/bin/augrnn reproduce "$@"
