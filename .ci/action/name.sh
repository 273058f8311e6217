#!/usr/bin/env bash
# Name the reports of this folder, so that several systems of one repository keep artefacts, caches and comments apart.
set -euo pipefail
folder=$(git rev-parse --show-prefix 2>/dev/null || true)
folder=${folder%/}
echo "name=dealsnap${folder:+.${folder//[^A-Za-z0-9._]/-}}" >>"$GITHUB_OUTPUT"
