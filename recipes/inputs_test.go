package recipes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/config"
)

// TestInputs: a recipe whose files are missing names them, and writes nothing.
func TestInputs(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("here.txt", []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		recipe string
		sets   []string
		want   []string // the missing settings, with their reasons
	}{
		{"real", nil, []string{"documents.files (not set)", "chats.files (not set)", "preferences.files (not set)"}},
		{"real", []string{"documents.files=[here.txt]", "chats.files=[here.txt, gone.json]"},
			[]string{"chats.files (gone.json does not exist)", "preferences.files (not set)"}},
		{"real", []string{"documents.files=[here.txt]", "chats.files=[here.txt]", "preferences.files=[here.txt]"}, nil},
		{"shakespeare", nil, []string{"text.files (tinyshakespeare.txt does not exist)"}},
		{"shakespeare", []string{"text.files=[.]"}, nil},
		{"quickstart", nil, nil},
	} {
		r, err := Load(c.recipe, config.Assignments("--set", c.sets...))
		if err != nil {
			t.Fatal(err)
		}
		err = r.checkInputs()
		if len(c.want) == 0 {
			if err != nil {
				t.Errorf("%s with %v: %v", c.recipe, c.sets, err)
			}
			continue
		}
		dir := filepath.Join("runs", "out")
		_, err = r.Run(t.Context(), Options{Dir: dir})
		var missing *MissingInputs
		if !errors.As(err, &missing) || len(missing.Inputs) != len(c.want) {
			t.Errorf("%s with %v: error %v, want %v", c.recipe, c.sets, err, c.want)
			continue
		}
		for i, w := range c.want {
			if got := missing.Inputs[i].Key + " (" + missing.Reasons[i] + ")"; got != w || !strings.Contains(err.Error(), w) {
				t.Errorf("%s with %v: %q, want %q, in %v", c.recipe, c.sets, got, w, err)
			}
		}
		if _, err := os.Stat("runs"); err == nil {
			t.Errorf("%s with %v wrote something", c.recipe, c.sets)
		}
	}
}

// TestInputsRefused: an input must be a setting that names files.
func TestInputsRefused(t *testing.T) {
	const rest = "\ndata:\n  import: [{name: x, kind: chats}]\nstages:\n  - name: a\n    sft: {model: base, chats: [data/x.arrow]}\n"
	path := filepath.Join(t.TempDir(), "r.yaml")
	for key, want := range map[string]string{
		"x.files": "", "a.model": "import x: no files", "x.fils": `"x.fils" is not a setting`, "a.steps": "a.steps is a whole number",
	} {
		if err := os.WriteFile(path, []byte("inputs: [{key: "+key+", description: d}]"+rest), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path, nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", key, err, want)
		}
	}
}
