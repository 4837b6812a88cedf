package table

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// touch reads every offset and index of an array, and panics if one lies outside the values, as
// in a damaged file. Extra columns are read long after the file, where no caller expects a
// panic.
func touch(a arrow.Array) {
	for i := range a.Len() {
		_ = a.IsNull(i)
	}
	switch a := a.(type) {
	case interface{ Value(int) string }:
		touchValues(a.Value, a.(arrow.Array).Len())
	case interface{ Value(int) []byte }:
		touchValues(a.Value, a.(arrow.Array).Len())
	case *array.Boolean:
		touchValues(a.Value, a.Len())
	case *array.Dictionary:
		touchIndices(a)
		touch(a.Dictionary())
	case *array.Struct:
		for i := range a.NumField() {
			touch(a.Field(i))
		}
	case array.ListLike:
		touchLists(a)
		touch(a.ListValues())
	}
}

func touchValues[V any](value func(int) V, n int) {
	for i := range n {
		_ = value(i)
	}
}

func touchIndices(a *array.Dictionary) {
	for i := range a.Len() {
		if at := a.GetValueIndex(i); a.IsValid(i) && (at < 0 || at >= a.Dictionary().Len()) {
			panic(fmt.Sprintf("index %d in a dictionary of %d values", at, a.Dictionary().Len()))
		}
	}
}

func touchLists(a array.ListLike) {
	n := int64(a.ListValues().Len())
	for i := range a.Len() {
		if start, end := a.ValueOffsets(i); start < 0 || start > end || end > n {
			panic(fmt.Sprintf("a list of values %d to %d of %d", start, end, n))
		}
	}
}
