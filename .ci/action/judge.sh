#!/usr/bin/env bash
# Gate all deals, gate a shard, or merge the reports of shards; say status, verdict and where the reports are.
# MODE, BASELINE, BASE, SHARD, INSTALL and ARGUMENTS are the action's inputs, NAME what name.sh says.
set -euo pipefail
reports=$RUNNER_TEMP/dealsnap
baseline=$RUNNER_TEMP/dealsnap-baseline
mkdir -p "$reports"
arguments=()
[ -z "$ARGUMENTS" ] || read -ra arguments <<<"$ARGUMENTS"

in_environment() { # NAME: make a virtual environment and install the project of this folder there
  python -m venv "$RUNNER_TEMP/venv-$1"
  # shellcheck disable=SC1091
  . "$RUNNER_TEMP/venv-$1/bin/activate"
  bash -euo pipefail -c "$INSTALL"
}

say() { echo "$1=$2" >>"$GITHUB_OUTPUT"; }

capture_base() {
  # What a killed job left is no baseline: the manifest is written last.
  [ ! -f "$baseline/manifest.json" ] || return 0
  local here tree=$RUNNER_TEMP/dealsnap-base
  here=$(git rev-parse --show-prefix)
  git worktree add --quiet --detach "$tree" "$BASE"
  (
    cd "$tree/$here"
    in_environment base
    pytest --dealsnap-update "--dealsnap-snapshots=$baseline" "${arguments[@]}"
  )
  git worktree remove --force "$tree"
  say captured true
}

# With a space, pytest would take the path for one of its own, and look for the root folder above it.
status=0
case $MODE in
gate | shard)
  if [ "$BASELINE" = base ]; then
    capture_base
    arguments+=("--dealsnap-snapshots=$baseline")
  fi
  name=$NAME
  if [ "$MODE" = shard ]; then
    [[ $SHARD =~ ^[0-9]+/[0-9]+$ ]] || { echo "::error::mode: shard needs shard: I/N, such as 1/4"; exit 1; }
    name=$NAME-shard-${SHARD%/*}
    arguments+=(--dealsnap-shard "$SHARD" "--dealsnap-report=json:$reports/shard-${SHARD%/*}.json")
  else
    arguments+=("--dealsnap-report=json:$reports/dealsnap.json" "--dealsnap-report=html:$reports/dealsnap.html"
      "--dealsnap-report=markdown:$reports/dealsnap.md" --dealsnap-report=github:-)
  fi
  say name "$name"
  say folder "$reports"
  in_environment head
  pytest --dealsnap "${arguments[@]}" || status=$?
  ;;
merge)
  say name "$NAME"
  say folder "$reports"
  in_environment head
  dealsnap merge "$RUNNER_TEMP"/shards/*.json --report "json:$reports/dealsnap.json" \
    --report "html:$reports/dealsnap.html" --report "markdown:$reports/dealsnap.md" --report github:- || status=$?
  ;;
*)
  echo "::error::mode: $MODE is none of gate, shard, merge"
  exit 1
  ;;
esac
say status "$status"
[ ! -f "$reports/dealsnap.json" ] || say verdict "$(python -c '
import json, sys
verdict = json.load(open(sys.argv[1], encoding="utf-8"))["verdict"]
print(verdict["action"] if verdict else "")' "$reports/dealsnap.json")"
