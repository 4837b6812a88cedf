package data

import (
	"os"
	"path/filepath"
	"testing"
)

// The files are described in SOURCES.md beside them. Rows were counted with
// other programs: wc -l for lines, jq length for arrays.
func TestImportRealFiles(t *testing.T) {
	root := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skip("needs the data sets in ../shared/data beside the repository")
	}
	for _, c := range []struct {
		file   string
		format Format
		kind   Kind
		rows   int
	}{
		{"sft/alpaca-seed_tasks.jsonl.gz", Prompts, Chats, 175},
		{"sft/alpacaeval-outputs-alpaca-7b.json.gz", Alpaca, Chats, 805},
		{"sft/alpacaeval-outputs-gpt4.json.gz", Alpaca, Chats, 805},
		{"sft/llamafactory-alpaca_en_demo.json.gz", Alpaca, Chats, 999},
		{"sft/llamafactory-alpaca_zh_demo.json.gz", Alpaca, Chats, 1000},
		{"sft/llamafactory-identity.json.gz", Alpaca, Chats, 91},
		{"sft/llamafactory-glaive_toolcall_en_demo.json.gz", ShareGPT, Chats, 300},
		{"sft/llamafactory-v1_sft_demo.jsonl.gz", OpenAI, Chats, 500},
		{"prefs/llamafactory-dpo_en_demo.json.gz", ShareGPTPreference, Preferences, 300},
		{"prefs/llamafactory-dpo_zh_demo.json.gz", ShareGPTPreference, Preferences, 300},
		{"prefs/llamafactory-kto_en_demo.json.gz", OpenAI, Chats, 300},
		{"pretrain/c4_demo.jsonl", JSONText, Documents, 300},
		{"pretrain/dolma-cc_en_head-0091.jsonl.gz", JSONText, Documents, 10},
		{"pretrain/dolma-cc_en_head-0174.jsonl.gz", JSONText, Documents, 10},
		{"pretrain/wiki_demo.txt", Text, Documents, 1},
		{"pretrain/wikitext2-valid.txt.gz", Text, Documents, 1},
		{"reasoning/gsm8k-train.jsonl.gz", Prompts, Chats, 7473},
		{"eval/ifeval-first120.jsonl.gz", Prompts, Chats, 120},
		{"eval/mmlu_stem-first300.jsonl.gz", Prompts, Chats, 300},
	} {
		t.Run(c.file, func(t *testing.T) {
			dst := filepath.Join(t.TempDir(), "table.arrow")
			r, err := Import(dst, []string{filepath.Join(root, c.file)}, ImportSettings{})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Files[0]; got.Format != c.format || r.Kind != c.kind || r.Rows != c.rows {
				t.Errorf("%d %s of format %s, want %d %s of format %s", r.Rows, r.Kind, got.Format, c.rows, c.kind, c.format)
			}
			if s, err := Stats(dst); err != nil || s.Rows != c.rows {
				t.Errorf("stats of %d rows, %v", s.Rows, err)
			}
		})
	}
}

func TestSplitRealText(t *testing.T) {
	file := filepath.Join("..", "..", "shared", "data", "pretrain", "tinyshakespeare.txt")
	if _, err := os.Stat(file); err != nil {
		t.Skip("needs the data sets in ../shared/data beside the repository")
	}
	dst := filepath.Join(t.TempDir(), "table.arrow")
	// awk 'BEGIN{RS=""} END{print NR}' tinyshakespeare.txt
	const paragraphs = 7222
	r, err := Import(dst, []string{file}, ImportSettings{Split: SplitParagraphs})
	if err != nil || r.Rows != paragraphs {
		t.Errorf("%d paragraphs, %v, want %d", r.Rows, err, paragraphs)
	}
}
