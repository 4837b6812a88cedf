package table

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// touch reads what an array's values depend on, and panics where a damaged file has
// offsets or indices outside of the values. Extra columns are read later, where nobody
// expects that.
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
