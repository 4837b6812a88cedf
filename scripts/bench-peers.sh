#!/usr/bin/env bash
# Measures herd against its peers and prints a Markdown table:
#
#	scripts/bench-peers.sh                                  # all rows
#	scripts/bench-peers.sh train-fp32-15m4k 'decode-bf16-*' # rows by name or pattern
#
# In each pair herd runs first and the peer next. A row has PAIRS pairs (5). The folder
# RESULTS (bench-peers.out) keeps them, a file for each row. If you measure a row again,
# it replaces its old pairs. The table has all rows.
#
# It needs Linux on amd64, root (for chroot), and the peers, which
# $SETUP/setup-peers.sh (../shared/bench) puts into the root PEERS (/tmp/peers).
# The script mounts /proc, /sys and /dev there: unmount them before you remove the
# root. LLMC is a checkout of github.com/karpathy/llm.c; without it the script skips
# that row. The machine must be idle: the script waits three minutes for it, then
# refuses, unless BUSY=1. STEPS (12) is the number of timed steps of a run.
# docs/performance.md explains the table.
set -euo pipefail
shopt -s inherit_errexit
repo=$(cd "$(dirname "$0")/.." && pwd)

PEERS=${PEERS:-/tmp/peers}
SETUP=${SETUP:-$repo/../shared/bench}
LLMC=${LLMC:-}
PAIRS=${PAIRS:-5}
STEPS=${STEPS:-12}
RESULTS=${RESULTS:-bench-peers.out}
wanted=("$@")

files=$PEERS/bench/herd # what the script puts into the peers' root
rows=()                 # all names
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset OPENBLAS_CORETYPE

say() { printf '%s\n' "bench-peers: $*" >&2; }
die() { say "$@"; exit 1; }

# prepare checks the peers' root and the machine, and builds herd's side.
prepare() {
	local vectors
	((EUID == 0)) || die 'must be root: the peers run in a root of their own (chroot)'
	[[ -x $PEERS/usr/bin/python3 ]] || die "no PyTorch in $PEERS: $SETUP/setup-peers.sh $PEERS"
	mount_systems
	mkdir -p "$files" "$RESULTS"
	cp "$repo"/scripts/peers/*.py "$SETUP/torch_llama.py" "$files"
	vectors=$(in_peers python3 -c 'import torch; print(torch.backends.cpu.get_cpu_capability())')
	[[ $vectors != DEFAULT ]] || die 'PyTorch sees no vector instructions (cap=DEFAULT): it would run at half its speed'
	say "PyTorch uses $vectors"
	(cd "$repo" && CGO_ENABLED=0 go build -o "$tmp/bench" ./scripts/bench)
	await_idle
}

# mount_systems mounts what PyTorch needs to detect the processor: without /proc it
# takes its slowest path.
mount_systems() {
	[[ -e $PEERS/proc/self/status ]] || mount -t proc proc "$PEERS/proc" || die "cannot mount $PEERS/proc"
	[[ -e $PEERS/sys/devices ]] || mount -t sysfs sysfs "$PEERS/sys" || die "cannot mount $PEERS/sys"
	[[ -e $PEERS/dev/urandom ]] || mount --bind /dev "$PEERS/dev" || die "cannot mount $PEERS/dev"
}

await_idle() {
	local load
	for _ in {1..36}; do
		read -r load _ </proc/loadavg
		((10#${load/./} >= 50)) || return 0 # hundredths
		[[ -z ${BUSY:-} ]] || break
		say "load average $load, waiting for less than 0.50"
		sleep 5
	done
	[[ -n ${BUSY:-} ]] || die "the machine is busy (load average $load); set BUSY=1 to measure anyway"
	say "WARNING: the machine is busy (load average $load): these numbers mean nothing"
}

in_peers() { "$SETUP/in-peers.sh" "$PEERS" "$@"; }

# The functions below are runs. Each prints tokens/s of the median step, tokens/s of the
# fastest, and the peak of resident memory in bytes.

herd() {
	local line
	line=$("$tmp/bench" "$@")
	printf '%s %s %s\n' "$(number median "$line")" "$(number best "$line")" "$(number peak_bytes "$line")"
}

# herd_fastest prints the fastest step twice, for comparison with a peer that reports
# only its fastest.
herd_fastest() {
	local line
	line=$(herd "$@")
	line=${line#* }
	printf '%s %s\n' "${line% *}" "$line"
}

number() { sed -E "s/.*\"$1\":([0-9.]+).*/\1/" <<<"$2"; }

measure() { in_peers python3 /bench/herd/measure.py "$@"; }

torch_train() { measure torch python3 /bench/herd/torch_llama.py --threads 2 --steps "$STEPS" "$@"; }
torch_score() { measure torch python3 /bench/herd/torch_score.py /bench/herd/torch_llama.py --threads 2 --steps "$STEPS" "$@"; }
torch_decode() { measure torch_decode python3 /bench/herd/torch_llama.py --threads 2 "$@"; }

# llama_decode PRECISION BATCH decodes with flash attention, which makes batches faster,
# and reads the weights instead of mapping them.
llama_decode() {
	local model
	model=$(gguf "$1" 576 30 9 3 1536 49152)
	measure llama_decode llama-batched-bench -m "$model" -t 2 -c $((160 * $2)) -npp 16 -ntg 128 \
		-npl "$2,$2,$2,$2,$2" -fa on -lm none --output-format jsonl
}

# llama_finetune trains on rows of 256 tokens and computes each at once: with smaller
# pieces it leaves out the gradients of keys and values. Rows begin half a row apart, so
# 1,024 characters (a token each) make 8.
llama_finetune() {
	local model
	model=$(gguf fp32 288 6 6 6 768 4096)
	head -c $(((STEPS + 2) * 1024 + 600)) /dev/zero | tr '\0' x >"$files/text.txt"
	measure llama_finetune llama-finetune -m "$model" -f /bench/herd/text.txt -t 2 -c 256 -b 256 -ub 256 \
		-epochs 1 -val-split 0.01 -o /bench/herd/tuned.gguf
}

# gguf PRECISION SHAPE... prints the path, in the peers' root, of a model with random
# weights. It makes the model if it is missing.
gguf() {
	local name
	name=$(IFS=- && printf '%s' "$*").gguf
	if [[ ! -s $files/$name ]]; then
		in_peers python3 /bench/herd/random_gguf.py /bench/herd/part "$@"
		mv "$files/part" "$files/$name"
	fi
	printf '/bench/herd/%s\n' "$name"
}

llmc_train() {
	gcc -Ofast -march=native -fopenmp -DOMP -I"$LLMC" "$repo/scripts/peers/llmc_train.c" -lm -o "$files/llmc_train"
	measure llmc env OMP_NUM_THREADS=2 /bench/herd/llmc_train $((STEPS + 3)) "$@"
}

# row NAME WORK PEER SPEED MEMORY 'HERD...' 'PEER...' measures the pairs of a row if the
# user asked for it. The goal of herd is SPEED times the peer's tokens/s in MEMORY times
# its memory; 0 is no goal.
row() {
	rows+=("$1")
	is_wanted "$1" || return 0
	pairs "$@" >"$tmp/pairs"
	mv "$tmp/pairs" "$RESULTS/$1"
}

pairs() {
	local first second pair a b
	read -ra first <<<"$6"
	read -ra second <<<"$7"
	for ((pair = 1; pair <= PAIRS; pair++)); do
		a=$("${first[@]}")
		b=$("${second[@]}")
		say "$1, pair $pair of $PAIRS: herd $a, $3 $b (tokens/s: median, best; bytes)"
		printf '%s\t' "$1" "$2" "$3" "$4" "$5" "${a// /$'\t'}"
		printf '%s\n' "${b// /$'\t'}"
	done
}

is_wanted() {
	local pattern
	((${#wanted[@]})) || return 0
	for pattern in "${wanted[@]}"; do
		# shellcheck disable=SC2053 # the right side is a pattern
		[[ $1 != $pattern ]] || return 0
	done
	return 1
}

# skip reports that a row cannot be measured here.
skip() {
	rows+=("$1")
	! is_wanted "$1" || say "SKIPPED $1: $2"
}

# training_rows compare with PyTorch at its best: scaled_dot_product_attention in
# fp32, attention written out in bf16.
training_rows() {
	local large='-preset 135m -layers 12 -batch 8'
	row train-fp32-15m4k 'train fp32, d=288 L=6 V=4096, 8x256' PyTorch 1.3 0.5 \
		"herd train -steps $STEPS -preset 15m4k" 'torch_train --preset 15m4k'
	row train-fp32-15m 'train fp32, d=288 L=6 V=32000, 8x256' PyTorch 1.25 0.5 \
		"herd train -steps $STEPS -preset 15m" 'torch_train --preset 15m'
	row train-fp32-135m 'train fp32, d=576 L=12 V=49152, 8x256' PyTorch 1.2 0.5 \
		"herd train -steps $STEPS $large" "torch_train ${large//-/--}"
	row train-bf16-15m4k 'train bf16, d=288 L=6 V=4096, 8x256' PyTorch 1.4 0 \
		"herd train -steps $STEPS -precision bf16 -preset 15m4k" 'torch_train --bf16 --manual-attn --preset 15m4k'
	row train-bf16-15m 'train bf16, d=288 L=6 V=32000, 8x256' PyTorch 1.4 0 \
		"herd train -steps $STEPS -precision bf16 -preset 15m" 'torch_train --bf16 --manual-attn --preset 15m'
	row train-bf16-135m 'train bf16, d=576 L=12 V=49152, 8x256' PyTorch 1.3 0 \
		"herd train -steps $STEPS -precision bf16 $large" "torch_train --bf16 --manual-attn ${large//-/--}"
}

# other_training_rows have the first of these shapes.
other_training_rows() {
	local work='train fp32, d=288 L=6 V=4096, 8x256' ours="herd train -steps $STEPS -preset 15m4k"
	row train-fp32-llama.cpp "$work" llama-finetune 6 0 "$ours" llama_finetune
	if [[ -n $LLMC ]]; then
		row train-fp32-llm.c "$work" 'llm.c (GPT-2)' 6 0 "$ours" 'llmc_train 8 256 288 6 6 4096'
	else
		skip train-fp32-llm.c 'LLMC names no checkout of github.com/karpathy/llm.c'
	fi
	if [[ -x $PEERS/usr/bin/g++ ]]; then
		row train-fp32-compiled "$work" 'PyTorch, torch.compile' 0 0 "$ours" 'torch_train --compile --preset 15m4k'
	else
		skip train-fp32-compiled "torch.compile needs: chroot $PEERS apt-get install -y --no-install-recommends g++ python3-dev libtorch-dev"
	fi
}

scoring_row() {
	row score-fp32 'score fp32, d=576 L=30 V=49152, 4x256' PyTorch 1.2 0 \
		"herd score -steps $STEPS -preset 135m" 'torch_score --preset 135m'
}

# decoding_rows decode one token of each sequence in a step, after a prompt of 16.
decoding_rows() {
	local work='decode int8, d=576 L=30 V=49152' ours='decode -preset 135m -precision int8 -batch'
	decoding_rows_in fp32 F32 2 ''
	decoding_rows_in bf16 BF16 2.5 '--bf16 --manual-attn'
	row decode-int8-1 "$work, batch 1" 'llama.cpp Q8_0' 0 0 "herd $ours 1" 'llama_decode q8_0 1'
	row decode-int8-16 "$work, batch 16" 'llama.cpp Q8_0' 0 0 "herd $ours 16" 'llama_decode q8_0 16'
}

# decoding_rows_in PRECISION GGUF'S-NAME SPEED-OF-BATCHES PYTORCH'S-FLAG
decoding_rows_in() {
	local work="decode $1, d=576 L=30 V=49152" ours="decode -preset 135m -precision $1 -batch"
	row "decode-$1-1" "$work, batch 1" "llama.cpp $2" 1.1 0 "herd $ours 1" "llama_decode $1 1"
	row "decode-$1-16" "$work, batch 16" "llama.cpp $2" "$3" 0 "herd $ours 16" "llama_decode $1 16"
	row "decode-$1-16-torch" "$work, batch 16" PyTorch "$3" 0 \
		"herd_fastest $ours 16" "torch_decode --preset 135m --decode 16 $4"
}

# sampling_rows answer a prompt of 256 tokens 16 times, 128 tokens each. The time of the
# prompt counts, its tokens do not. llama.cpp gets the flag for a shared prompt. It takes
# the likeliest tokens; herd draws.
sampling_rows() {
	local work='sample fp32, d=576 L=30 V=49152, 16 of a prompt of 256' ours='sample -preset 135m -prompt 256 -batch 16'
	row sample-fp32-16 "$work" 'llama.cpp F32' 1 0 "herd $ours" 'llama_sample fp32'
	row sample-bf16-16 "${work/fp32/bf16}" 'llama.cpp BF16' 1 0 "herd $ours -precision bf16" 'llama_sample bf16'
	row sample-int8-16 "${work/fp32/int8}" 'llama.cpp Q8_0' 1 0 "herd $ours -precision int8" 'llama_sample q8_0'
	row sample-unshared "$work" 'herd, prompts not shared' 0 0 "herd $ours" "herd $ours -unshared"
	row sample-unbatched "$work" 'herd, one by one' 0 0 "herd $ours" "herd $ours -slots 1"
	row sample-neither "$work" 'herd, neither' 0 0 "herd $ours" "herd $ours -slots 1 -unshared"
}

llama_sample() {
	local model
	model=$(gguf "$1" 576 30 9 3 1536 49152)
	measure llama_sample llama-batched-bench -m "$model" -t 2 -kvu -c 2560 -npp 256 -ntg 128 -npl 16,16,16,16,16 -pps \
		-fa on -lm none --output-format jsonl
}

# table prints all measured rows, old ones too.
table() {
	local name
	for name in "${rows[@]}"; do
		[[ ! -e $RESULTS/$name ]] || cat "$RESULTS/$name"
	done | "$tmp/bench" compare
}

# all_known fails on a pattern that matches no row.
all_known() {
	local pattern
	for pattern in "${wanted[@]}"; do
		compgen -W "${rows[*]}" -X "!$pattern" >/dev/null || die "no row is called $pattern, expected one of ${rows[*]}"
	done
}

prepare
training_rows
other_training_rows
scoring_row
decoding_rows
sampling_rows
all_known
table
