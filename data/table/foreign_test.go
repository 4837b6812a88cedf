package table_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/decimal256"
	"github.com/apache/arrow/go/v15/arrow/float16"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// foreign makes tables of documents as other programs might, with random extra columns.
type foreign struct{ *rand.Rand }

var leafTypes = []arrow.DataType{
	arrow.Null, arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint64, arrow.PrimitiveTypes.Float32,
	arrow.FixedWidthTypes.Float16, arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary,
	&arrow.FixedSizeBinaryType{ByteWidth: 3}, arrow.FixedWidthTypes.Date32, &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Europe/Vienna"},
	arrow.FixedWidthTypes.Time64ns, arrow.FixedWidthTypes.Duration_ms, &arrow.Decimal128Type{Precision: 20, Scale: 3}, &arrow.Decimal256Type{Precision: 50, Scale: 2},
	arrow.FixedWidthTypes.MonthDayNanoInterval,
}

func (f foreign) dataType(depth int) arrow.DataType {
	if depth > 0 {
		elem := func() arrow.Field {
			return arrow.Field{Name: "element", Type: f.dataType(depth - 1), Nullable: true, Metadata: f.metadata()}
		}
		switch f.IntN(8) {
		case 0:
			return arrow.ListOfField(elem())
		case 1:
			return arrow.LargeListOfField(elem())
		case 2:
			return arrow.FixedSizeListOf(2, f.dataType(depth-1)) // its builder forgets other names of the element
		case 3:
			a, b := elem(), elem()
			a.Name, b.Name = "a", "b"
			return arrow.StructOf(a, b)
		case 4:
			return arrow.MapOf(arrow.BinaryTypes.String, f.dataType(depth-1))
		case 5:
			return &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String, Ordered: f.IntN(2) == 0}
		}
	}
	return leafTypes[f.IntN(len(leafTypes))]
}

func (f foreign) metadata() arrow.Metadata {
	if f.IntN(2) == 0 {
		return arrow.Metadata{}
	}
	return arrow.NewMetadata([]string{"unit", "a"}, []string{fmt.Sprint(f.IntN(9)), "\x00"})
}

func (f foreign) schema(columns int) *arrow.Schema {
	fields := []arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String}}
	for i := range columns {
		fields = append(fields, arrow.Field{Name: fmt.Sprintf("x%d", i), Type: f.dataType(3), Nullable: true, Metadata: f.metadata()})
	}
	f.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	m := arrow.NewMetadata([]string{"pandas", "huggingface"}, []string{"{}", fmt.Sprint(f.IntN(99))})
	return arrow.NewSchema(fields, &m)
}

func (f foreign) fill(to array.Builder, nullable bool) {
	if nullable && f.IntN(4) == 0 {
		to.AppendNull()
		return
	}
	n := f.IntN(4)
	word := []string{"", "a", "é好", "\n"}[n]
	switch b := to.(type) {
	case *array.NullBuilder:
		b.AppendNull()
	case *array.BooleanBuilder:
		b.Append(n%2 == 0)
	case *array.Int8Builder:
		b.Append(int8(n))
	case *array.Uint64Builder:
		b.Append(f.Uint64())
	case *array.Float32Builder:
		b.Append(f.Float32())
	case *array.Float16Builder:
		b.Append(float16.New(f.Float32()))
	case *array.StringBuilder:
		b.Append(word)
	case *array.LargeStringBuilder:
		b.Append(word)
	case *array.BinaryBuilder:
		b.Append([]byte(word))
	case *array.FixedSizeBinaryBuilder:
		b.Append([]byte{1, byte(n), 3})
	case *array.Date32Builder:
		b.Append(arrow.Date32(f.IntN(20000)))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(f.Int64()))
	case *array.Time64Builder:
		b.Append(arrow.Time64(f.IntN(1e9)))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(f.Int64()))
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(f.Int64()))
	case *array.Decimal256Builder:
		b.Append(decimal256.FromI64(f.Int64()))
	case *array.MonthDayNanoIntervalBuilder:
		b.Append(arrow.MonthDayNanoInterval{Months: int32(n), Days: 1, Nanoseconds: f.Int64()})
	case *array.BinaryDictionaryBuilder:
		if err := b.AppendString(word); err != nil {
			panic(err)
		}
	case *array.StructBuilder:
		b.Append(true)
		for i := range b.NumField() {
			f.fill(b.FieldBuilder(i), true)
		}
	case *array.FixedSizeListBuilder:
		b.Append(true)
		f.fill(b.ValueBuilder(), true)
		f.fill(b.ValueBuilder(), true)
	case *array.MapBuilder:
		b.Append(true)
		for i := range n {
			b.KeyBuilder().(*array.StringBuilder).Append(fmt.Sprint(i))
			f.fill(b.ItemBuilder(), true)
		}
	case array.ListLikeBuilder:
		b.Append(true)
		for range n {
			f.fill(b.ValueBuilder(), true)
		}
	default:
		panic(fmt.Sprintf("%T", to))
	}
}

// record makes one batch. The texts are numbers, from first on.
func (f foreign) record(schema *arrow.Schema, first, rows int) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i, field := range b.Fields() {
		for row := range rows {
			if schema.Field(i).Name == "text" {
				field.(*array.StringBuilder).Append(fmt.Sprint(first + row))
				continue
			}
			f.fill(field, true)
		}
	}
	return b.NewRecord()
}

// writeRecords writes a file with Arrow alone. Its records have one dictionary.
func writeRecords(t testing.TB, dir string, schema *arrow.Schema, records ...arrow.Record) string {
	t.Helper()
	out, err := os.CreateTemp(dir, "foreign*.arrow")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w, err := ipc.NewFileWriter(out, ipc.WithSchema(schema))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Name()
}

// batches cuts one record into several batches, which share its dictionaries.
func batches(r arrow.Record, most int) (parts []arrow.Record) {
	for from := int64(0); from < r.NumRows(); from += int64(most) {
		parts = append(parts, r.NewSlice(from, min(from+int64(most), r.NumRows())))
	}
	return parts
}

// columnsIn reads a file with Arrow alone: its schema and each column as one array.
func columnsIn(t testing.TB, path string) (*arrow.Schema, []arrow.Array) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := ipc.NewFileReader(f)
	if err != nil {
		t.Fatal(err)
	}
	parts := make([][]arrow.Array, r.Schema().NumFields())
	for i := range r.NumRecords() {
		rec, err := r.RecordAt(i)
		if err != nil {
			t.Fatal(err)
		}
		for c, a := range rec.Columns() {
			parts[c] = append(parts[c], a)
		}
	}
	columns := make([]arrow.Array, len(parts))
	for c, list := range parts {
		if len(list) == 0 {
			columns[c] = array.NewBuilder(memory.DefaultAllocator, r.Schema().Field(c).Type).NewArray()
			continue
		}
		if columns[c], err = array.Concatenate(list, memory.DefaultAllocator); err != nil {
			t.Fatal(err)
		}
	}
	return r.Schema(), columns
}

// pick returns the rows of a column, which is an array of the same type.
func pick(t testing.TB, a arrow.Array, rows []int) arrow.Array {
	t.Helper()
	parts := []arrow.Array{array.NewSlice(a, 0, 0)}
	for _, i := range rows {
		parts = append(parts, array.NewSlice(a, int64(i), int64(i+1)))
	}
	out, err := array.Concatenate(parts, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sameExtras returns how the extra columns of a table differ from what they were.
func sameExtras(want *arrow.Schema, wantColumns []arrow.Array, got *arrow.Schema, gotColumns []arrow.Array) error {
	for i, key := range want.Metadata().Keys() {
		if v, ok := got.Metadata().GetValue(key); !ok || v != want.Metadata().Values()[i] {
			return fmt.Errorf("metadata %s is %q", key, v)
		}
	}
	var names, gotNames []string
	for i, f := range want.Fields() {
		if f.Name == "text" {
			continue
		}
		names = append(names, f.Name)
		at := got.FieldIndices(f.Name)
		if len(at) != 1 {
			return fmt.Errorf("column %s is there %d times", f.Name, len(at))
		}
		if g := got.Field(at[0]); !g.Equal(f) {
			return fmt.Errorf("column is %v, want %v", g, f)
		}
		if a, b := wantColumns[i], gotColumns[at[0]]; !array.ApproxEqual(a, b, array.WithNaNsEqual(true)) {
			return fmt.Errorf("column %s of %v has other values:\n%v\nwant\n%v", f.Name, f.Type, b, a)
		}
	}
	for _, f := range got.Fields() {
		if slices.Contains(names, f.Name) {
			gotNames = append(gotNames, f.Name)
		}
	}
	if !slices.Equal(names, gotNames) {
		return fmt.Errorf("columns %v, want %v", gotNames, names)
	}
	return nil
}

func newForeign(seed uint64) foreign { return foreign{rand.New(rand.NewPCG(seed, 4))} }

func tempPath(t testing.TB) string { return filepath.Join(t.TempDir(), "out.arrow") }
