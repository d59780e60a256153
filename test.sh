#!/usr/bin/env bash
# The whole test suite. On Debian as root it first installs what the end-to-end and browser tests need (Chromium, Node.js and the exporters
# from npm); elsewhere the tests that lack something are skipped by name. Ends with "N passed, N failed, N skipped".
#   ./test.sh              everything
#   ./test.sh Telemetry    the test projects whose name contains the word
set -u
cd "$(dirname "$0")"
only="${1:-}"
results="$PWD/.test/results"
rm -rf "$results"; mkdir -p "$results"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export PLAYWRIGHT_NODEJS_PATH="${PLAYWRIGHT_NODEJS_PATH:-$(command -v node || true)}"
failed_steps=0

install_packages() {
  local missing=()
  command -v chromium >/dev/null || missing+=(chromium)
  command -v node >/dev/null || missing+=(nodejs npm)
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]}"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$results/apt.log" 2>&1 \
      || echo "could not install ${missing[*]} (see $results/apt.log): the tests that need them are skipped by name"
  else
    echo "not installed: ${missing[*]}: the tests that need them are skipped by name"
  fi
}

install_exporters() {
  local folder=tests/EndToEnd/exporters
  [ -f "$folder/package-lock.json" ] || return 0
  command -v npm >/dev/null || return 0
  if [ ! -d "$folder/node_modules" ] || [ "$folder/package-lock.json" -nt "$folder/node_modules/.package-lock.json" ]; then
    echo "installing the OpenTelemetry exporters from npm"
    npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error >"$results/npm.log" 2>&1 \
      || echo "npm could not install the exporters (see $results/npm.log): the tests that need them are skipped by name"
  fi
}

check_modules() {
  [ -f Web/assets/package-lock.json ] && command -v npm >/dev/null || return 0
  [ -z "$only" ] || return 0
  if [ ! -d Web/assets/node_modules ]; then
    npm ci --prefix Web/assets --no-audit --no-fund --loglevel=error >>"$results/npm.log" 2>&1 || { echo "npm could not install the type checker: the modules are not checked"; return 0; }
  fi
  echo "checking the ES modules"
  npm run --silent --prefix Web/assets check || { echo "the ES modules have type errors"; failed_steps=$((failed_steps + 1)); }
}

install_packages
install_exporters
check_modules

echo "building"
if ! dotnet build Apm.sln -c Release -v q >"$results/build.log" 2>&1; then
  grep -E "error|warn" "$results/build.log" | sort -u | head -40
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi

run() { # run PROJECT
  local name; name=$(basename "$1" .csproj)
  echo "== $name"
  timeout 900 dotnet test "$1" -c Release --no-build --nologo --logger "trx;LogFileName=$name.trx" --results-directory "$results" >"$results/$name.log" 2>&1 || {
    grep -vE "^\s*$" "$results/$name.log" | tail -n 120
    [ -f "$results/$name.trx" ] || failed_steps=$((failed_steps + 1))
  }
  grep -E "^(Passed|Failed|Skipped)!" "$results/$name.log" || true
}

for project in tests/*/*.csproj; do
  grep -q "ApmTestLibrary" "$project" && continue
  case "$project" in *"$only"*) run "$project" ;; esac
done

count() { # count ATTRIBUTE: added over the result files
  cat "$results"/*.trx 2>/dev/null | grep -o "<Counters [^>]*" | grep -o " $1=\"[0-9]*\"" | grep -o "[0-9]*" | awk '{ sum += $1 } END { print sum + 0 }'
}
passed=$(count passed)
total=$(count total)
executed=$(count executed)
failed=$((executed - passed + failed_steps))
skipped=$((total - executed))
grep -hoE 'outcome="NotExecuted"[^>]*testName="[^"]*"|testName="[^"]*"[^>]*outcome="NotExecuted"' "$results"/*.trx 2>/dev/null | grep -oE 'testName="[^"]*"' | sed 's/testName=/skipped: /' | sort -u
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
