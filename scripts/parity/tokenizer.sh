#!/usr/bin/env bash
# Compares herd's tokens and decoded texts with those of Hugging Face's own
# implementation, for every tokenizer.json of the data beside the repository and
# for variants of them (other patterns, normalizers, kinds of added tokens):
#
#	scripts/parity/tokenizer.sh            # all
#	scripts/parity/tokenizer.sh llama2 o200k
#
# It needs Go, Node, npm and ../shared/data (or DATA). npm installs the package
# tokenizers (the Rust library with bindings) into a temporary folder. Without Node or
# the data it says so and passes. Exit code 1: there are differences.
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
DATA=${DATA:-$repo/../shared/data}
VERSION=${VERSION:-0.23.2}

skip() { printf 'parity/tokenizer: SKIPPED: %s\n' "$1" >&2; exit 0; }
command -v node >/dev/null && command -v npm >/dev/null || skip 'there is no Node'
[[ -d $DATA/tokenizer ]] || skip "there is no $DATA/tokenizer"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
CGO_ENABLED=0 go build -C "$repo" -o "$tmp/herd" ./cmd/herd
npm install --silent --no-fund --no-audit --prefix "$tmp" "tokenizers@$VERSION"
cp "$repo"/scripts/parity/tokenizer*.mjs "$tmp"
HERD=$tmp/herd DATA=$DATA TMP=$tmp node "$tmp/tokenizer.mjs" "$@"
