package recipes

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/realdata"
)

// divided imports the lines as m says and returns the records of each part.
func divided(t *testing.T, m Import, lines []string) [][]table.Record {
	t.Helper()
	file := filepath.Join(t.TempDir(), "in.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	m.Files = []string{file}
	return dividedFiles(t, m)
}

func dividedFiles(t *testing.T, m Import) (parts [][]table.Record) {
	t.Helper()
	dir := t.TempDir()
	m.Name = "rows"
	if err := m.validateParts(); err != nil {
		t.Fatal(err)
	}
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Parts {
		r, err := table.OpenAny(filepath.Join(dir, "rows-"+p.Name+".arrow"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var rows []table.Record
		for row, err := range r.Records(0) {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
		parts = append(parts, rows)
	}
	return parts
}

var twoParts = []Part{{"train", 0.8}, {"heldout", 0.2}}

// linesOf returns n lines of JSON. The format takes the number of the line where it has %[1]d.
func linesOf(n int, format string) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf(format, i))
	}
	return lines
}

// TestPartsAreBalanced: each part has its share of rows, within four standard deviations, whatever
// the ids and however alike the contents.
func TestPartsAreBalanced(t *testing.T) {
	for name, format := range map[string]string{
		"sequential ids":  `{"id": "%[1]d", "text": "t%[1]d"}`,
		"letters":         `{"id": "a%[1]d", "text": "the same beginning, then %[1]d"}`,
		"prefixed ids":    `{"id": "doc-%06[1]d", "text": "%[1]d"}`,
		"chats":           `{"id": "%[1]d", "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "%[1]d"}]}`,
		"preferences":     `{"id": "%[1]d", "prompt": "%[1]d", "chosen": "yes", "rejected": "no"}`,
		"equal beginning": `{"text": "%[1]d %[1]d"}`,
	} {
		for _, n := range []int{100, 800} {
			for _, seed := range []uint64{0, 1} {
				parts := divided(t, Import{Parts: twoParts, PartsSeed: seed}, linesOf(n, format))
				got, want, deviation := float64(len(parts[1])), 0.2*float64(n), math.Sqrt(float64(n)*0.2*0.8)
				if math.Abs(got-want) > 4*deviation {
					t.Errorf("%s, seed %d: %g of %d rows are held out, want %g ± %.1f", name, seed, got, n, want, deviation)
				}
			}
		}
	}
}

// TestPartsSeed: another seed gives another division, the same seed the same.
func TestPartsSeed(t *testing.T) {
	lines := linesOf(100, `{"text": "%[1]d"}`)
	held := func(seed uint64) (all string) {
		for _, row := range divided(t, Import{Parts: twoParts, PartsSeed: seed}, lines)[1] {
			all += row.(*table.Document).Text + " "
		}
		return all
	}
	if again := held(1); again != held(1) || held(1) == held(2) || held(0) == held(1) {
		t.Errorf("held out with seeds 0, 1, 2: %s; %s; %s", held(0), held(1), held(2))
	}
}

// TestPartsKeepTogether: rows that must be in the same part are, under any ids; other rows are
// dealt out one by one.
func TestPartsKeepTogether(t *testing.T) {
	const (
		words = "the %[1]dth herd has %[1]d goats, %[1]d hens, %[1]d cats, %[1]d dogs, %[1]d cows and %[1]d owls in field %[1]d"
		chatX = `"messages": [{"role": "user", "content": "q%[1]d"}, {"role": "assistant", "content": "x"}]`
		chatY = `"messages": [{"role": "user", "content": "q%[1]d"}, {"role": "assistant", "content": "y"}]`
		pairX = `"prompt": "q%[1]d", "chosen": "yes", "rejected": "no"`
		pairY = `"prompt": "q%[1]d", "chosen": "no", "rejected": "never"`
	)
	near := []string{`"text": "` + words + `"`, `"text": "The %[1]dth Herd has %[1]d goats; %[1]d HENS; %[1]d cats,  %[1]d dogs, %[1]d cows and %[1]d owls in field %[1]d!"`, `"text": "` + words + ` now"`}
	for _, c := range []struct {
		name   string
		by     PartsBy
		group  []string // the rows of one group, with %[1]d for its number
		atomic bool
	}{
		{"equal documents", "", []string{`"text": "t%[1]d"`, `"text": "t%[1]d"`}, true},
		{"equal chats", "", []string{chatX, chatX}, true},
		{"chats with a prompt", ByPrompt, []string{chatX, chatY, `"messages": [{"role": "user", "content": "q%[1]d"}]`}, true},
		{"chats with a prompt, by content", "", []string{chatX, chatY}, false},
		{"pairs with a prompt", "", []string{pairX, pairY}, true},
		{"pairs with a prompt, by content", ByContent, []string{pairX, pairY}, false},
		{"near copies", ByNear, near, true},
		{"near copies, by content", "", near, false},
		{"chats that are near copies", ByNear, []string{chatX, `"messages": [{"role": "user", "content": "Q%[1]d!"}, {"role": "assistant", "content": "X."}]`}, true},
		{"pairs with near prompts", ByNear, []string{`"prompt": "` + words + `", "chosen": "yes", "rejected": "no"`, `"prompt": "` + words + `?", "chosen": "perhaps", "rejected": "never"`}, true},
	} {
		const groups = 60
		var lines []string
		for i := range groups {
			for k, row := range c.group {
				lines = append(lines, fmt.Sprintf(`{"id": "%d-%d", `, 100+i, k)+fmt.Sprintf(row+"}", 100+i))
			}
		}
		in, straddling, used := make(map[string]int), 0, make(map[int]bool)
		for p, rows := range divided(t, Import{Parts: []Part{{"a", 0.5}, {"b", 0.5}}, PartsBy: c.by}, lines) {
			for _, row := range rows {
				group, _, _ := strings.Cut(row.RowOrigin().ID, "-")
				if at, seen := in[group]; seen && at != p {
					straddling++
				}
				in[group], used[p] = p, true
			}
		}
		if len(in) != groups || len(used) != 2 || c.atomic && straddling > 0 || !c.atomic && straddling < groups/4 {
			t.Errorf("%s: %d rows of %d groups are in another part than the rest", c.name, straddling, len(in))
		}
	}
}

// TestPartsOfRealData: no content of chats and no prompt of preferences is in two parts, and each
// part has about its share. Both files have duplicates.
func TestPartsOfRealData(t *testing.T) {
	for _, c := range []struct {
		folder, file string
		kind         table.Kind
		key          func(table.Record) string
	}{
		{"sft", "llamafactory-alpaca_en_demo.json.gz", table.Chats, table.RecordID},
		{"prefs", "llamafactory-dpo_en_demo.json.gz", table.Preferences, table.PromptID},
	} {
		parts := dividedFiles(t, Import{Files: []string{realdata.Path(t, "data", c.folder, c.file)}, Kind: c.kind, Parts: twoParts})
		train := make(map[string]bool)
		for _, row := range parts[0] {
			train[c.key(row)] = true
		}
		for _, row := range parts[1] {
			if train[c.key(row)] {
				t.Errorf("%s: row %s is in both parts", c.file, row.RowOrigin().ID)
			}
		}
		n := len(parts[0]) + len(parts[1])
		if share := float64(len(parts[1])) / float64(n); math.Abs(share-0.2) > 0.07 || len(train) == len(parts[0]) {
			t.Errorf("%s: %.3f of %d rows are held out, %d different ones among %d", c.file, share, n, len(train), len(parts[0]))
		}
	}
}

func TestPartsRefused(t *testing.T) {
	docs := Import{Name: "x", Files: []string{"f"}, Kind: table.Documents, Parts: twoParts, PartsBy: ByPrompt}
	file := filepath.Join(t.TempDir(), "in.jsonl")
	if err := os.WriteFile(file, []byte(`{"text": "t"}`+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	docs.Files = []string{file}
	if err := docs.write(t.TempDir()); err == nil || !strings.Contains(err.Error(), "documents have no prompts") {
		t.Errorf("documents by prompt: error %v", err)
	}
	docs.PartsBy = ByNear
	for n, want := range map[int]string{40: "more than half of the 40 rows are near copies", 3: ""} {
		lines := linesOf(n, `{"text": "the same long text in each of all the rows, over the hills and far away %[1]d"}`)
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := docs.write(t.TempDir()); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d near copies: error %v, want %q", n, err, want)
		}
	}
	for want, text := range map[string]string{
		`two imports, or an import and the world, would write data/x.arrow`:     "parts: [{name: a, share: 1}]}, {name: x, files: [g]",
		`two imports, or an import and the world, would write data/x-a-b.arrow`: "parts: [{name: a-b, share: 1}]}, {name: x-a, files: [g], parts: [{name: b, share: 1}]",
		`an import and a stage are both called "a"`:                             "limit: 0}, {name: a, files: [g]",
		`parts_by is "contents", expected content, prompt or near`:              "parts: [{name: a, share: 1}], parts_by: contents",
		"need parts":                "parts_by: near",
		`two parts are called "a"`:  "parts: [{name: a, share: 0.5}, {name: a, share: 0.5}]",
		`part "a/b": the name must`: "parts: [{name: a/b, share: 1}]",
	} {
		path := filepath.Join(t.TempDir(), "r.yaml")
		doc := "data:\n  import: [{name: x, files: [f], " + text + "}]\nstages:\n  - name: a\n    sft: {model: base, chats: [c.arrow]}\n"
		if err := os.WriteFile(path, []byte(doc), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

// TestSeedReachesTheWorld: the recipe's seed makes another world, unless the world has its own.
func TestSeedReachesTheWorld(t *testing.T) {
	tables := func(sets ...string) (all string) {
		dir := t.TempDir()
		r := tiny(t, sets...)
		m, err := r.dataManifest()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.makeData(dir, m); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"documents", "chats", "preferences", "prompts", "heldout"} {
			b, err := os.ReadFile(filepath.Join(dir, dataDir, name+".arrow"))
			if err != nil {
				t.Fatal(err)
			}
			all += string(b)
		}
		return all
	}
	three := tables() // the seed of testdata/tiny.yaml
	if tables("seed=4") == three {
		t.Error("another seed of the recipe makes the same world")
	}
	if tables("seed=4", "data.world.seed=3") != three || tables("seed=3") != three {
		t.Error("the world does not follow its own seed")
	}
}

// TestDigestOfParts pins the digest of data with and without parts. Tables that an older herd
// divided by the ids of the rows have another digest.
func TestDigestOfParts(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "in.jsonl", `{"text": "t"}`+"\n")
	for _, c := range []struct {
		parts []Part
		want  string
	}{
		{nil, "cbc9d2b4a7a00f84edc5d048d764853c7b03da9515e095da3c912b7c100994dd"},
		{[]Part{}, "cbc9d2b4a7a00f84edc5d048d764853c7b03da9515e095da3c912b7c100994dd"},
		{twoParts, "f9fdeb5f420a32943a78f76f61aae7a0c098f7545cbdf24f6672c2626558623a"},
	} {
		r := Recipe{Data: Data{Import: []Import{{Name: "x", Files: []string{"in.jsonl"}, Parts: c.parts}}}}
		if m, err := r.dataManifest(); err != nil || m.Digest != c.want {
			t.Errorf("parts %v: digest %s, want %s (error %v)", c.parts, m.Digest, c.want, err)
		}
	}
}
