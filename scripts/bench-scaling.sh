#!/usr/bin/env bash
# Measures how herd's training scales, and prints a Markdown table:
#
#	scripts/bench-scaling.sh                # all sweeps
#	scripts/bench-scaling.sh width sequence # some of: width layers vocabulary sequence
#
# Each sweep changes one size of a Llama of width 288 with 6 layers, a vocabulary of
# 4,096 and steps of 2,048 tokens, for each of THREADS ("1 2") and PRECISIONS ("fp32
# bf16"), and times STEPS (6) steps. RESULTS (bench-scaling.out) keeps the lines behind
# the table. The machine should be idle.
set -euo pipefail
repo=$(cd "$(dirname "$0")/.." && pwd)

THREADS=${THREADS:-1 2}
PRECISIONS=${PRECISIONS:-fp32 bf16}
STEPS=${STEPS:-6}
RESULTS=${RESULTS:-bench-scaling.out}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# train FLAGS... measures a shape with all threads and precisions.
train() {
	local threads precision
	for precision in $PRECISIONS; do
		for threads in $THREADS; do
			printf 'bench-scaling: %s, %s threads, %s\n' "$precision" "$threads" "$*" >&2
			"$tmp/bench" train -steps "$STEPS" -warmup 2 -threads "$threads" -precision "$precision" "$@" >>"$RESULTS"
		done
	done
}

# width keeps heads of 48 and a feed-forward layer of 8/3 of the width.
width() {
	local heads
	for heads in 2 4 6 8 12 16; do
		train -d $((48 * heads)) -heads "$heads" -kv "$heads" -ffn $((128 * heads))
	done
}

layers() {
	local n
	for n in 2 6 12 24; do train -layers "$n"; done
}

vocabulary() {
	local n
	for n in 1024 4096 16384 49152; do train -vocab "$n"; done
}

sequence() {
	local n
	for n in 128 256 512 1024 2048; do train -seq "$n" -batch $((2048 / n)); done
	for n in 4096 8192; do train -seq "$n" -batch 1; done
}

(($#)) || set -- width layers vocabulary sequence
for sweep; do
	case $sweep in
	width | layers | vocabulary | sequence) ;;
	*) printf 'bench-scaling: unknown sweep %s: expected width, layers, vocabulary or sequence\n' "$sweep" >&2; exit 2 ;;
	esac
done
(cd "$repo" && CGO_ENABLED=0 go build -o "$tmp/bench" ./scripts/bench)
: >"$RESULTS"
for threads in $THREADS; do "$tmp/bench" peak -threads "$threads" >>"$RESULTS"; done
for sweep; do "$sweep"; done
"$tmp/bench" scaling <"$RESULTS"
