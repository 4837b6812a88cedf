package table_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/herd-lm/herd/data/table"
)

// categories returns an array as Polars writes a Categorical: a dictionary of large strings.
func categories(indices []uint32, values ...string) arrow.Array {
	v := array.NewLargeStringBuilder(memory.DefaultAllocator)
	v.AppendValues(values, nil)
	i := array.NewUint32Builder(memory.DefaultAllocator)
	i.AppendValues(indices, nil)
	typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint32, ValueType: arrow.BinaryTypes.LargeString}
	return array.NewDictionaryArray(typ, i.NewArray(), v.NewArray())
}

func writeWith(t *testing.T, schema *arrow.Schema, record arrow.Record, options ...ipc.Option) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "categories.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, err := ipc.NewFileWriter(file, append(options, ipc.WithSchema(schema))...)
	if err == nil {
		err = errors.Join(w.Write(record), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// TestCategories: dictionaries of large strings are read in herd's own columns, and travel in extra
// ones, under all compressions.
func TestCategories(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "text", Type: categories(nil).DataType()}, {Name: "class", Type: categories(nil).DataType(), Nullable: true},
	}, nil)
	record := array.NewRecord(schema, []arrow.Array{categories([]uint32{1, 0, 1}, "x", "y"), categories([]uint32{0, 0, 1}, "p", "q")}, 3)
	for _, options := range [][]ipc.Option{nil, {ipc.WithLZ4()}, {ipc.WithZstd()}} {
		rows, _, err := table.ReadAll[table.Document](writeWith(t, schema, record, options...))
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 3 || rows[0].Text != "y" || rows[1].Text != "x" || rows[2].Extra.String("class") != "q" {
			t.Fatalf("%+v", rows)
		}
		path := tempPath(t)
		if err := table.WriteAll(path, table.Header{}, rows); err != nil {
			t.Fatal(err)
		}
		again, _, err := table.ReadAll[table.Document](path)
		if err != nil || again[2].Text != "y" || again[2].Extra.String("class") != "q" || again[0].Extra.String("class") != "p" {
			t.Errorf("%+v, %v", again, err)
		}
	}
}
