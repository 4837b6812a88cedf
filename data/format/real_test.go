package format

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/data/view"
	"github.com/herd-lm/herd/internal/realdata"
)

// SOURCES.md beside the files describes them. Other programs counted the rows: wc -l for lines,
// jq length for arrays.
func TestImportRealFiles(t *testing.T) {
	root := realdata.Path(t, "data")
	for _, c := range []struct {
		file   string
		format Format
		kind   table.Kind
		rows   int
	}{
		{"sft/alpaca-seed_tasks.jsonl.gz", SeedTask, table.Chats, 175},
		{"sft/alpacaeval-outputs-alpaca-7b.json.gz", Alpaca, table.Chats, 805},
		{"sft/alpacaeval-outputs-gpt4.json.gz", Alpaca, table.Chats, 805},
		{"sft/llamafactory-alpaca_en_demo.json.gz", Alpaca, table.Chats, 999},
		{"sft/llamafactory-alpaca_zh_demo.json.gz", Alpaca, table.Chats, 1000},
		{"sft/llamafactory-identity.json.gz", Alpaca, table.Chats, 91},
		{"sft/llamafactory-glaive_toolcall_en_demo.json.gz", ShareGPT, table.Chats, 300},
		{"sft/llamafactory-v1_sft_demo.jsonl.gz", OpenAI, table.Chats, 500},
		{"prefs/llamafactory-dpo_en_demo.json.gz", ShareGPTPreference, table.Preferences, 300},
		{"prefs/llamafactory-dpo_zh_demo.json.gz", ShareGPTPreference, table.Preferences, 300},
		{"prefs/alpacaeval-annot-vicuna-7b-v1.3.json.gz", Annotation, table.Preferences, 802}, // and 3 ties
		{"prefs/llamafactory-kto_en_demo.json.gz", OpenAI, table.Unpaired, 300},
		{"pretrain/c4_demo.jsonl", JSONText, table.Documents, 300},
		{"pretrain/dolma-cc_en_head-0091.jsonl.gz", JSONText, table.Documents, 10},
		{"pretrain/dolma-cc_en_head-0174.jsonl.gz", JSONText, table.Documents, 10},
		{"pretrain/wiki_demo.txt", Text, table.Documents, 1},
		{"pretrain/wikitext2-valid.txt.gz", Text, table.Documents, 1},
		{"reasoning/gsm8k-train.jsonl.gz", Prompts, table.Chats, 7473},
		{"eval/ifeval-first120.jsonl.gz", Prompts, table.Chats, 120},
		{"eval/mmlu_stem-first300.jsonl.gz", Prompts, table.Chats, 300},
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
			if s, err := view.Stats(dst); err != nil || s.Rows != c.rows {
				t.Errorf("stats of %d rows, %v", s.Rows, err)
			}
		})
	}
}

// TestRealFilesRefused: files with answers that herd cannot place are refused, and say why.
func TestRealFilesRefused(t *testing.T) {
	root := realdata.Path(t, "data")
	for file, want := range map[string]string{
		"sft/oasst-en_100_tree.jsonl.gz":                    "line 1: prompt: content: is missing",
		"prefs/openinstruct-eval_instances_tulu_1.jsonl.gz": "line 1: completions: looks like an answer",
	} {
		_, err := Import(filepath.Join(t.TempDir(), "table.arrow"), []string{filepath.Join(root, file)}, ImportSettings{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", file, err, want)
		}
	}
}

// TestRealTools: tools, calls and results of calls are parts of a chat. Python's json counted
// them in the file.
func TestRealTools(t *testing.T) {
	dst := filepath.Join(t.TempDir(), "table.arrow")
	if _, err := Import(dst, []string{realdata.Path(t, "data", "sft", "llamafactory-glaive_toolcall_en_demo.json.gz")}, ImportSettings{}); err != nil {
		t.Fatal(err)
	}
	rows, _, err := table.ReadAll[table.Chat](dst)
	if err != nil {
		t.Fatal(err)
	}
	tools, calls, results := 0, 0, 0
	for _, row := range rows {
		if row.Tools != "" {
			tools++
		}
		for _, m := range row.Messages {
			calls += len(m.ToolCalls)
			if m.Role == chat.Tool {
				results++
			}
		}
	}
	if got, want := [3]int{tools, calls, results}, [3]int{191, 211, 211}; got != want {
		t.Errorf("%v rows with tools, calls, results, want %v", got, want)
	}
}

// TestRealChoices: a question of MMLU comes with its choices, and its answer is a letter.
func TestRealChoices(t *testing.T) {
	dst := filepath.Join(t.TempDir(), "table.arrow")
	if _, err := Import(dst, []string{realdata.Path(t, "data", "eval", "mmlu_stem-first300.jsonl.gz")}, ImportSettings{}); err != nil {
		t.Fatal(err)
	}
	rows, _, err := table.ReadAll[table.Chat](dst)
	if err != nil {
		t.Fatal(err)
	}
	const third = "To prevent desiccation and injury, the embryos of terrestrial vertebrates are encased within a fluid secreted by the\nA. amnion\nB. chorion\nC. allantois\nD. yolk sac"
	if got := rows[2].Messages[0].Content; got != third {
		t.Errorf("question %q", got)
	}
	letters := map[string]int{}
	for _, row := range rows {
		letters[row.Meta["answer"]]++
		if strings.Count(row.Messages[0].Content, "\n") < 4 || row.Meta["choices"] != "" {
			t.Errorf("%q has no choices", row.Messages[0].Content)
		}
	}
	if want := map[string]int{"A": 66, "B": 60, "C": 83, "D": 91}; !maps.Equal(letters, want) {
		t.Errorf("answers %v, want %v", letters, want)
	}
}

func TestSplitRealText(t *testing.T) {
	file := realdata.Path(t, "data", "pretrain", "tinyshakespeare.txt")
	dst := filepath.Join(t.TempDir(), "table.arrow")
	// awk 'BEGIN{RS=""} END{print NR}' tinyshakespeare.txt
	const paragraphs = 7222
	r, err := Import(dst, []string{file}, ImportSettings{Split: SplitParagraphs})
	if err != nil || r.Rows != paragraphs {
		t.Errorf("%d paragraphs, %v, want %d", r.Rows, err, paragraphs)
	}
}
