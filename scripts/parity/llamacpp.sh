#!/usr/bin/env bash
# Compares herd's GGUF files with llama.cpp, and prints what agrees:
#
#	scripts/parity/llamacpp.sh
#
# - llama.cpp loads each form of a real model and continues a prompt with the same tokens
#   as herd: with F32 and F16 all of them. Random models cover features that the real
#   model lacks.
# - Texts have the same tokens in both, for a SentencePiece and a byte-level vocabulary.
# - A quantised file equals, byte for byte, the one that llama-quantize makes of our F32
#   file.
# - herd reads the files that llama-quantize makes to the same bits as llama-quantize.
#
# It needs Node and the network (npm), and data beside the repository (DATA,
# ../shared/data). Set MODULES to a folder with node_modules/node-llama-cpp to install
# nothing. The last two checks need llama-quantize, on the PATH or in the root PEERS
# (/tmp/peers; see bench-peers.sh); without it the script skips them.
set -euo pipefail
shopt -s inherit_errexit
repo=$(cd "$(dirname "$0")/../.." && pwd)

DATA=${DATA:-$repo/../shared/data}
PEERS=${PEERS:-/tmp/peers}
MODULES=${MODULES:-}
prompt='Once upon a time'
tokens=200
failed=0

root= # of the file system that llama-quantize sees
command -v llama-quantize >/dev/null || [[ ! -x $PEERS/usr/bin/llama-quantize ]] || root=$PEERS
tmp=$(mktemp -d ${root:+-p "$root/tmp"})
trap 'rm -rf "$tmp"' EXIT

say() { printf '%s\n' "$*"; }
fail() { say "DIFFERENT: $*"; failed=1; }
herd() { "$tmp/herd" "$@"; }
llama() { (cd "$MODULES" && node "$MODULES/llamacpp.mjs" "$@"); }
quantize() { # FILE OUT TYPE [FLAG]...
	local files=("${1#"$root"}" "${2#"$root"}")
	${root:+chroot "$root"} llama-quantize "${@:4}" "${files[@]}" "$3" 2 >"$tmp/log" 2>&1 || { cat "$tmp/log"; return 1; }
}

prepare() {
	command -v node >/dev/null || { say 'SKIPPED: there is no Node'; exit 0; }
	[[ -f $DATA/models/stories260K.bin ]] || { say "SKIPPED: there is no data in $DATA"; exit 0; }
	(cd "$repo" && CGO_ENABLED=0 go build -o "$tmp/herd" ./cmd/herd)
	mkdir "$tmp/node"
	if [[ $MODULES ]]; then
		ln -s "$MODULES/node_modules" "$tmp/node/node_modules"
	else
		(cd "$tmp/node" && npm install --no-audit --no-fund --silent node-llama-cpp)
	fi
	MODULES=$tmp/node
	cp "$repo"/scripts/parity/llamacpp/*.mjs "$MODULES"
}

# make writes a real model and two briefly trained ones: the rows of one fill whole
# super-blocks, those of the other do not.
make() {
	local name
	cd "$tmp"
	herd model convert "$DATA/models/stories260K.bin" stories --tokenizer "$DATA/models/tok512.bin" >/dev/null
	herd data import "$DATA/pretrain/tinyshakespeare.txt" --out corpus.arrow >/dev/null
	for name in tied:true:704 untied:false:768; do
		IFS=: read -r name tie width <<<"$name"
		herd pretrain --data corpus.arrow --out "$name" --set steps=4 --set batch_tokens=512 --set sequence_length=128 \
			--set vocab_size=2000 --set architecture.num_hidden_layers=8 --set "architecture.tie_word_embeddings=$tie" \
			--set "architecture.intermediate_size=$width" >/dev/null
	done
	(cd "$repo" && go run ./scripts/parity/llamacpp "$tmp/tied" "$tmp")
}

# agree prints how many tokens llama.cpp and herd share from the start.
agree() { # MODEL FORM [all]
	local same of
	herd model convert "$1" "$1-$2.gguf" --to "gguf-$2" >/dev/null
	herd model convert "$1-$2.gguf" "$1-$2" >/dev/null
	llama greedy "$tmp/$1-$2.gguf" "$prompt" "$tokens" >theirs.json
	herd generate --model "$1-$2" --prompt "$prompt" --max-tokens "$tokens" --json >ours.json
	read -r same of < <(node -e '
		const [theirs, ours] = ["theirs.json", "ours.json"].map(f => JSON.parse(require("fs").readFileSync(f)));
		let n = 0;
		while (n < theirs.length && theirs[n] === ours.ids[n]) n++;
		console.log(n, Math.min(theirs.length, ours.ids.length));') # the two may stop at different tokens
	say "greedy $1 $2: the first $same of $of tokens agree"
	[[ -z ${3:-} || $same -eq $of && $same -gt 9 ]] || fail "greedy $1 $2"
}

texts() { # MODEL
	local file n=0
	local files=("$DATA"/pretrain/*.txt "$DATA"/pretrain/*.jsonl "$DATA"/tokenizer/vectors/*gpt-2*.inp)
	mkdir -p texts
	for file in "$DATA"/{sft,prefs,pretrain,reasoning,eval}/*.gz; do
		# gzip fails when head stops reading, and iconv when it drops half a character
		{ gzip -dc "$file" || true; } | head -c 300000 | { iconv -c -f utf-8 -t utf-8 2>/dev/null || true; } >"texts/$(basename "$file" .gz)"
		files+=("$tmp/texts/$(basename "$file" .gz)")
	done
	[[ -f $1.gguf ]] || herd model convert "$1" "$1.gguf" >/dev/null
	llama tokenize "$tmp/$1.gguf" "${files[@]}" >theirs.jsonl
	for file in "${files[@]}"; do
		herd tokenizer encode --model "$1" <"$file"
	done >ours.jsonl
	n=$(node -e '
		const [theirs, ours] = ["theirs.jsonl", "ours.jsonl"].map(f => require("fs").readFileSync(f, "utf8").trim().split("\n").map(JSON.parse));
		const names = process.argv.slice(1);
		let all = 0;
		theirs.forEach((ids, k) => {
			all += ids.length;
			const at = ids.findIndex((id, i) => id !== ours[k][i]);
			if (at >= 0 || ids.length !== ours[k].length) console.error(`${names[k]}: ${ids.length} and ${ours[k].length} tokens, different from token ${at} on`);
		});
		console.log(all);' "${files[@]}" 2>different.txt)
	say "tokens of $1: ${#files[@]} texts, $n tokens, $(wc -l <different.txt) texts differ"
	[[ ! -s different.txt ]] || { cat different.txt; fail "tokens of $1"; }
}

quantised() { # MODEL
	local type form
	herd model convert "$1" "$1-f32.gguf" --to gguf-f32 >/dev/null
	for type in F16 BF16 Q8_0 Q4_0 Q4_K_M; do
		form=gguf-${type,,}
		herd model convert "$1" ours.gguf --to "$form" >/dev/null
		quantize "$tmp/$1-f32.gguf" "$tmp/theirs.gguf" "$type"
		if cmp ours.gguf theirs.gguf; then say "$1 $form: equal to the file of llama-quantize"; else fail "$1 $form"; fi
		rm ours.gguf theirs.gguf
	done
	for type in F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q4_K_M Q5_K_M Q6_K; do
		quantize "$tmp/$1-f32.gguf" "$tmp/small.gguf" "$type"
		quantize "$tmp/small.gguf" "$tmp/theirs.gguf" F32 --allow-requantize
		herd model convert small.gguf ours.gguf --to gguf-f32 >/dev/null
		if cmp ours.gguf theirs.gguf; then say "$1 $type: read to the same bits as llama-quantize"; else fail "$1 reading $type"; fi
		rm ours.gguf theirs.gguf small.gguf
	done
}

prepare
make
for form in f32 f16; do agree stories "$form" all; done
for form in bf16 q8_0 q4_0 q4_k_m; do agree stories "$form"; done
for model in llama3 linear qwen2; do
	[[ ! -d $tmp/$model ]] || agree "$model" f32 all
done
for model in stories tied; do texts "$model"; done
if [[ $root ]] || command -v llama-quantize >/dev/null; then
	for model in tied untied; do quantised "$model"; done
else
	say 'SKIPPED: comparison with llama-quantize, which is not installed'
fi
exit "$failed"
