package recipes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/internal/testmodel"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// outside writes a model into dir.
func outside(t *testing.T, dir string, tok *tokenizer.Tokenizer) {
	t.Helper()
	c := testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 8, Intermediate: 16, Layers: 1, Heads: 2, Positions: 64, InitRange: 0.1, Tied: true}.Config()
	testmodel.Write(t, dir, testmodel.Random(t, c, 1), tok)
}

// TestNames: what a recipe names must be there when its stage begins. herd finds out before the
// first stage, and writes nothing.
func TestNames(t *testing.T) {
	t.Chdir(t.TempDir())
	tok := testmodel.Tokenizer(t, 265, "What is it? It is a goat.")
	outside(t, "model", tok)
	outside(t, "other", testmodel.Tokenizer(t, 265, "zq zq zq xj xj xj ww ww"))
	outside(t, "plain", tok.WithTemplate(tokenizer.Template{}))
	write(t, "here.arrow", "x")
	write(t, "folder/x", "x")
	const data = "data:\n  world: {documents: 9}\n  import: [{name: mine, files: [here.arrow], parts: [{name: a, share: 0.5}, {name: b, share: 0.5}]}]\n"
	const base = "  - name: base\n    pretrain: {documents: [data/documents.arrow], vocab_size: 300}\n"
	for _, c := range []struct{ name, stages, want string }{
		{"sound", base + "  - name: tuned\n    sft: {model: base, chats: [data/chats.arrow, data/mine-a.arrow, here.arrow]}\n", ""},
		{"sound, models outside", "  - name: tuned\n    dpo: {model: model, reference: model, preferences: [data/preferences.arrow]}\n", ""},
		{"table with a slip", base + "  - name: tuned\n    sft: {model: base, chats: [data/chatz.arrow]}\n", `stage tuned: chats: the recipe makes no data/chatz.arrow, did you mean "data/chats.arrow"?`},
		{"table that is divided", base + "  - name: tuned\n    sft: {model: base, chats: [data/mine.arrow]}\n", `makes no data/mine.arrow, did you mean "data/mine-a.arrow"?`},
		{"file that is not there", base + "  - name: tuned\n    sft: {model: base, chats: [gone.arrow]}\n", "stage tuned: chats: gone.arrow does not exist"},
		{"folder for a table", base + "  - name: tuned\n    sft: {model: base, chats: [folder]}\n", "folder is a directory, expected a table"},
		{"stage with a slip", base + "  - name: tuned\n    sft: {model: bass, chats: [data/chats.arrow]}\n", `stage tuned: model: bass does not exist, did you mean "base"?`},
		{"stage that comes later", "  - name: tuned\n    sft: {model: base, chats: [data/chats.arrow]}\n" + base, "stage tuned: model: base does not exist: stage base is not before this one"},
		{"own name", "  - name: tuned\n    sft: {model: tuned, chats: [data/chats.arrow]}\n", "stage tuned is not before this one"},
		{"tables of a model", base + "  - name: tuned\n    sft: {model: base, chats: [base/chats.arrow]}\n", "base/chats.arrow: stage base writes a model, no tables"},
		{"model of tables", base + "  - name: best\n    rejection: {model: base, prompts: [data/prompts.arrow], check: {kind: exact}}\n  - name: tuned\n    sft: {model: best, chats: [best/chat.arrow]}\n",
			"stage tuned: model: best: stage best writes tables, no model\nstage tuned: chats: best/chat.arrow: stage best writes best/samples.arrow, best/chats.arrow, best/preferences.arrow"},
		{"stages after a slip", base + "  - name: tuned\n    sft: {model: bass, chats: [data/chats.arrow]}\n  - name: better\n    sft: {model: tuned, chats: [data/chats.arrow]}\n", `stage tuned: model: bass does not exist, did you mean "base"?`},
		{"reward model that writes", base + "  - name: judge\n    reward: {model: base, preferences: [data/preferences.arrow]}\n  - name: judge2\n    reward: {model: judge, preferences: [data/preferences.arrow]}\n  - name: tuned\n    sft: {model: judge, chats: [data/chats.arrow]}\n", "stage tuned: model: judge: stage judge writes a reward model"},
		{"model that cannot score", base + "  - name: best\n    rejection: {model: base, reward: base, prompts: [data/prompts.arrow]}\n", "stage best: reward: base: stage base writes no reward model"},
		{"template", base + "  - name: tuned\n    sft: {model: base, chats: [data/chats.arrow], template: chatlm}\n", `stage tuned: sft: `},
		{"model without template", "  - name: tuned\n    sft: {model: plain, chats: [data/chats.arrow]}\n", "stage tuned: chat: the tokenizer has no chat template"},
		{"small vocabulary", "  - name: base\n    pretrain: {documents: [data/documents.arrow], vocab_size: 256}\n", "vocab_size is 256, expected 261 or more"},
		{"other vocabulary", "  - name: first\n    sft: {model: model, chats: [data/chats.arrow]}\n  - name: tuned\n    dpo: {model: first, reference: other, preferences: [data/preferences.arrow]}\n", "stage tuned: reference: the vocabularies differ"},
		{"no model", "  - name: tuned\n    sft: {model: folder, chats: [data/chats.arrow]}\n", "stage tuned: folder: "},
		{"schema", base + "  - name: best\n    rejection: {model: base, prompts: [data/prompts.arrow], check: {kind: schema, schema: gone.json}}\n", "stage best: check.schema: gone.json does not exist"},
		{"evaluation", base + "evaluate: {prompts: data/held.arrow, chats: gone.arrow}\n", "evaluate: chats: gone.arrow does not exist\nevaluate: prompts: the recipe makes no data/held.arrow, did you mean \"data/heldout.arrow\"?"},
		{"two stages", "  - name: a\n    sft: {model: gone, chats: [gone.arrow]}\n  - name: b\n    sft: {model: away, chats: []}\n",
			"stage a: model: gone does not exist\nstage a: chats: gone.arrow does not exist\nstage b: sft: chats is not set\nstage b: model: away does not exist"},
	} {
		write(t, "r.yaml", data+"stages:\n"+c.stages)
		r, err := Load("r.yaml", nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.want == "" {
			if err := (&engine{Recipe: r, dir: "out"}).check(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		lines := strings.Split(c.want, "\n")
		_, err = r.Run(t.Context(), Options{Dir: "out"})
		for _, want := range lines {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", c.name, err, want)
			}
		}
		if said := strings.Count(err.Error(), "\n") + 1; said != len(lines) {
			t.Errorf("%s: error %v has %d lines, want %d", c.name, err, said, len(lines))
		}
		if _, err := os.Stat("out"); err == nil {
			t.Errorf("%s: wrote something", c.name)
		}
	}
}

// TestPathsOfRecipes: paths in a recipe are relative to its file, those of --set to the working
// directory. The recipe.yaml of a run names the same files from anywhere.
func TestPathsOfRecipes(t *testing.T) {
	top := t.TempDir()
	t.Chdir(top)
	tok := testmodel.Tokenizer(t, 265, "What is it? It is a goat.")
	outside(t, "project/models/small", tok)
	line := `{"messages":[{"role":"user","content":"What is it?"},{"role":"assistant","content":"A goat."}]}` + "\n"
	write(t, "project/chats.jsonl", line)
	write(t, "chats.jsonl", strings.ReplaceAll(line, "goat", "hen"))
	write(t, "project/data/r.yaml", "data:\n  import: [{name: chats, files: [../chats.jsonl]}]\nstages:\n  - name: tuned\n    sft: {model: ../models/small, chats: [data/chats.arrow], steps: 1, max_tokens: 60, micro_tokens: 64}\n"+
		"evaluate: {chats: data/chats.arrow}\n")

	r, err := Load("project/data/r.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, err := runTinyOnly(t, r, "out"); err != nil || status["tuned"] != Done {
		t.Fatalf("from the folder above: %v, %v", status, err)
	}
	t.Chdir("project/models")
	for _, file := range []string{"../data/r.yaml", filepath.Join(top, "project/data/r.yaml"), filepath.Join(top, "out/recipe.yaml")} {
		r, err := Load(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status, err := runTinyOnly(t, r, filepath.Join(top, "out")); err != nil || status["tuned"] != Skipped || status["data"] != Skipped || r.Name == "recipe" {
			t.Errorf("%s, called %s, from another folder: %v, %v", file, r.Name, status, err)
		}
	}
	t.Chdir("../data")
	if r, err = Load("r.yaml", nil); err != nil || r.Data.Import[0].Files[0] != "../chats.jsonl" {
		t.Errorf("in its own folder: %v, %v", r.Data.Import, err)
	}
	if status, err := runTinyOnly(t, r, filepath.Join(top, "out")); err != nil || status["tuned"] != Skipped {
		t.Errorf("in its own folder: %v, %v", status, err)
	}

	t.Chdir(top)
	if r, err = Load("project/data/r.yaml", config.Assignments("--set", "chats.files=[chats.jsonl]")); err != nil || r.Data.Import[0].Files[0] != "chats.jsonl" {
		t.Errorf("--set: %v, %v", r.Data.Import, err)
	}
	_, err = r.Run(t.Context(), Options{Dir: "out"})
	if err == nil || !strings.Contains(err.Error(), "the content of import chats[0] (chats.jsonl) has changed") {
		t.Errorf("--set: error %v", err)
	}

	write(t, "only.jsonl", line)
	write(t, "project/old.yaml", "data:\n  import: [{name: chats, files: [only.jsonl]}]\nstages:\n  - name: tuned\n    sft: {model: project/models/small, chats: [data/chats.arrow]}\n")
	if r, err = Load("project/old.yaml", nil); err != nil {
		t.Fatal(err)
	}
	_, err = r.Run(t.Context(), Options{Dir: "out2"})
	if want := "paths in a recipe are relative to its file, and project/models/small is in the working directory"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	if err := r.checkInputs(); err == nil || !strings.Contains(err.Error(), "and only.jsonl is in the working directory") {
		t.Errorf("error %v", err)
	}
}

// TestBaseWithoutTemplate: a base model without a chat template is measured on documents only; the
// stage after it sets a template.
func TestBaseWithoutTemplate(t *testing.T) {
	t.Chdir(t.TempDir())
	tok := testmodel.Tokenizer(t, 265, "What is it? It is a goat.")
	if err := tok.WithTemplate(tokenizer.Template{}).Save("plain"); err != nil {
		t.Fatal(err)
	}
	write(t, "r.yaml", `
data: {world: {documents: 20, held_out_documents: 4, chats: 4, held_out: 4, preferences: 0, held_out_preferences: 0, prompts: 0}}
stages:
  - name: base
    pretrain:
      documents: [data/documents.arrow]
      tokenizer: plain
      architecture: {hidden_size: 16, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 256}
      sequence_length: 64
      steps: 1
      batch_tokens: 256
      micro_tokens: 256
  - name: tuned
    sft: {model: base, template: llama3, chats: [data/chats.arrow], steps: 1, max_tokens: 256, micro_tokens: 256}
evaluate: {documents: data/documents-heldout.arrow, chats: data/chats.arrow, prompts: data/heldout.arrow, max_tokens: 4}
`)
	r, err := Load("r.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	results, err := r.Run(t.Context(), Options{Dir: "out"})
	if err != nil {
		t.Fatal(err)
	}
	base, tuned := results.Stages[0].Measures, results.Stages[1].Measures
	if _, ok := base["accuracy"]; ok || base["loss"].N == 0 || tuned["accuracy"].N != 4 {
		t.Errorf("base %v, tuned %v", base, tuned)
	}
}
