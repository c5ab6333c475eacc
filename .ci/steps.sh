# Shared by .ci/run and .ci/matrix: each step runs whatever became of the others, and is counted.
passed=0
failed=0
failures=()

# A step that is no test runner counts as one.
step() {
  local name=$1
  shift
  echo "=== $name"
  if "$@" </dev/null; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failures+=("$name")
  fi
}

# A test runner counts what its last line says, `N passed, N failed`. Without that line, with nothing
# counted, or with a bad end that no count explains, it is one failure.
counted() {
  local name=$1 output status=0 last p=0 f=0
  shift
  echo "=== $name"
  output=$(mktemp)
  "$@" </dev/null 2>&1 | tee "$output" || status=$?
  last=$(grep -v '^npm ' "$output" | tail -n 1 || true)
  rm -f "$output"
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]}
  fi
  if ((f == 0 && (p == 0 || status != 0))); then f=1; fi
  passed=$((passed + p))
  failed=$((failed + f))
  if ((f > 0)); then failures+=("$name"); fi
}

finish() {
  if ((${#failures[@]} > 0)); then printf 'failed: %s\n' "${failures[@]}"; fi
  echo "$passed passed, $failed failed"
  if ((failed > 0 || passed == 0)); then exit 1; fi
}
