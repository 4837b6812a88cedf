package format

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/klauspost/compress/zstd"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

func chatsIn(t *testing.T, path string) [][]chat.Message {
	t.Helper()
	rows, _, err := table.ReadAll[table.Chat](path)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]chat.Message
	for _, row := range rows {
		all = append(all, row.Messages)
	}
	return all
}

// TestColumns: CSV and TSV files have rows, not one text; cells may have quotes, line breaks and
// messages as JSON.
func TestColumns(t *testing.T) {
	want := []chat.Message{{Role: "user", Content: "a, \"b\"\nc"}, {Role: "assistant", Content: "d"}}
	for name, text := range map[string]string{
		"a.csv": "prompt,completion,id\n\"a, \"\"b\"\"\nc\",d,7\n",
		"b.csv": "\ufeffprompt;completion;id\r\n\"a, \"\"b\"\"\nc\";d;7\r\n",
		"c.tsv": "id\tprompt\tcompletion\n7\t\"a, \"\"b\"\"\nc\"\td\n",
		"d.csv": "messages,id\n\"[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"a, \\\"\"b\\\"\"\\nc\"\"},{\"\"role\"\":\"\"assistant\"\",\"\"content\"\":\"\"d\"\"}]\",7\n",
		"E.CSV": "prompt,completion,id\n\"a, \"\"b\"\"\nc\",d,7",
	} {
		dst, r, err := importFile(t, name, text, ImportSettings{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		rows, _, err := table.ReadAll[table.Chat](dst)
		if err != nil || r.Rows != 1 || rows[0].ID != "7" || !chat.Same(rows[0].Messages, want) {
			t.Errorf("%s: %+v, %v", name, rows, err)
		}
	}
	for text, want := range map[string]string{
		"prompt,completion\na,b\nc\n": "line 3: wrong number of fields",
		"prompt,prompt\na,b\n":        `column 2 is named "prompt"`,
		"prompt,\na,b\n":              `column 2 is named ""`,
		"prompt,completion\n\"a,b\n":  "line 2: ",
		"colour,shape\nred,round\n":   "the keys colour, shape fit none",
		"prompt,completion\na,\xff\n": "not valid UTF-8",
	} {
		if _, _, err := importFile(t, "x.csv", text, ImportSettings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// TestZstandard: files that Zstandard has compressed are read as what they hold, and damaged ones
// are errors.
func TestZstandard(t *testing.T) {
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := e.EncodeAll([]byte("prompt,completion\nq,a\n"), nil)
	dst, r, err := importFile(t, "x.csv.zst", string(packed), ImportSettings{})
	if err != nil || r.Rows != 1 || chatsIn(t, dst)[0][1].Content != "a" {
		t.Errorf("%v, %v", r, err)
	}
	for _, damaged := range []string{string(packed[:len(packed)-3]), string(packed[:6])} {
		if _, _, err := importFile(t, "x.csv.zst", damaged, ImportSettings{}); err == nil || !strings.Contains(err.Error(), "x.csv.zst") {
			t.Errorf("damaged: %v", err)
		}
	}
}

// TestMap: columns with other names are used under those that the formats know.
func TestMap(t *testing.T) {
	dst, r, err := importFile(t, "x.csv", "ask,say,note\nq,a,n\n", ImportSettings{Map: map[string]string{"ask": "prompt", "say": "completion"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := chatsIn(t, dst); len(got) != 1 || got[0][0].Content != "q" || got[0][1].Content != "a" || strings.Join(r.Kept, " ") != "note" {
		t.Errorf("%v, kept %v", got, r.Kept)
	}
	for want, m := range map[string]map[string]string{
		`there is no column "asked", the columns are ask, note, say`:   {"asked": "prompt"},
		"map: ask is to be say, but the row has a column of that name": {"ask": "say"},
	} {
		if _, _, err := importFile(t, "x.csv", "ask,say,note\nq,a,n\n", ImportSettings{Map: m}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", m, err, want)
		}
	}
}

// TestMapPlaces: columns may change places, and a mapped cell may be empty in the first row.
func TestMapPlaces(t *testing.T) {
	dst, _, err := importFile(t, "x.csv", "completion,prompt\nq,a\n", ImportSettings{Map: map[string]string{"completion": "prompt", "prompt": "completion"}})
	if err != nil || chatsIn(t, dst)[0][0].Content != "q" {
		t.Errorf("swapped: %v", err)
	}
	if _, _, err := importFile(t, "x.csv", "ask,prompt\nq,\n", ImportSettings{Map: map[string]string{"typo": "prompt"}}); err == nil || !strings.Contains(err.Error(), `there is no column "typo"`) {
		t.Errorf("a column that is not there: %v", err)
	}
	if _, r, err := importFile(t, "x.csv", "ask,hint\nq,\nr,h\n", ImportSettings{Map: map[string]string{"ask": "prompt", "hint": "system"}}); err != nil || r.Rows != 2 {
		t.Errorf("an empty first cell: %v, %v", r, err)
	}
}

// TestObjectsUnderAnyName: a file of JSON objects is one, whatever it is called. Text that only
// begins with a brace is text.
func TestObjectsUnderAnyName(t *testing.T) {
	const rows = `{"prompt":"q","completion":"a"}` + "\n" + `{"prompt":"r","completion":"b"}` + "\n"
	for _, name := range []string{"rows", "rows.data", "rows.txt"} {
		if _, r, err := importFile(t, name, rows, ImportSettings{}); err != nil || r.Rows != 2 || r.Kind != table.Chats {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	for _, text := range []string{"{\"a\": 1, and so on\nmore", "{ a }\n", "[{\"a\": 1}] is a list"} {
		if _, r, err := importFile(t, "x.txt", text, ImportSettings{}); err != nil || r.Kind != table.Documents {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
}

// TestLaterRows: a row without the answer that the first row has is an error, and so is a key that
// occurs twice.
func TestLaterRows(t *testing.T) {
	for second, want := range map[string]string{
		`{"prompt":"c","solution":"d"}`:                    "line 2: completion: is missing",
		`{"prompt":"c"}`:                                   "line 2: completion: is missing",
		`{"prompt":"c","completion":"d","completion":"e"}`: "line 2: a key occurs twice",
		`{"prompt":[{"role":"user","content":"a","content":"b"}],"completion":"d"}`: "a key occurs twice",
	} {
		_, _, err := importFile(t, "x.jsonl", `{"prompt":"a","completion":"b: {\"c\": \\\""}`+"\n"+second, ImportSettings{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", second, err, want)
		}
	}
}

// TestNotText: pages, archives and Parquet files are no text, unless the user says so.
func TestNotText(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"page.html": {"<!DOCTYPE html>\n<p>hi", "is an HTML page"},
		"page.txt":  {"\n<html><p>hi", "is an HTML page"},
		"late.txt":  {"<!-- a -->\n<?xml?>\n<HTML><p>hi", "is an HTML page"},
		"part.html": {"<p>hi</p>", "is an HTML page"},
		"x.warc":    {"gzip lost its head", "is a WARC file"},
		"crawl":     {"WARC/1.0\r\nWARC-Type: response\r\n", "is a WARC file"},
		"x.parquet": {"PAR1\x15\x00\x00PAR1", "cannot be read as a Parquet file"},
	} {
		if _, _, err := importFile(t, name, c.text, ImportSettings{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, r, err := importFile(t, "page.html", "<html>hi", ImportSettings{Format: Text}); err != nil || r.Rows != 1 {
		t.Errorf("as text: %v, %v", r, err)
	}
}

// TestParquet reads a file that DuckDB 1.4 wrote (COPY ... TO with Zstandard), with lists of structs,
// nulls and umlauts.
func TestParquet(t *testing.T) {
	dst := filepath.Join(t.TempDir(), "out.arrow")
	r, err := Import(dst, []string{filepath.Join("testdata", "chats.parquet")}, ImportSettings{})
	if err != nil || r.Rows != 3 || r.Kind != table.Chats {
		t.Fatalf("%v, %v", r, err)
	}
	rows, _, err := table.ReadAll[table.Chat](dst)
	if err != nil {
		t.Fatal(err)
	}
	want := []chat.Message{{Role: "user", Content: "ü"}, {Role: "assistant", Content: "d"}}
	if !chat.Same(rows[2].Messages, want) || rows[0].Meta["tags"] != `["a","b"]` || rows[0].Meta["n"] != "1" {
		t.Errorf("%+v", rows)
	}
	b, err := os.ReadFile(filepath.Join("testdata", "chats.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{len(b) / 2, len(b) - 20, 12} {
		damaged := filepath.Join(t.TempDir(), "damaged.parquet")
		if err := os.WriteFile(damaged, append(b[:cut:cut], b[len(b)-8:]...), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(filepath.Join(t.TempDir(), "x.arrow"), []string{damaged}, ImportSettings{}); err == nil || !strings.Contains(err.Error(), "damaged.parquet") {
			t.Errorf("cut to %d bytes: error %v", cut, err)
		}
	}
}

// TestArrow: files and streams of other programs are converted like JSON, and herd's own tables
// keep everything, so that several can be joined.
func TestArrow(t *testing.T) {
	dir := t.TempDir()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "question", Type: arrow.BinaryTypes.LargeString}, {Name: "response", Type: arrow.BinaryTypes.String},
		{Name: "class", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint32, ValueType: arrow.BinaryTypes.String}},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for _, s := range []string{"x", "y"} {
		b.Field(0).(*array.LargeStringBuilder).Append("q" + s)
		b.Field(1).(*array.StringBuilder).Append("a" + s)
		if err := b.Field(2).AppendValueFromString("c" + s); err != nil {
			t.Fatal(err)
		}
	}
	record := b.NewRecord()
	write := func(name string, stream bool) string {
		path := filepath.Join(dir, name)
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		w := interface {
			Write(arrow.Record) error
			Close() error
		}(ipc.NewWriter(file, ipc.WithSchema(schema)))
		if !stream {
			if w, err = ipc.NewFileWriter(file, ipc.WithSchema(schema)); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := w.Write(record); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, stream := range []bool{false, true} {
		dst := filepath.Join(t.TempDir(), "out.arrow")
		r, err := Import(dst, []string{write("data.arrow", stream)}, ImportSettings{})
		if err != nil || r.Rows != 4 || r.Kind != table.Chats {
			t.Fatalf("stream %t: %v, %v", stream, r, err)
		}
		rows, _, err := table.ReadAll[table.Chat](dst)
		if err != nil || rows[3].Messages[0].Content != "qy" || rows[3].Messages[1].Content != "ay" || rows[3].Meta["class"] != "cy" {
			t.Errorf("stream %t: %+v, %v", stream, rows, err)
		}
		joined := filepath.Join(t.TempDir(), "joined.arrow")
		if r, err := Import(joined, []string{dst, dst}, ImportSettings{}); err != nil || r.Rows != 8 {
			t.Errorf("joined: %v, %v", r, err)
		}
	}
	damaged := write("damaged.arrow", true)
	if err := os.Truncate(damaged, 500); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(filepath.Join(dir, "none.arrow"), []string{damaged}, ImportSettings{}); err == nil || !strings.Contains(err.Error(), "damaged.arrow") {
		t.Errorf("a stream that is cut: %v", err)
	}
	// A dataset as Hugging Face's datasets saves it has descriptions beside the stream.
	set := filepath.Join(dir, "set")
	if err := os.MkdirAll(set, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"state.json", "dataset_info.json"} {
		if err := os.WriteFile(filepath.Join(set, name), []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("set/data-00000-of-00001.arrow", true)
	if r, err := Import(filepath.Join(dir, "set.arrow"), []string{set}, ImportSettings{}); err != nil || r.Rows != 4 {
		t.Errorf("a saved dataset: %v, %v", r, err)
	}
}
