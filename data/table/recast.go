package table

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// This file changes the types and dictionaries of arrays, without copying values.

// recast returns a as an array of type to, which unify made of a's type.
func recast(a arrow.ArrayData, to arrow.DataType) arrow.ArrayData {
	switch to := to.(type) {
	case *arrow.ListType:
		if a.DataType().ID() == arrow.LIST {
			child := recast(a.Children()[0], to.Elem())
			return array.NewData(to, a.Len(), a.Buffers(), []arrow.ArrayData{child}, a.NullN(), a.Offset())
		}
	case *arrow.StructType:
		if from, ok := a.DataType().(*arrow.StructType); ok {
			return recastStruct(a, from, to)
		}
	}
	if a.DataType().ID() == arrow.NULL {
		return nulls(to, a.Len()).Data()
	}
	return a
}

func recastStruct(a arrow.ArrayData, from, to *arrow.StructType) arrow.ArrayData {
	children := make([]arrow.ArrayData, to.NumFields())
	for i, f := range to.Fields() {
		if j, ok := from.FieldIdx(f.Name); ok {
			children[i] = recast(a.Children()[j], f.Type)
			continue
		}
		children[i] = nulls(f.Type, a.Offset()+a.Len()).Data()
	}
	return array.NewData(to, a.Len(), a.Buffers(), children, a.NullN(), a.Offset())
}

// withDictionaries returns an array of nulls with the dictionaries of like, which has the same
// type. The nulls would otherwise add an empty dictionary.
func withDictionaries(of, like arrow.ArrayData) arrow.ArrayData {
	if of.DataType().ID() == arrow.DICTIONARY {
		return array.NewDataWithDictionary(of.DataType(), of.Len(), of.Buffers(), of.NullN(), of.Offset(), like.Dictionary().(*array.Data))
	}
	if len(of.Children()) == 0 {
		return of
	}
	children := make([]arrow.ArrayData, len(of.Children()))
	for i, c := range of.Children() {
		children[i] = withDictionaries(c, like.Children()[i])
	}
	return array.NewData(of.DataType(), of.Len(), of.Buffers(), children, of.NullN(), of.Offset())
}

// sameDictionaries compares the dictionaries of two arrays of one type at all depths.
func sameDictionaries(a, b arrow.ArrayData) bool {
	if a.DataType().ID() == arrow.DICTIONARY {
		x, y := a.Dictionary(), b.Dictionary()
		return x == y || array.ApproxEqual(array.MakeFromData(x), array.MakeFromData(y), array.WithNaNsEqual(true))
	}
	for i, c := range a.Children() {
		if !sameDictionaries(c, b.Children()[i]) {
			return false
		}
	}
	return true
}
