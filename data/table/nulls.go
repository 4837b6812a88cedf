package table

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// nulls returns an array of n nulls. Arrow's MakeArrayOfNull panics on some types, and its
// builders lose the names of some fields.
func nulls(typ arrow.DataType, n int) arrow.Array {
	return array.MakeFromData(nullData(typ, n))
}

func nullData(typ arrow.DataType, n int) arrow.ArrayData {
	valid := zeros((n + 7) / 8)
	switch t := typ.(type) {
	case *arrow.NullType:
		return array.NewNull(n).Data()
	case *arrow.DictionaryType:
		width := t.IndexType.(arrow.FixedWidthDataType).Bytes()
		return array.NewDataWithDictionary(t, n, []*memory.Buffer{valid, zeros(n * width)}, n, 0, nullData(t.ValueType, 0).(*array.Data))
	case *arrow.StructType:
		children := make([]arrow.ArrayData, t.NumFields())
		for i, f := range t.Fields() {
			children[i] = nullData(f.Type, n)
		}
		return array.NewData(t, n, []*memory.Buffer{valid}, children, n, 0)
	case *arrow.FixedSizeListType:
		return array.NewData(t, n, []*memory.Buffer{valid}, []arrow.ArrayData{nullData(t.Elem(), n*int(t.Len()))}, n, 0)
	case *arrow.ListType, *arrow.LargeListType, *arrow.MapType:
		child := nullData(t.(arrow.ListLikeType).Elem(), 0)
		return array.NewData(t, n, []*memory.Buffer{valid, zeros(8 * (n + 1))}, []arrow.ArrayData{child}, n, 0)
	case arrow.BinaryDataType:
		return array.NewData(t, n, []*memory.Buffer{valid, zeros(8 * (n + 1)), zeros(0)}, nil, n, 0)
	case arrow.FixedWidthDataType:
		return array.NewData(t, n, []*memory.Buffer{valid, zeros(n * max(1, t.Bytes()))}, nil, n, 0)
	}
	panic(fmt.Sprintf("columns of type %v cannot be written", typ))
}

func zeros(n int) *memory.Buffer { return memory.NewBufferBytes(make([]byte, n)) }
