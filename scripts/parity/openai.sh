#!/usr/bin/env bash
# Runs the official openai client from npm against herd serve and checks the answers:
#
#	scripts/parity/openai.sh
#
# It needs Go, Node and npm, which installs the package openai into a temporary folder.
# Set MODULES to a folder with node_modules/openai to install nothing. Without Node it
# says so and passes. Exit code 1: a check failed.
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
VERSION=${VERSION:-latest}

skip() { printf 'parity/openai: SKIPPED: %s\n' "$1" >&2; exit 0; }
command -v node >/dev/null && command -v npm >/dev/null || skip 'there is no Node'

tmp=$(mktemp -d)
server= seed=0
trap '[[ -z $server ]] || kill "$server" 2>/dev/null; wait; rm -rf "$tmp"' EXIT
CGO_ENABLED=0 go build -C "$repo" -o "$tmp/herd" ./cmd/herd
cd "$tmp"
if [[ ${MODULES:-} ]]; then
	ln -s "$MODULES/node_modules" node_modules
else
	npm install --silent --no-fund --no-audit --prefix "$tmp" "openai@$VERSION"
fi
cp "$repo/scripts/parity/openai.mjs" .

for _ in {1..200}; do
	echo 'The herd moves over the hills where the grass is green and the river runs; one follows another, and none is alone.'
done >corpus.txt
./herd data import corpus.txt --split paragraphs --out corpus.arrow >/dev/null
for name in one two; do
	./herd pretrain --data corpus.arrow --out "$name" --set steps=60 --set learning_rate=3e-3 --set batch_tokens=512 --set sequence_length=64 --set vocab_size=290 \
		--set architecture.hidden_size=64 --set architecture.intermediate_size=96 --set architecture.num_hidden_layers=2 \
		--set architecture.num_attention_heads=4 --set architecture.num_key_value_heads=2 \
		--set architecture.max_position_embeddings=2048 --set "seed=$((++seed))" >/dev/null
done

HERD_KEY=right ./herd serve --model one --model two --port 0 --api-key-env HERD_KEY --slots 4 --queue 4 >url 2>log &
server=$!
for _ in {1..200}; do
	[[ -s url ]] && break
	kill -0 "$server" || { cat log; exit 1; }
	sleep 0.1
done
HERD=$tmp/herd URL=$(cat url) KEY=right node openai.mjs || { tail -n 20 log; exit 1; }
if grep -q secret log; then
	echo 'parity/openai: the log contains the text of a request'
	exit 1
fi
