package table_test

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/herd-lm/herd/data/table"
)

// TestInterleavedTables writes the rows of three tables in a random order. The tables have the
// same random columns, but each has dictionaries of its own.
func TestInterleavedTables(t *testing.T) {
	for seed := range uint64(25) {
		f := newForeign(seed + 1000)
		schema := f.schema(1 + f.IntN(5))
		var columns [3][]arrow.Array
		var next [3]func() (table.Document, error, bool)
		for k := range next {
			record := f.record(schema, 1000*k, 1+f.IntN(400))
			path := writeRecords(t, t.TempDir(), schema, batches(record, 1+f.IntN(300))...)
			_, columns[k] = columnsIn(t, path)
			var stop func()
			next[k], stop = iter.Pull2(table.Scan[table.Document](path))
			defer stop()
		}
		to := tempPath(t)
		w, err := table.Create[table.Document](to, table.Header{})
		if err != nil {
			t.Fatal(err)
		}
		want := make([][]string, schema.NumFields())
		var at [3]int
		for live := []int{0, 1, 2}; len(live) > 0; {
			k := live[f.IntN(len(live))]
			row, err, more := next[k]()
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				live = slices.DeleteFunc(live, func(i int) bool { return i == k })
				continue
			}
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
			for c := range want {
				want[c] = append(want[c], columns[k][c].ValueStr(at[k]))
			}
			at[k]++
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		have, got := columnsIn(t, to)
		for c, field := range schema.Fields() {
			values := got[have.FieldIndices(field.Name)[0]]
			for i := range max(values.Len(), len(want[c])) {
				if s := values.ValueStr(i); s != want[c][i] {
					t.Fatalf("seed %d: row %d of column %s, %v, is %s, want %s", seed, i, field.Name, field.Type, s, want[c][i])
				}
			}
		}
	}
}

// TestDictionariesDiffer joins two tables with different dictionaries, with and without nulls
// and empty lists, for every type of index. Arrow alone gets some of them wrong.
func TestDictionariesDiffer(t *testing.T) {
	for _, index := range []arrow.DataType{
		arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
		arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
	} {
		word := &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}
		schema := arrow.NewSchema([]arrow.Field{
			{Name: "text", Type: arrow.BinaryTypes.String}, {Name: "word", Type: word, Nullable: true}, {Name: "words", Type: arrow.ListOf(word), Nullable: true},
		}, nil)
		for _, tables := range [][2][]string{
			{{"a", "b"}, {"c", "a"}},
			{{"a", "b", "c"}, {"d", "c", "null", "b", "null", "d"}},
			{{"a", "null"}, {"null", "b"}},
		} {
			var paths, want, lists []string
			for _, list := range tables {
				b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
				for i, s := range list {
					b.Field(0).(*array.StringBuilder).Append("t")
					appendWord(b.Field(1), s)
					b.Field(2).(*array.ListBuilder).Append(true)
					if i%2 == 1 {
						lists = append(lists, "[]")
						continue
					}
					appendWord(b.Field(2).(*array.ListBuilder).ValueBuilder(), s)
					lists = append(lists, strings.ReplaceAll(fmt.Sprintf("[%q]", s), `"null"`, "null"))
				}
				paths, want = append(paths, writeRecords(t, t.TempDir(), schema, b.NewRecord())), append(want, list...)
			}
			to := tempPath(t)
			copyTable(t, to, func(int) bool { return true }, paths...)
			rows, _, err := table.ReadAll[table.Document](to)
			if err != nil || len(rows) != len(want) {
				t.Fatalf("%d rows, error %v", len(rows), err)
			}
			for i, row := range rows {
				got, ok := row.Extra.Text("word")
				if !ok {
					got = "null"
				}
				if got != want[i] {
					t.Errorf("%v, %v: row %d is %s, want %s", index, tables, i, got, want[i])
				}
				if list := row.Extra.String("words"); list != lists[i] {
					t.Errorf("%v, %v: row %d has the list %s, want %s", index, tables, i, list, lists[i])
				}
			}
		}
	}
}

func appendWord(to array.Builder, s string) {
	b := to.(*array.BinaryDictionaryBuilder)
	if s == "null" {
		b.AppendNull()
	} else if err := b.AppendString(s); err != nil {
		panic(err)
	}
}
