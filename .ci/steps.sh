# Shared by .ci/run and .ci/matrix: each step runs whatever became of the others, and is counted. What
# failed is told once more at the end, where a reader of nothing but the last lines finds it.
passed=0
failed=0
failures=()
output=$(mktemp)
told=$(mktemp)
trap 'rm -f "$output" "$told"' EXIT

# A step that is no test runner counts as one.
step() {
  local name=$1
  shift
  if run "$name" "$@"; then
    passed=$((passed + 1))
  else
    fail "$name" 1
  fi
}

# A test runner counts what its last line says, `N passed, N failed`. Without that line, with nothing
# counted, or with a bad end that no count explains, it is one failure.
counted() {
  local name=$1 status=0 last p=0 f=0
  shift
  run "$name" "$@" || status=$?
  last=$(grep -v '^npm ' "$output" | tail -n 1 || true)
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]}
  fi
  if ((f == 0 && (p == 0 || status != 0))); then f=1; fi
  passed=$((passed + p))
  if ((f > 0)); then fail "$name" "$f"; fi
}

run() {
  local start=$SECONDS status=0
  echo "=== $1"
  "${@:2}" </dev/null 2>&1 | tee "$output" || status=$?
  echo "=== $((SECONDS - start)) s"
  return "$status"
}

# Keeps what a test runner names below its `failures (N):`, or else the last lines that were said.
fail() {
  failed=$((failed + $2))
  failures+=("$1")
  {
    echo "--- $1"
    awk '/^failures \([0-9]+\):$/ { named = 1; text = ""; next }
      { text = text $0 "\n"; last[NR % 20] = $0 }
      END {
        if (named) printf "%s", text
        else for (i = NR - 19; i <= NR; i++) if (i > 0) print last[i % 20]
      }' "$output"
  } >>"$told"
}

finish() {
  cat "$told"
  if ((${#failures[@]} > 0)); then printf 'failed: %s\n' "${failures[@]}"; fi
  echo "$passed passed, $failed failed"
  if ((failed > 0 || passed == 0)); then exit 1; fi
}
