package tokenizer

import (
	"slices"
	"strings"
	"testing"
)

// benchText returns varied English text. The cache would hold all words of the small corpus.
// Without the data beside the repository, benchText returns that corpus.
func benchText(b *testing.B) []string {
	if text, ok := sharedText(b, "data/pretrain/tinyshakespeare.txt"); ok {
		return strings.SplitAfter(text, "\n\n")
	}
	return slices.Repeat(corpusLines(), 100)
}

func length(docs []string) (n int64) {
	for _, d := range docs {
		n += int64(len(d))
	}
	return n
}

func BenchmarkTrain(b *testing.B) {
	docs := slices.Repeat(benchText(b), 20)
	b.SetBytes(length(docs))
	for b.Loop() {
		if _, err := Train(slices.Values(docs), TrainSettings{VocabSize: 600}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	texts := map[string][]string{"plays": benchText(b)}
	for name, file := range map[string]string{"wiki": "wiki_demo.txt", "web": "c4_demo.jsonl"} {
		if text, ok := sharedText(b, "data/pretrain/"+file); ok {
			texts[name] = strings.SplitAfter(text, "\n")
		}
	}
	for name, open := range map[string]func(testing.TB) *Tokenizer{"learnt": trained, "gpt-2": gpt2, "llama 2": llamaSPM} {
		for text, docs := range texts {
			b.Run(name+"/"+text, func(b *testing.B) { benchEncode(b, open(b), docs) })
		}
	}
}

func benchEncode(b *testing.B, tok *Tokenizer, docs []string) {
	b.SetBytes(length(docs))
	for b.Loop() {
		for _, d := range docs {
			tok.Encode(d)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	text := strings.Join(benchText(b), "")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for rest := text; len(rest) > 0; {
			rest = rest[splitLlama3(rest):]
		}
	}
}
