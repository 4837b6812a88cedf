package table

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// This file converts extra columns to Go values and back: nil, string, bool, int64, uint64,
// float64, []any and members.

// members is a struct, or a JSON object, with its fields in order.
type members []member

type member struct {
	name  string
	value any
}

func (m members) has(name string) bool {
	return slices.ContainsFunc(m, func(f member) bool { return f.name == name })
}

func (m members) find(name string) any {
	for _, f := range m {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

// goValue returns the i-th value of an array. For types without a Go value of their own
// (timestamps, decimals, ...) it returns what Arrow writes as JSON, such as a string.
func goValue(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Dictionary:
		return goValue(a.Dictionary(), a.GetValueIndex(i))
	case *array.Struct:
		fields := a.DataType().(*arrow.StructType).Fields()
		out := make(members, len(fields))
		for j, f := range fields {
			out[j] = member{f.Name, goValue(a.Field(j), i)}
		}
		return out
	case array.ListLike:
		start, end := a.ValueOffsets(i)
		out := make([]any, 0, end-start)
		for j := start; j < end; j++ {
			out = append(out, goValue(a.ListValues(), int(j)))
		}
		return out
	case array.ExtensionArray:
		return goValue(a.Storage(), i)
	case *array.Float16:
		return float64(a.Value(i).Float32())
	}
	return widest(a.GetOneForMarshal(i))
}

// widest converts a number to the largest Go type of its family.
func widest(v any) any {
	switch v := v.(type) {
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return uint64(v)
	case uint16:
		return uint64(v)
	case uint32:
		return uint64(v)
	case float32:
		return float64(v)
	}
	return v
}

// typeOf returns the Arrow type for a value.
func typeOf(v any) (arrow.DataType, error) {
	switch v := v.(type) {
	case nil:
		return arrow.Null, nil
	case string:
		return arrow.BinaryTypes.String, nil
	case bool:
		return arrow.FixedWidthTypes.Boolean, nil
	case int64:
		return arrow.PrimitiveTypes.Int64, nil
	case uint64:
		return arrow.PrimitiveTypes.Uint64, nil
	case float64:
		return arrow.PrimitiveTypes.Float64, nil
	case members:
		fields := make([]arrow.Field, len(v))
		for i, f := range v {
			typ, err := typeOf(f.value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.name, err)
			}
			fields[i] = arrow.Field{Name: f.name, Type: typ, Nullable: true}
		}
		return arrow.StructOf(fields...), nil
	case []any:
		var elem arrow.DataType = arrow.Null
		for i, e := range v {
			typ, err := typeOf(e)
			if err == nil {
				elem, err = unify(elem, typ)
			}
			if err != nil {
				return nil, fmt.Errorf("element %d: %w", i+1, err)
			}
		}
		return arrow.ListOf(elem), nil
	}
	return nil, fmt.Errorf("no column can hold a %T", v)
}

// arrayOf returns an array of the values, which must fit the type.
func arrayOf(typ arrow.DataType, values []any) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, typ)
	for _, v := range values {
		appendValue(b, v)
	}
	return b.NewArray()
}

func appendValue(to array.Builder, v any) {
	switch b := to.(type) {
	case *array.StructBuilder:
		m, ok := v.(members)
		if !ok {
			b.AppendNull()
			return
		}
		b.Append(true)
		for i, f := range b.Type().(*arrow.StructType).Fields() {
			appendValue(b.FieldBuilder(i), m.find(f.Name))
		}
		return
	case *array.ListBuilder:
		list, ok := v.([]any)
		if !ok {
			b.AppendNull()
			return
		}
		b.Append(true)
		for _, e := range list {
			appendValue(b.ValueBuilder(), e)
		}
		return
	}
	switch v := v.(type) {
	case string:
		to.(*array.StringBuilder).Append(v)
	case bool:
		to.(*array.BooleanBuilder).Append(v)
	case int64:
		to.(*array.Int64Builder).Append(v)
	case uint64:
		to.(*array.Uint64Builder).Append(v)
	case float64:
		to.(*array.Float64Builder).Append(v)
	default:
		to.AppendNull()
	}
}

func validUTF8(v any) bool {
	switch v := v.(type) {
	case string:
		return utf8.ValidString(v)
	case []any:
		for _, e := range v {
			if !validUTF8(e) {
				return false
			}
		}
	case members:
		for _, f := range v {
			if !utf8.ValidString(f.name) || !validUTF8(f.value) {
				return false
			}
		}
	}
	return true
}

func valueBytes(v any) int {
	n := 8
	switch v := v.(type) {
	case string:
		n += len(v)
	case []any:
		for _, e := range v {
			n += valueBytes(e)
		}
	case members:
		for _, f := range v {
			n += valueBytes(f.value)
		}
	}
	return n
}
