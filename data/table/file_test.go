package table_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testrows"
)

func TestWriterRefuses(t *testing.T) {
	said := []chat.Message{{Role: "assistant", Content: "x"}}
	nan := math.NaN()
	w, err := table.Create[table.Preference](filepath.Join(t.TempDir(), "p.arrow"), table.Header{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		row  table.Preference
	}{
		{"row 1: chosen has 0 messages", table.Preference{Rejected: said}},
		{"prompt[0] has no role", table.Preference{Prompt: []chat.Message{{}}, Chosen: said, Rejected: said}},
		{"edited[0] is not valid UTF-8", table.Preference{Chosen: said, Rejected: said, Edited: []chat.Message{{Role: "a", Content: "\xff"}}}},
		{"strength is 5", table.Preference{Chosen: said, Rejected: said, Strength: 5}},
		{"chosen_score is NaN", table.Preference{Chosen: said, Rejected: said, ChosenScore: &nan}},
		{`meta "k" is not valid UTF-8`, table.Preference{Chosen: said, Rejected: said, Origin: table.Origin{Meta: map[string]string{"k": "\xff"}}}},
		{"parents[0] is not valid UTF-8", table.Preference{Chosen: said, Rejected: said, Origin: table.Origin{Parents: []string{"\xff"}}}},
	} {
		if err := w.Write(c.row); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "p.arrow") {
			t.Errorf("got error %v, want one with %q", err, c.want)
		}
	}
	if err := w.Write(table.Preference{Chosen: said, Rejected: said}); err != nil {
		t.Errorf("a sound row after refused ones: %v", err)
	}
	if err := w.Close(); err != nil || w.Rows() != 1 {
		t.Error(w.Rows(), err)
	}
}

func TestContentID(t *testing.T) {
	said := func(s ...string) (ms []chat.Message) {
		for _, s := range s {
			ms = append(ms, chat.Message{Role: "user", Content: s})
		}
		return ms
	}
	a := table.ContentID(table.Chat{Messages: said("ab", "c")})
	if again := table.ContentID(table.Chat{Messages: said("ab", "c"), Origin: table.Origin{ID: "x", Source: "y"}}); again != a {
		t.Errorf("the origin changes the id: %s, %s", a, again)
	}
	for name, other := range map[string]string{
		"text moved to the next message": table.ContentID(table.Chat{Messages: said("a", "bc")}),
		"another number of messages":     table.ContentID(table.Chat{Messages: said("ab", "c", "")}),
		"text moved into the role":       table.ContentID(table.Chat{Messages: []chat.Message{{Role: "usera", Content: "b"}, {Role: "user", Content: "c"}}}),
	} {
		if other == a {
			t.Errorf("%s: the same id", name)
		}
	}
	if table.ContentID(table.Chat{}) == table.ContentID(table.Document{}) {
		t.Error("rows of two kinds with nothing in them: the same id")
	}
	if !table.IsContentID(a) {
		t.Errorf("id %q", a)
	}
}

// Equal rows give equal files, whatever the order in which Go ranges over maps.
func TestFilesAreReproducible(t *testing.T) {
	dir := t.TempDir()
	var files [2][]byte
	for i := range files {
		path := filepath.Join(dir, fmt.Sprint(i))
		testrows.Write(t, path, table.Header{Stage: "s", Digests: table.Digests{"a", "b", "c", "d", "e", "f"}}, testrows.Draw(50, testrows.New(9).Sample))
		files[i], _ = os.ReadFile(path)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the same rows give two different files")
	}
}

func TestRowsFrom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.arrow")
	rows := testrows.Draw(2*table.BatchRows+10, testrows.New(3).Document)
	testrows.Write(t, path, table.Header{}, rows)
	r, err := table.Open[table.Document](path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.NumRows() != len(rows) {
		t.Errorf("NumRows is %d, want %d", r.NumRows(), len(rows))
	}
	for _, skip := range []int{0, 1, table.BatchRows - 1, table.BatchRows, table.BatchRows + 1, len(rows) - 1, len(rows), len(rows) + 1} {
		i := skip
		for row, err := range r.RowsFrom(skip) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Text != rows[i].Text {
				t.Fatalf("skip %d: row %d is %q, want %q", skip, i, row.Text, rows[i].Text)
			}
			i++
		}
		if want := max(skip, len(rows)); i != want {
			t.Errorf("skip %d: ended at row %d, want %d", skip, i, want)
		}
	}
}

func TestCloseReplacesAndAbortDoesNot(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "d.arrow")
	testrows.Write(t, path, table.Header{}, []table.Document{{Text: "old"}})
	text := func() string {
		rows, _, err := table.ReadAll[table.Document](path)
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		return rows[0].Text
	}
	write := func() *table.Writer[table.Document] {
		w, err := table.Create[table.Document](path, table.Header{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(table.Document{Text: "new"}); err != nil {
			t.Fatal(err)
		}
		return w
	}
	w := write()
	w.Abort()
	if got := text(); got != "old" || w.Close() == nil || w.Write(table.Document{}) == nil {
		t.Errorf("after Abort the table holds %q, and Close and Write must fail", got)
	}
	w = write()
	w.CloseTemp() // stands for a full disk: every write fails from now on
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a failing write gives error %v", err)
	}
	if got := text(); got != "old" {
		t.Errorf("after a failed Close the table holds %q", got)
	}
	w = write()
	if got := text(); got != "old" {
		t.Errorf("before Close the table holds %q", got)
	}
	if err := w.Close(); err != nil || text() != "new" {
		t.Errorf("after Close the table holds %q, %v", text(), err)
	}
	if left := testrows.ListFolder(t, dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

const writerEnv = "HERD_TEST_WRITE_FOREVER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		writeForever(path)
	}
	os.Exit(m.Run())
}

func writeForever(path string) {
	w, err := table.Create[table.Document](path, table.Header{})
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		if err := w.Write(table.Document{Text: strings.Repeat("x", 1000)}); err != nil {
			panic(err)
		}
		if i == 4*table.BatchRows {
			fmt.Println("written")
		}
	}
}

func TestKilledWriterLeavesTheTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.arrow")
	testrows.Write(t, path, table.Header{}, []table.Document{{Text: "old"}})
	before, _ := os.ReadFile(path)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("written"))); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Errorf("the table changed from %d to %d bytes", len(before), len(after))
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c.arrow")
	testrows.Write(t, path, table.Header{}, testrows.Draw(600, testrows.New(5).Chat))
	whole, _ := os.ReadFile(path)
	for _, c := range []struct{ content, want string }{
		{"", "the file is empty"},
		{"{\"text\": 1}", "not an Arrow file"},
		{"PAR1....PAR1", "is a Parquet file"},
		{"\xff\xff\xff\xff....", "is an Arrow stream"},
		{string(whole[:4]), "not an Arrow file"},
		{string(whole[:10]), "truncated Arrow file"},
		{string(whole[:len(whole)/2]), "truncated Arrow file: it has no footer"},
		{string(whole[:len(whole)-1]), "truncated Arrow file: it has no footer"},
		{string(whole[:8]) + string(whole[len(whole)-10:]), "the footer is longer than the file"},
	} {
		bad := filepath.Join(dir, "bad.arrow")
		os.WriteFile(bad, []byte(c.content), 0o644)
		_, err := table.Open[table.Chat](bad)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "bad.arrow") {
			t.Errorf("got error %v, want one with %q", err, c.want)
		}
	}
	if _, err := table.Open[table.Preference](path); err == nil || err.Error() != path+" holds chats, wanted preferences" {
		t.Errorf("the wrong kind: got error %v", err)
	}
	if _, err := table.Open[table.Chat](filepath.Join(dir, "none.arrow")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got error %v", err)
	}
}

// A flipped bit gives an error or other rows, but neither a panic nor much memory.
func TestFlippedBits(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s.arrow")
	testrows.Write(t, path, table.Header{}, testrows.Draw(40, testrows.New(5).Sample))
	whole, _ := os.ReadFile(path)
	bad := filepath.Join(dir, "bad.arrow")
	r := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 500 {
		broken := bytes.Clone(whole)
		broken[r.IntN(len(broken))] ^= 1 << r.IntN(8)
		os.WriteFile(bad, broken, 0o644)
		if _, _, err := table.ReadAll[table.Sample](bad); err != nil {
			refused++
			if !strings.Contains(err.Error(), "bad.arrow") {
				t.Fatalf("an error that does not name the file: %v", err)
			}
		}
	}
	if refused == 0 {
		t.Error("no flipped bit was noticed")
	}
}

// writeForeign writes one batch as another program might.
func writeForeign(t *testing.T, schema *arrow.Schema, fill func(*array.RecordBuilder), options ...ipc.Option) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "foreign.arrow")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	fill(b)
	w, err := ipc.NewFileWriter(f, append(options, ipc.WithSchema(schema))...)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(b.NewRecord()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// Polars writes large strings, no maps, and no schema metadata.
func TestForeignTable(t *testing.T) {
	large := arrow.BinaryTypes.LargeString
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "extra", Type: arrow.PrimitiveTypes.Float32},
		{Name: "text", Type: large, Nullable: true},
		{Name: "meta", Type: arrow.LargeListOf(arrow.StructOf(arrow.Field{Name: "key", Type: large}, arrow.Field{Name: "value", Type: large}))},
	}, nil)
	fill := func(b *array.RecordBuilder) {
		b.Field(0).(*array.Float32Builder).AppendValues([]float32{1, 2}, nil)
		b.Field(1).(*array.LargeStringBuilder).AppendValues([]string{"first", "-"}, []bool{true, false})
		list := b.Field(2).(*array.LargeListBuilder)
		entry := list.ValueBuilder().(*array.StructBuilder)
		for range 2 {
			list.Append(true)
			entry.Append(true)
			entry.FieldBuilder(0).(*array.LargeStringBuilder).Append("k")
			entry.FieldBuilder(1).(*array.LargeStringBuilder).Append("v")
		}
	}
	meta := map[string]string{"k": "v"}
	want := []table.Document{{Origin: table.Origin{Meta: meta}, Text: "first"}, {Origin: table.Origin{Meta: meta}}}
	for i := range want {
		want[i].ID = table.ContentID(want[i])
	}
	for name, options := range map[string][]ipc.Option{"plain": nil, "lz4": {ipc.WithLZ4()}, "zstd": {ipc.WithZstd()}} {
		got, h, err := table.ReadAll[table.Document](writeForeign(t, schema, fill, options...))
		if err != nil {
			t.Fatal(name, err)
		}
		for i := range got {
			if n, ok := got[i].Extra.Number("extra"); !ok || n != float64(i+1) {
				t.Errorf("%s: row %d has %v, %v in the column extra", name, i+1, n, ok)
			}
			got[i].Extra = table.Extra{}
		}
		if diff := cmp.Diff(want, got, equalRows); diff != "" || h != (table.Header{Kind: table.Documents}) {
			t.Errorf("%s: header %+v, rows (-want +got):\n%s", name, h, diff)
		}
	}
}

func TestForeignErrors(t *testing.T) {
	fill := func(b *array.RecordBuilder) {
		for _, f := range b.Fields() {
			f.AppendEmptyValue()
		}
	}
	field := func(name string, typ arrow.DataType) []arrow.Field { return []arrow.Field{{Name: name, Type: typ}} }
	versioned := arrow.MetadataFrom(map[string]string{table.KeyKind: "documents", table.KeyVersion: "99"})
	unknown := arrow.MetadataFrom(map[string]string{table.KeyKind: "herds"})
	for _, c := range []struct {
		schema *arrow.Schema
		want   string
	}{
		{arrow.NewSchema(field("text", arrow.PrimitiveTypes.Int64), nil), "column text: is int64, expected strings"},
		{arrow.NewSchema(field("words", arrow.BinaryTypes.String), nil), "among [words]"},
		{arrow.NewSchema(field("words", arrow.BinaryTypes.String), &versioned), "written by a newer herd"},
		{arrow.NewSchema(field("words", arrow.BinaryTypes.String), &unknown), `holds "herds"`},
		{arrow.NewSchema(append(field("text", arrow.BinaryTypes.String), field("meta", arrow.BinaryTypes.String)...), nil), "column meta: is utf8, expected a list"},
		{arrow.NewSchema(append(field("text", arrow.BinaryTypes.String), field("parents", arrow.ListOf(arrow.PrimitiveTypes.Int8))...), nil), "column parents: its elements: is int8"},
	} {
		if _, err := table.Open[table.Document](writeForeign(t, c.schema, fill)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want one with %q", err, c.want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "seed.arrow")
	w, err := table.Create[table.Sample](path, table.Header{Stage: "fuzz"})
	if err != nil {
		f.Fatal(err)
	}
	for _, row := range testrows.Draw(3, testrows.New(1).Sample) {
		w.Write(row)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	seed, _ := os.ReadFile(path)
	f.Add(seed)
	f.Add(seed[:len(seed)/2])
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "f.arrow")
		os.WriteFile(path, content, 0o644)
		rows, _, err := table.ReadAll[table.Sample](path)
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("an error that does not name the file: %v", err)
		}
		for _, row := range rows {
			if err := row.Check(); err != nil {
				t.Errorf("a row that must not be: %v", err)
			}
		}
	})
}
