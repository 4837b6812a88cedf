package table_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/data/table"
)

// copyTable copies the rows that keep chooses, one by one, as a step does.
func copyTable(t testing.TB, to string, keep func(i int) bool, from ...string) []int {
	t.Helper()
	w, err := table.Create[table.Document](to, table.Header{Stage: "copy"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	var kept []int
	i := 0
	for _, path := range from {
		for row, err := range table.Scan[table.Document](path) {
			if err != nil {
				t.Fatal(err)
			}
			if keep(i) {
				kept = append(kept, i)
				if err := w.Write(row); err != nil {
					t.Fatal(err)
				}
			}
			i++
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return kept
}

// TestExtraColumnsSurvive copies tables with random extra columns, completely and in part, and
// compares what Arrow reads from both.
func TestExtraColumnsSurvive(t *testing.T) {
	for seed := range uint64(60) {
		f := newForeign(seed)
		schema := f.schema(1 + f.IntN(6))
		record := f.record(schema, 0, f.IntN(700))
		from := writeRecords(t, t.TempDir(), schema, batches(record, 1+f.IntN(300))...)
		share := f.IntN(4)
		to := tempPath(t)
		kept := copyTable(t, to, func(int) bool { return f.IntN(4) <= share }, from)
		if len(kept) == 0 {
			continue
		}
		wantSchema, whole := columnsIn(t, from)
		var want []arrow.Array
		for _, c := range whole {
			want = append(want, pick(t, c, kept))
		}
		gotSchema, got := columnsIn(t, to)
		if err := sameExtras(wantSchema, want, gotSchema, got); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		again := tempPath(t)
		copyTable(t, again, func(int) bool { return true }, to)
		a, _ := os.ReadFile(to)
		if b, _ := os.ReadFile(again); !bytes.Equal(a, b) {
			t.Errorf("seed %d: a copy of a copy differs", seed)
		}
	}
}

// TestSameExtrasNotices checks that the comparison finds a lost null, swapped columns, and lost
// metadata.
func TestSameExtrasNotices(t *testing.T) {
	x, y := arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, arrow.Field{Name: "y", Type: arrow.PrimitiveTypes.Int64, Nullable: true}
	m := arrow.NewMetadata([]string{"k"}, []string{"v"})
	numbers := func(valid bool) arrow.Array {
		b := array.NewInt64Builder(memory.DefaultAllocator)
		b.AppendValues([]int64{0, 1}, []bool{valid, true})
		return b.NewArray()
	}
	null, zero := numbers(false), numbers(true)
	want := arrow.NewSchema([]arrow.Field{x, y}, &m)
	if err := sameExtras(want, []arrow.Array{null, zero}, want, []arrow.Array{null, zero}); err != nil {
		t.Error(err)
	}
	unit := x
	unit.Metadata = m
	for name, bad := range map[string]struct {
		schema  *arrow.Schema
		columns []arrow.Array
	}{
		"null":     {want, []arrow.Array{zero, zero}},
		"order":    {arrow.NewSchema([]arrow.Field{y, x}, &m), []arrow.Array{zero, null}},
		"metadata": {arrow.NewSchema([]arrow.Field{x, y}, nil), []arrow.Array{null, zero}},
		"field":    {arrow.NewSchema([]arrow.Field{unit, y}, &m), []arrow.Array{null, zero}},
		"column":   {arrow.NewSchema([]arrow.Field{x}, &m), []arrow.Array{null}},
	} {
		if sameExtras(want, []arrow.Array{null, zero}, bad.schema, bad.columns) == nil {
			t.Errorf("%s: went unnoticed", name)
		}
	}
}

func words(list ...string) arrow.Array {
	b := array.NewDictionaryBuilder(memory.DefaultAllocator, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}).(*array.BinaryDictionaryBuilder)
	for _, s := range list {
		if s == "" {
			b.AppendNull()
		} else if err := b.AppendString(s); err != nil {
			panic(err)
		}
	}
	return b.NewArray()
}

func texts(prefix string, n int) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range n {
		b.Append(fmt.Sprint(prefix, i))
	}
	return b.NewArray()
}

func repeated(n int, list ...string) []string { return slices.Repeat(list, n) }

// TestExtraColumnsOfSeveralTables joins tables with different extra columns, dictionaries and
// metadata. Some appear long after the first batch was written.
func TestExtraColumnsOfSeveralTables(t *testing.T) {
	const n = 2*table.BatchRows + 3
	dir := t.TempDir()
	text := arrow.Field{Name: "text", Type: arrow.BinaryTypes.String}
	word := arrow.Field{Name: "word", Type: words().DataType(), Nullable: true}
	sure := arrow.Field{Name: "sure", Type: arrow.BinaryTypes.String} // not nullable
	first := arrow.NewMetadata([]string{"by"}, []string{"first"})
	second := arrow.NewMetadata([]string{"by", "more"}, []string{"second", "1"})
	write := func(m *arrow.Metadata, fields []arrow.Field, columns ...arrow.Array) string {
		schema := arrow.NewSchema(fields, m)
		return writeRecords(t, dir, schema, array.NewRecord(schema, columns, int64(columns[0].Len())))
	}
	a := write(&first, []arrow.Field{text, sure}, texts("a", n), texts("s", n))
	b := write(&second, []arrow.Field{word, text}, words(repeated(n, "x", "y", "")...), texts("b", 3*n))
	c := write(nil, []arrow.Field{text, word}, texts("c", 2*n), words(repeated(n, "z", "y")...))
	to := filepath.Join(dir, "all.arrow")
	copyTable(t, to, func(int) bool { return true }, a, b, c)
	var got []string
	for row, err := range table.Scan[table.Document](to) {
		if err != nil {
			t.Fatal(err)
		}
		w, _ := row.Extra.Text("word")
		s, _ := row.Extra.Text("sure")
		got = append(got, row.Text+" "+s+" "+w)
	}
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("a%d s%d ", i, i))
	}
	for i := range 3 * n {
		want = append(want, fmt.Sprintf("b%d  %s", i, []string{"x", "y", ""}[i%3]))
	}
	for i := range 2 * n {
		want = append(want, fmt.Sprintf("c%d  %s", i, []string{"z", "y"}[i%2]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	schema, columns := columnsIn(t, to)
	m := schema.Metadata()
	by, _ := m.GetValue("by")
	if more, _ := m.GetValue("more"); by != "first" || more != "1" {
		t.Errorf("metadata %v", m)
	}
	if f, _ := schema.FieldsByName("sure"); !f[0].Nullable || columns[schema.FieldIndices("sure")[0]].NullN() != 5*n {
		t.Errorf("column %v", f)
	}
	if left, _ := os.ReadDir(dir); len(left) != 4 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSetExtra(t *testing.T) {
	path := tempPath(t)
	var base table.Extra
	base.SetText("tongue", "en")
	var rows []table.Document
	for i := range table.BatchRows + 5 {
		row := table.Document{Origin: table.Origin{Extra: base}, Text: fmt.Sprint(i)}
		switch {
		case i == table.BatchRows:
			row.Extra.SetBool("late", true)
		case i%2 == 0:
			row.Extra.SetNumber("score", float64(i)/2)
			row.Extra.SetTexts("tags", []string{"a", fmt.Sprint(i)})
			row.Extra.SetText("tongue", "de")
		case i%3 == 0:
			row.Extra.SetNull("score")
			row.Extra.Drop("tongue", "none")
		}
		rows = append(rows, row)
	}
	if s, _ := base.Text("tongue"); s != "en" || len(base.Names()) != 1 {
		t.Errorf("a copy changed its original: %v", base.Names())
	}
	if err := table.WriteAll(path, table.Header{}, rows); err != nil {
		t.Fatal(err)
	}
	got, _, err := table.ReadAll[table.Document](path)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range got {
		x := row.Extra
		if !slices.Equal(x.Names(), []string{"tongue", "score", "tags", "late"}) {
			t.Fatal(x.Names())
		}
		score, scored := x.Number("score")
		tags, _ := x.Texts("tags")
		lang, spoken := x.Text("tongue")
		late, isLate := x.Bool("late")
		even := i%2 == 0 && i != table.BatchRows
		if scored != even || even && (score != float64(i)/2 || tags[1] != fmt.Sprint(i) || lang != "de") {
			t.Errorf("row %d: score %v, tags %v, lang %q", i, score, tags, lang)
		}
		if isLate != (i == table.BatchRows) || late != isLate {
			t.Errorf("row %d: late is %v, %v", i, late, isLate)
		}
		if gone := !even && i%3 == 0 && i != table.BatchRows; spoken == gone {
			t.Errorf("row %d: lang %q", i, lang)
		}
		if !x.Equal(got[i].Extra) || i > 0 && even && x.Equal(got[i-1].Extra) {
			t.Errorf("row %d: Equal", i)
		}
	}
}

// TestNumbersOfAllTypes reads integers and floats of other programs.
func TestNumbersOfAllTypes(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "text", Type: arrow.BinaryTypes.String}, {Name: "i", Type: arrow.PrimitiveTypes.Int16}, {Name: "u", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "f", Type: arrow.PrimitiveTypes.Float32}, {Name: "h", Type: arrow.FixedWidthTypes.Float16},
	}, nil)
	f := newForeign(1)
	path := writeForeign(t, schema, func(b *array.RecordBuilder) {
		b.Field(0).(*array.StringBuilder).Append("a")
		b.Field(1).(*array.Int16Builder).Append(-3)
		b.Field(2).(*array.Uint64Builder).Append(4)
		b.Field(3).(*array.Float32Builder).Append(0.5)
		f.fill(b.Field(4), false)
	})
	rows, _, err := table.ReadAll[table.Document](path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"i": -3, "u": 4, "f": 0.5} {
		if n, ok := rows[0].Extra.Number(name); !ok || n != want {
			t.Errorf("%s is %v, %v", name, n, ok)
		}
	}
	if _, ok := rows[0].Extra.Number("h"); !ok {
		t.Error("a float16 is no number")
	}
}

func TestExtraErrors(t *testing.T) {
	w, err := table.Create[table.Document](tempPath(t), table.Header{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	row := func(set func(x *table.Extra)) table.Document {
		d := table.Document{Text: "a"}
		set(&d.Extra)
		return d
	}
	write := func(want string, set func(x *table.Extra)) {
		t.Helper()
		if err := w.Write(row(set)); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
	write("", func(x *table.Extra) { x.SetNumber("score", 1) })
	write("row 2: column score: is float64 in some rows and utf8 in others", func(x *table.Extra) { x.SetText("score", "a") })
	write("row 2: an extra column has the name of herd's column text", func(x *table.Extra) { x.SetText("text", "a") })
	write(`row 2: extra column "b" is not valid UTF-8`, func(x *table.Extra) { x.SetText("b", "\xff") })
	write("", func(x *table.Extra) { x.SetNull("score") })

	twice := arrow.NewSchema([]arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String}, {Name: "x", Type: arrow.Null}, {Name: "x", Type: arrow.Null}}, nil)
	empty := func(b *array.RecordBuilder) {
		for _, f := range b.Fields() {
			f.AppendEmptyValue()
		}
	}
	if _, err := table.Open[table.Document](writeForeign(t, twice, empty)); err == nil || !strings.Contains(err.Error(), "two columns are named x") {
		t.Errorf("two columns of one name: got error %v", err)
	}
}

// TestFieldsInsideOurColumns: herd reads a message with an unknown field, but refuses to write
// the row, which would lose it.
func TestFieldsInsideOurColumns(t *testing.T) {
	str := arrow.BinaryTypes.String
	message := arrow.StructOf(arrow.Field{Name: "role", Type: str}, arrow.Field{Name: "content", Type: str}, arrow.Field{Name: "audio", Type: str, Nullable: true})
	schema := arrow.NewSchema([]arrow.Field{{Name: "messages", Type: arrow.ListOf(message)}}, nil)
	path := writeForeign(t, schema, func(b *array.RecordBuilder) {
		list := b.Field(0).(*array.ListBuilder)
		list.Append(true)
		m := list.ValueBuilder().(*array.StructBuilder)
		m.Append(true)
		for i := range 3 {
			m.FieldBuilder(i).(*array.StringBuilder).Append("user")
		}
	})
	rows, _, err := table.ReadAll[table.Chat](path)
	if err != nil || rows[0].Messages[0].Content != "user" {
		t.Fatal(rows, err)
	}
	if err := table.Fits[table.Chat](rows[0].Extra); err == nil || !strings.Contains(err.Error(), "messages.audio") {
		t.Errorf("Fits: %v", err)
	}
	if err := table.WriteAll(tempPath(t), table.Header{}, rows); err == nil || !strings.Contains(err.Error(), "messages.audio") {
		t.Errorf("WriteAll: %v", err)
	}
	runs := arrow.NewSchema([]arrow.Field{{Name: "text", Type: str}, {Name: "x", Type: arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, str)}}, nil)
	encoded := writeForeign(t, runs, func(b *array.RecordBuilder) {
		b.Field(0).(*array.StringBuilder).Append("a")
		b.Field(1).AppendNull()
	})
	docs, _, err := table.ReadAll[table.Document](encoded)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Fits[table.Document](docs[0].Extra); err == nil || !strings.Contains(err.Error(), "x (run-end encoded)") {
		t.Errorf("Fits: %v", err)
	}
}

// TestDeclaredColumns: a table without rows has the columns of its source table.
func TestDeclaredColumns(t *testing.T) {
	for seed := range uint64(20) {
		f := newForeign(seed)
		schema := f.schema(4)
		from := writeRecords(t, t.TempDir(), schema, f.record(schema, 0, 3))
		r, err := table.Open[table.Document](from)
		if err != nil {
			t.Fatal(err)
		}
		to := tempPath(t)
		if err := table.WriteAll[table.Chat](to, table.Header{}, nil, r.Columns()); err != nil {
			t.Fatal(err)
		}
		r.Close()
		wantSchema, want := columnsIn(t, from)
		for i, c := range want {
			want[i] = array.NewSlice(c, 0, 0)
		}
		gotSchema, got := columnsIn(t, to)
		for i, f := range wantSchema.Fields() { // an array of no values has no dictionary to compare
			if at := gotSchema.FieldIndices(f.Name); len(at) == 1 {
				want[i] = got[at[0]]
			}
		}
		if err := sameExtras(wantSchema, want, gotSchema, got); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// TestFlippedBitsInExtraColumns: damage in an extra column is an error when the table is read,
// or gives other values, which can be read and written without a panic.
func TestFlippedBitsInExtraColumns(t *testing.T) {
	refused := 0
	for seed := range uint64(12) {
		f := newForeign(seed)
		schema := f.schema(3)
		whole, _ := os.ReadFile(writeRecords(t, t.TempDir(), schema, f.record(schema, 0, 40)))
		bad := filepath.Join(t.TempDir(), "bad.arrow")
		for range 40 {
			broken := bytes.Clone(whole)
			broken[f.IntN(len(broken))] ^= 1 << f.IntN(8)
			os.WriteFile(bad, broken, 0o644)
			rows, _, err := table.ReadAll[table.Document](bad)
			if err != nil {
				refused++
				if !strings.Contains(err.Error(), "bad.arrow") {
					t.Fatalf("an error that does not name the file: %v", err)
				}
				continue
			}
			for _, row := range rows {
				for _, name := range row.Extra.Names() {
					row.Extra.Text(name)
				}
			}
			_ = table.WriteAll(tempPath(t), table.Header{}, rows)
		}
	}
	if refused == 0 {
		t.Error("no flipped bit was noticed")
	}
}

// TestFewRowsOfManyBatches: a step that keeps one row of each large batch gets the right rows,
// and does not keep the batches in memory.
func TestFewRowsOfManyBatches(t *testing.T) {
	const size, parts = 4 << 20, 20
	schema := arrow.NewSchema([]arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String}, {Name: "x", Type: arrow.BinaryTypes.String}}, nil)
	var records []arrow.Record
	for i := range parts {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.AppendValues([]string{fmt.Sprint(i), strings.Repeat("x", size)}, nil)
		records = append(records, array.NewRecord(schema, []arrow.Array{texts("t", 2), b.NewArray()}, 2))
	}
	from := writeRecords(t, t.TempDir(), schema, records...)
	to := tempPath(t)
	copyTable(t, to, func(i int) bool { return i%2 == 0 }, from)
	i := 0
	for row, err := range table.Scan[table.Document](to) {
		if s, _ := row.Extra.Text("x"); err != nil || s != fmt.Sprint(i) {
			t.Fatalf("row %d has %q, %v", i, s, err)
		}
		i++
	}
	if info, _ := os.Stat(to); i != parts || info.Size() > size {
		t.Errorf("%d rows in %d bytes", i, info.Size())
	}
}
