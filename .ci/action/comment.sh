#!/usr/bin/env bash
# Write the Markdown report as one comment of the pull request, and change that comment when it is there.
# NAME is what name.sh says, NUMBER the pull request's, FOLDER the reports', ARTIFACT the address of the uploaded reports.
set -euo pipefail
marker="<!-- pytest-$NAME -->"
body=$FOLDER/comment.md
[ -f "$FOLDER/dealsnap.md" ] || { echo "no report: nothing to comment"; exit 0; }
{
  echo "$marker"
  [ "$NAME" = dealsnap ] || printf '`%s`\n\n' "${NAME#dealsnap.}"
  cat "$FOLDER/dealsnap.md"
  [ -z "${ARTIFACT:-}" ] || printf '\n[The whole report](%s), with every deal\n' "$ARTIFACT"
} >"$body"
comments=repos/$GITHUB_REPOSITORY/issues
id=$(gh api --paginate "$comments/$NUMBER/comments" --jq ".[] | select(.body | startswith(\"$marker\")) | .id" | head -n 1)
if [ -n "$id" ]; then
  gh api --silent --method PATCH "$comments/comments/$id" --field "body=@$body"
else
  gh api --silent --method POST "$comments/$NUMBER/comments" --field "body=@$body"
fi
