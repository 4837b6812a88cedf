package tokenizer

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
)

// benchText is English of natural variety: words of the corpus would all sit in
// the cache. Without the data beside the repository it is the corpus.
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

// BenchmarkEncode reports the time of the processor besides that of the clock: it
// is what counts where other programs run.
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
	begin, rounds := processorTime(), 0
	for b.Loop() {
		rounds++
		for _, d := range docs {
			tok.Encode(d)
		}
	}
	if used := processorTime() - begin; used > 0 {
		b.ReportMetric(float64(length(docs))*float64(rounds)/1e6/used, "cpu-MB/s")
	}
}

// processorTime returns the seconds that the program has computed for, with
// little overhead of the collector's.
func processorTime() float64 {
	sample := []metrics.Sample{{Name: "/cpu/classes/user:cpu-seconds"}}
	runtime.GC() // which updates it
	metrics.Read(sample)
	return sample[0].Value.Float64()
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
