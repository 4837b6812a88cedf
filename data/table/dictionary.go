package table

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// concatenate joins arrays of one type. Arrow's own function (v15) is right only if their
// dictionaries are equal. Otherwise it overwrites indices of more than one byte where another
// row is null, and fails on arrays of no rows. So concatenate makes the dictionaries equal first.
func concatenate(parts []arrow.Array) (arrow.Array, error) {
	first := parts[0].Data()
	if !slices.ContainsFunc(parts, func(p arrow.Array) bool { return !sameDictionaries(first, p.Data()) }) {
		return array.Concatenate(parts, memory.DefaultAllocator)
	}
	data := make([]arrow.ArrayData, len(parts))
	for i, p := range parts {
		// A copy of the rows alone: a run of one row still has all values of its batch.
		rows, err := array.Concatenate([]arrow.Array{p}, memory.DefaultAllocator)
		if err != nil {
			return nil, err
		}
		data[i] = rows.Data()
	}
	data, err := withOneDictionary(data)
	if err != nil {
		return nil, err
	}
	equal := make([]arrow.Array, len(data))
	for i, d := range data {
		equal[i] = array.MakeFromData(d)
	}
	return array.Concatenate(equal, memory.DefaultAllocator)
}

// withOneDictionary returns arrays of one type with the same values and, at every depth, one
// dictionary. It begins with the values of the first array's dictionary.
func withOneDictionary(parts []arrow.ArrayData) ([]arrow.ArrayData, error) {
	if parts[0].DataType().ID() == arrow.DICTIONARY {
		return unifyDictionaries(parts)
	}
	if len(parts[0].Children()) == 0 {
		return parts, nil
	}
	children := make([][]arrow.ArrayData, len(parts))
	for k := range parts[0].Children() {
		column := make([]arrow.ArrayData, len(parts))
		for i, p := range parts {
			column[i] = p.Children()[k]
		}
		column, err := withOneDictionary(column)
		if err != nil {
			return nil, err
		}
		for i := range parts {
			children[i] = append(children[i], column[i])
		}
	}
	out := make([]arrow.ArrayData, len(parts))
	for i, p := range parts {
		out[i] = array.NewData(p.DataType(), p.Len(), p.Buffers(), children[i], p.NullN(), p.Offset())
	}
	return out, nil
}

// unifyDictionaries is withOneDictionary for arrays of dictionary type.
func unifyDictionaries(parts []arrow.ArrayData) ([]arrow.ArrayData, error) {
	typ := parts[0].DataType().(*arrow.DictionaryType)
	unifier, err := array.NewDictionaryUnifier(memory.DefaultAllocator, typ.ValueType)
	if err != nil {
		return nil, err
	}
	defer unifier.Release()
	indices := make(map[arrow.ArrayData][]int32) // of each dictionary's values in the common one
	for _, p := range parts {
		of := p.Dictionary()
		if _, known := indices[of]; known {
			continue
		}
		to, err := unifier.UnifyAndTranspose(array.MakeFromData(of))
		if err != nil {
			return nil, err
		}
		indices[of] = arrow.Int32Traits.CastFromBytes(to.Bytes())
	}
	common, err := unifier.GetResultWithIndexType(typ.IndexType)
	if err != nil {
		return nil, err
	}
	out := make([]arrow.ArrayData, len(parts))
	for i, p := range parts {
		if out[i], err = transpose(p, indices[p.Dictionary()], common); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// transpose returns a dictionary array with another dictionary, in which the i-th value of its
// own has index to[i].
func transpose(a arrow.ArrayData, to []int32, dictionary arrow.Array) (arrow.ArrayData, error) {
	typ := a.DataType().(*arrow.DictionaryType)
	indices := array.NewBuilder(memory.DefaultAllocator, typ.IndexType)
	indices.Reserve(a.Len())
	from := array.NewDictionaryData(a)
	for i := range from.Len() {
		if from.IsNull(i) {
			indices.AppendNull()
			continue
		}
		if err := appendIndex(indices, to[from.GetValueIndex(i)]); err != nil {
			return nil, err
		}
	}
	rows := indices.NewArray().Data()
	return array.NewDataWithDictionary(typ, rows.Len(), rows.Buffers(), rows.NullN(), 0, dictionary.Data().(*array.Data)), nil
}

func appendIndex(to array.Builder, i int32) error {
	switch b := to.(type) {
	case *array.Int8Builder:
		b.Append(int8(i))
	case *array.Int16Builder:
		b.Append(int16(i))
	case *array.Int32Builder:
		b.Append(i)
	case *array.Int64Builder:
		b.Append(int64(i))
	case *array.Uint8Builder:
		b.Append(uint8(i))
	case *array.Uint16Builder:
		b.Append(uint16(i))
	case *array.Uint32Builder:
		b.Append(uint32(i))
	case *array.Uint64Builder:
		b.Append(uint64(i))
	default:
		return fmt.Errorf("a dictionary has indices of type %v", to.Type())
	}
	return nil
}
