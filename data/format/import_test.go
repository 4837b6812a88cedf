package format

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testrows"
)

// importFile imports a file of the given name and content.
func importFile(t *testing.T, name, content string, s ImportSettings) (dst string, r Report, err error) {
	t.Helper()
	src := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(src, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	dst = filepath.Join(t.TempDir(), "out.arrow")
	r, err = Import(dst, []string{src}, s)
	return dst, r, err
}

func exported(t *testing.T, path string) string {
	t.Helper()
	var b strings.Builder
	if err := ExportJSONL(&b, path); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// exactly parses JSON and keeps large integers exact.
func exactly(t *testing.T, text string) map[string]any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v map[string]any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestFormats(t *testing.T) {
	cases, err := os.ReadFile(filepath.Join("testdata", "formats.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(cases)) {
		var c struct {
			Name     string
			Format   Format
			In, Want json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			for _, forced := range []Format{"", c.Format} {
				dst, r, err := importFile(t, "in.jsonl", string(c.In), ImportSettings{Format: forced})
				if err != nil {
					t.Fatal(err)
				}
				if got := r.Files[0].Format; got != c.Format {
					t.Errorf("format %q told as %q", c.Format, got)
				}
				got, want := exactly(t, exported(t, dst)), exactly(t, string(c.Want))
				for key, filled := range map[string]any{"id": got["id"], "source": "in.jsonl"} {
					if _, given := want[key]; !given && c.Format != Herd || key == "id" && !given {
						want[key] = filled
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("format %q (-want +got):\n%s", forced, diff)
				}
			}
		})
	}
}

func TestConvertersOfLLaMAFactory(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "llamafactory.json"))
	if err != nil {
		t.Fatal(err)
	}
	type golden struct {
		In               json.RawMessage
		System           string
		Prompt, Response []chat.Message
	}
	var all struct{ Alpaca, ShareGPT golden }
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, g := range []golden{all.Alpaca, all.ShareGPT} {
		dst, _, err := importFile(t, "in.json", string(g.In), ImportSettings{})
		if err != nil {
			t.Fatal(err)
		}
		var want []chat.Message
		if g.System != "" {
			want = append(want, chat.Message{Role: "system", Content: g.System})
		}
		want = append(append(want, g.Prompt...), g.Response...)
		rows, _, err := table.ReadAll[table.Chat](dst)
		if err != nil || len(want) < 2 {
			t.Fatal(err, want)
		}
		if diff := cmp.Diff(want, rows[0].Messages); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestImportErrors(t *testing.T) {
	const good = `{"prompt": "a", "chosen": "b", "rejected": "c"}` + "\n"
	for _, c := range []struct{ name, file, content, want string }{
		{"key of the wrong type", "p.jsonl", good + `{"prompt": "a", "chosen": 3, "rejected": "c"}`, "p.jsonl line 2: chosen: is 3, expected messages"},
		{"missing key", "p.jsonl", good + good + `{"prompt": "a", "chosen": "b"}`, "p.jsonl line 3: rejected: is empty"},
		{"missing prompt", "p.jsonl", good + `{"chosen": "b", "rejected": "c"}`, "p.jsonl line 2: prompt: is missing"},
		{"response by the user", "p.jsonl", `{"prompt": "a", "chosen": {"role": "user", "content": "b"}, "rejected": "c"}`, "line 1: chosen: ends with a message of role user"},
		{"strength out of range", "p.jsonl", `{"prompt": "a", "chosen": "b", "rejected": "c", "strength": 5}`, "line 1: strength: is 5"},
		{"unknown role", "m.jsonl", `{"messages": [{"role": "user", "content": ""}, {"role": "wizard", "content": ""}]}`, `line 1: messages: message 2: role: is "wizard"`},
		{"image", "m.jsonl", `{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}`, `message 1: content: part 1 has type "image_url"`},
		{"no messages", "m.jsonl", `{"messages": []}`, "line 1: messages is empty"},
		{"broken JSON after blank lines", "m.jsonl", `{"text": "a"}` + "\n\n\n" + `{"text": "b"` + "\n" + `{"text": "c"}`, "m.jsonl line 4 (row 2): invalid character"},
		{"file ends in a row", "m.jsonl", `{"text": "a"}` + "\n" + `{"text": `, "m.jsonl line 2: the file ends within this row"},
		{"file ends in an array", "m.json", "[\n" + `{"text": "a"},` + "\n", "m.json line 2: the file ends within this row"},
		{"array followed by more", "m.json", `[{"text": "a"}] {"text": "b"}`, "the file goes on after the array of rows"},
		{"error in a pretty array", "m.json", "[\n  {\n    \"text\": \"a\"\n  },\n  {\n    \"text\": 1\n  }\n]", "m.json line 5 (row 2): text: is 1, expected a string"},
		{"not objects", "m.json", `["a", "b"]`, "line 1: the row is not a JSON object"},
		{"invalid UTF-8 in JSON", "m.jsonl", `{"text": "a"}` + "\n" + "{\"text\": \"\xff\"}", "m.jsonl line 2: the row is not valid UTF-8"},
		{"invalid UTF-8 in text", "t.txt", "a\nb\n\xffc\n", "t.txt line 3: is not valid UTF-8"},
		{"binary", "t.txt", "a\x00b", "t.txt is not a text file"},
		{"unknown keys", "m.jsonl", `{"b": 1, "a": 2}`, "line 1: the keys a, b fit none of the formats"},
		{"empty file", "m.jsonl", "", "no rows in "},
		{"empty array", "m.json", " [ ] ", "no rows in "},
		{"blank text", "t.txt", " \n\t\n", "no rows in "},
		{"truncated gzip", "t.txt.gz", string(gzipped(t, strings.Repeat("abc def\n", 9999))[:40]), "t.txt.gz "},
	} {
		t.Run(c.name, func(t *testing.T) {
			dst, _, err := importFile(t, c.file, c.content, ImportSettings{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
			if left := testrows.ListFolder(t, filepath.Dir(dst)); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func gzipped(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImportSettings(t *testing.T) {
	const pairs = `{"prompt": "a", "chosen": "b", "rejected": "c"}`
	if _, _, err := importFile(t, "x.jsonl", pairs, ImportSettings{Kind: table.Documents}); err == nil || !strings.Contains(err.Error(), "formats that make documents") {
		t.Errorf("preferences as documents: got error %v", err)
	}
	if _, _, err := importFile(t, "x.txt", "text", ImportSettings{Kind: table.Chats}); err == nil || !strings.Contains(err.Error(), "gives documents, expected chats") {
		t.Errorf("text as chats: got error %v", err)
	}
	if _, r, err := importFile(t, "x.jsonl", pairs, ImportSettings{Kind: table.Chats}); err != nil || r.Files[0].Format != Prompts {
		t.Errorf("the prompts of preferences: got %v, %v", r, err)
	}
	if _, r, err := importFile(t, "x.jsonl", pairs, ImportSettings{Format: Text}); err != nil || r.Kind != table.Documents {
		t.Errorf("JSON as text: got %v, %v", r, err)
	}
	if _, r, err := importFile(t, "x.jsonl", pairs+pairs+pairs, ImportSettings{Limit: 2}); err != nil || r.Rows != 2 {
		t.Errorf("limit 2: got %v, %v", r, err)
	}
	_, _, err := importFile(t, "x.jsonl", pairs, ImportSettings{Format: "nonsense"})
	if err == nil || !strings.Contains(err.Error(), `"nonsense"`) {
		t.Errorf("unknown format: got error %v", err)
	}
}

func TestImportDoesNotOverwrite(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "a.txt"), filepath.Join(dir, "out.arrow")
	os.WriteFile(src, []byte("text"), 0o644)
	os.WriteFile(dst, []byte("precious"), 0o644)
	if _, err := Import(dst, []string{src}, ImportSettings{}); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("got error %v", err)
	}
	if b, _ := os.ReadFile(dst); string(b) != "precious" {
		t.Errorf("the destination became %q", b)
	}
	if _, err := Import(dst, []string{src}, ImportSettings{Overwrite: true}); err != nil {
		t.Error(err)
	}
	if kind, _, err := table.KindOf(dst); kind != table.Documents {
		t.Errorf("overwritten, it holds %v, %v", kind, err)
	}
}

func TestImportFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "corpus")
	for name, content := range map[string]string{
		"b.md": "# b", "a/x.go": "package x", "a/y.jsonl": `{"text": "y"}`, "z.txt.gz": string(gzipped(t, "z")),
		".git/config": "hidden", ".hidden": "hidden", "image.png": "\x89PNG\x00", "latin1.txt": "caf\xe9", "bom.txt": "\ufeffbom", "empty.txt": "",
	} {
		os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dst := filepath.Join(t.TempDir(), "out.arrow")
	r, err := Import(dst, []string{dir}, ImportSettings{})
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := table.ReadAll[table.Document](dst)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows {
		got = append(got, row.Source+": "+row.Text)
	}
	want := []string{"corpus/a/x.go: package x", "corpus/a/y.jsonl: y", "corpus/b.md: # b", "corpus/bom.txt: bom", "corpus/z.txt.gz: z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Skipped != 2 || r.Rows != len(want) {
		t.Errorf("report: %+v", r)
	}
}

// An exported table gives the same table when it is imported again, without naming the format,
// and the same bytes when it is exported again.
func TestExportImportRoundTrip(t *testing.T) {
	r := testrows.New(7)
	t.Run("documents", func(t *testing.T) { checkExport(t, testrows.Draw(700, r.Document)) })
	t.Run("chats", func(t *testing.T) { checkExport(t, testrows.Draw(700, r.Chat)) })
	t.Run("preferences", func(t *testing.T) { checkExport(t, testrows.Draw(700, r.Preference)) })
	t.Run("samples", func(t *testing.T) { checkExport(t, testrows.Draw(700, r.Sample)) })
	t.Run("unpaired", func(t *testing.T) { checkExport(t, testrows.Draw(700, r.Unpaired)) })
}

func checkExport[T table.Row](t *testing.T, rows []T) {
	table.OriginOf(&rows[0]).ID = "" // a content hash is what tells herd's rows from others
	path := filepath.Join(t.TempDir(), "first.arrow")
	testrows.Write(t, path, table.Header{}, rows)
	lines := exported(t, path)
	dst, _, err := importFile(t, "x.jsonl", lines, ImportSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if again := exported(t, dst); again != lines {
		t.Errorf("(-exported +exported again)\n%s", cmp.Diff(lines, again))
	}
}

// TestExtraColumnsInJSON: extra columns are exported as JSON values and imported as
// columns again, and a second export has the same bytes.
func TestExtraColumnsInJSON(t *testing.T) {
	r := testrows.New(11)
	rows := testrows.Draw(700, r.Chat)
	for i := range rows {
		x := &rows[i].Extra
		rows[i].ID = ""
		switch i % 4 {
		case 0:
			x.SetNull("tags") // before any row says what type it has
			x.SetNumber("score", float64(i))
		case 1:
			x.SetText("note", "<a & b>\u2028")
			x.SetBool("good", i%3 == 0)
		case 2:
			x.SetTexts("tags", []string{"x", "y"}[:i%3])
		}
	}
	// Columns of several types within a value: a struct, lists of lists, integers.
	if err := json.Unmarshal([]byte(`{"deep": {"b": 1, "a": [[1.5], [], null], "n": 9007199254740993}, "score": -2.0}`), &rows[3].Extra); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"deep": {"c": "new", "b": null}, "score": 1e300}`), &rows[650].Extra); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "first.arrow")
	testrows.Write(t, path, table.Header{}, rows)
	lines := exported(t, path)
	for _, want := range []string{`"score":4.0`, `"note":"<a & b>`, `"deep":{"b":1,"a":[[1.5],[],null],"n":9007199254740993,"c":null}`, `"tags":null`} {
		if !strings.Contains(lines, want) {
			t.Errorf("the export has no %s", want)
		}
	}
	dst, report, err := importFile(t, "x.jsonl", lines, ImportSettings{})
	if err != nil || report.Files[0].Format != Herd {
		t.Fatal(report, err)
	}
	if again := exported(t, dst); again != lines {
		t.Errorf("(-exported +exported again)\n%s", cmp.Diff(lines, again))
	}
	got, _, err := table.ReadAll[table.Chat](dst)
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := got[4].Extra.Number("score"); !ok || n != 4 {
		t.Errorf("score is %v, %v", n, ok)
	}
	_, _, err = importFile(t, "x.jsonl", `{"text": "a", "extra": {"x": 1}}{"text": "b", "extra": {"x": "1"}}`, ImportSettings{Format: Herd})
	if err == nil || !strings.Contains(err.Error(), "row 2: column x: is int64 in some rows and utf8 in others") {
		t.Errorf("a column of two types: got error %v", err)
	}
	nan := testrows.Draw(1, r.Document)
	nan[0].Extra.SetNumber("x", math.NaN())
	testrows.Write(t, path, table.Header{}, nan)
	if err := ExportJSONL(io.Discard, path); err == nil || !strings.Contains(err.Error(), "x: is NaN") {
		t.Errorf("NaN: got error %v", err)
	}
}
