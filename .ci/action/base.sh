#!/usr/bin/env bash
# Say which commit the change starts from, and fetch it where the checkout is shallow.
set -euo pipefail
if [[ ! ${BASE:-} =~ ^[0-9a-f]{40}$ || $BASE =~ ^0+$ ]]; then
  echo "::error::baseline: base needs a pull request, or a push that moved a branch; use baseline: committed"
  exit 1
fi
git cat-file -e "$BASE^{commit}" 2>/dev/null || git fetch --quiet --depth=1 origin "$BASE"
echo "commit=$BASE" >>"$GITHUB_OUTPUT"
