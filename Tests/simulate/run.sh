#!/bin/sh
# Runs the library on a simulated machine: schedules with crashes, faults of the disk, unruly models, tools and people, each decided by
# its seed.
#
#   Tests/simulate/run.sh [SEEDS]     so many of them (100000); fails when one violates what is promised, and names its seed
#   SEED=n Tests/simulate/run.sh      that one alone, with every step of it
#
# It is built without the checks of exclusive access, which keep a list for each thread: fibers share one.
set -eu
cd "$(dirname "$0")/../.."
scratch=.build-simulate
swift build --quiet -c release --product MusterSimulate --scratch-path "$scratch" -Xswiftc -enforce-exclusivity=unchecked
program=$scratch/release/MusterSimulate
if [ -n "${SEED:-}" ]; then exec "$program" --seed="$SEED"; fi

# A seed is one schedule, whatever process runs it, and whatever was run in that before.
traces=$(mktemp -d)
trap 'rm -rf "$traces"' EXIT
"$program" --seeds=40 --workers=1 --digests >"$traces/together"
for seed in 7 23 39; do
  "$program" --seed="$seed" >"$traces/one"
  "$program" --seed="$seed" >"$traces/other"
  cmp "$traces/one" "$traces/other"
  digest=$(grep "^seed $seed: digest" "$traces/one")
  grep -qxF "$digest" "$traces/together" || { echo "seed $seed is another schedule alone than among others" >&2; exit 1; }
done

"$program" --seeds="${1:-100000}"
