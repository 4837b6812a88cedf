package table

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/herd-lm/herd/core/text/chat"
)

// codec converts Go values of type V to values of an Arrow column and back. Codecs compose: a
// list of structs is listOf(structOf(...)).
type codec[V any] struct {
	typ      arrow.DataType
	nullable bool
	append   func(to array.Builder, v V)
	// reader checks the array's type once and returns a function that reads its i-th value. The
	// values share no memory with the array.
	reader func(from arrow.Array) (func(i int) V, error)
}

// stringsOf returns the function that reads string i of an array, and whether it holds strings: of
// any of Arrow's string types, also in a dictionary (Polars writes large strings and categories).
func stringsOf(a arrow.Array) (at func(int) string, ok bool) {
	if d, coded := a.(*array.Dictionary); coded {
		value, ok := stringsOf(d.Dictionary())
		return func(i int) string { return value(d.GetValueIndex(i)) }, ok
	}
	values, ok := a.(interface{ Value(int) string })
	if !ok {
		return nil, false
	}
	return values.Value, true
}

// text reads all strings. It reads null as "".
var text = codec[string]{
	typ:    arrow.BinaryTypes.String,
	append: func(to array.Builder, v string) { to.(*array.StringBuilder).Append(v) },
	reader: func(from arrow.Array) (func(int) string, error) {
		value, ok := stringsOf(from)
		if !ok {
			return nil, fmt.Errorf("is %v, expected strings", from.DataType())
		}
		return func(i int) string {
			if from.IsNull(i) {
				return ""
			}
			return strings.Clone(value(i)) // otherwise one string keeps a whole batch in memory
		}, nil
	},
}

// emptyAsNull makes a codec of texts store "" as null.
func emptyAsNull[V ~string](c codec[V]) codec[V] {
	appendText := c.append
	c.nullable = true
	c.append = func(to array.Builder, v V) {
		if v == "" {
			to.AppendNull()
			return
		}
		appendText(to, v)
	}
	return c
}

// rawJSON stores a JSON value as text, and none as null.
var rawJSON = emptyAsNull(codec[chat.JSON]{
	typ:    text.typ,
	append: func(to array.Builder, v chat.JSON) { text.append(to, string(v)) },
	reader: func(from arrow.Array) (func(int) chat.JSON, error) {
		read, err := text.reader(from)
		return func(i int) chat.JSON { return chat.JSON(read(i)) }, err
	},
})

// primitives is an Arrow array of fixed-width values.
type primitives[A any] interface {
	arrow.Array
	Value(int) A
}

// primitive stores a V as an A, such as a token.ID as an int32. Null reads as 0.
func primitive[V, A any](typ arrow.DataType, to func(V) A, from func(A) V) codec[V] {
	return codec[V]{
		typ:    typ,
		append: func(b array.Builder, v V) { b.(interface{ Append(A) }).Append(to(v)) },
		reader: func(a arrow.Array) (func(int) V, error) {
			values, ok := a.(primitives[A])
			if !ok || a.DataType().ID() != typ.ID() {
				return nil, fmt.Errorf("is %v, expected %v", a.DataType(), typ)
			}
			return func(i int) (v V) {
				if a.IsNull(i) {
					return v
				}
				return from(values.Value(i))
			}, nil
		},
	}
}

func same[V any](v V) V { return v }

// optional stores nil as null.
func optional[V any](c codec[V]) codec[*V] {
	return codec[*V]{
		typ:      c.typ,
		nullable: true,
		append: func(to array.Builder, v *V) {
			if v == nil {
				to.AppendNull()
				return
			}
			c.append(to, *v)
		},
		reader: func(from arrow.Array) (func(int) *V, error) {
			read, err := c.reader(from)
			return func(i int) *V {
				if from.IsNull(i) {
					return nil
				}
				v := read(i)
				return &v
			}, err
		},
	}
}

// listOf stores a nil slice as an empty list. absentAsNull changes that where nil and empty
// differ. It reads null as nil and an empty list as an empty slice.
func listOf[V any](elem codec[V]) codec[[]V] {
	return codec[[]V]{
		typ: arrow.ListOfNonNullable(elem.typ),
		append: func(to array.Builder, vs []V) {
			list := to.(*array.ListBuilder)
			list.Append(true)
			for _, v := range vs {
				elem.append(list.ValueBuilder(), v)
			}
		},
		reader: func(from arrow.Array) (func(int) []V, error) {
			list, ok := from.(array.ListLike)
			if !ok {
				return nil, fmt.Errorf("is %v, expected a list", from.DataType())
			}
			read, err := elem.reader(list.ListValues())
			if err != nil {
				return nil, fmt.Errorf("its elements: %w", err)
			}
			return func(i int) []V {
				if from.IsNull(i) {
					return nil
				}
				vs := []V{} // grown step by step: a damaged file may claim any length
				start, end := list.ValueOffsets(i)
				for j := start; j < end; j++ {
					vs = append(vs, read(int(j)))
				}
				return vs
			}, nil
		},
	}
}

// absentAsNull makes a codec of lists store nil as null.
func absentAsNull[V any](c codec[[]V]) codec[[]V] {
	appendList := c.append
	c.nullable = true
	c.append = func(to array.Builder, vs []V) {
		if vs == nil {
			to.AppendNull()
			return
		}
		appendList(to, vs)
	}
	return c
}

// texts stores a map with sorted keys, so that equal rows have equal bytes. It also reads a
// list of structs of key and value, which programs without a map type write.
var texts = codec[map[string]string]{
	typ: arrow.MapOf(arrow.BinaryTypes.String, arrow.BinaryTypes.String),
	append: func(to array.Builder, m map[string]string) {
		entries := to.(*array.MapBuilder)
		entries.Append(true)
		for _, k := range slices.Sorted(maps.Keys(m)) {
			text.append(entries.KeyBuilder(), k)
			text.append(entries.ItemBuilder(), m[k])
		}
	},
	reader: func(from arrow.Array) (func(int) map[string]string, error) {
		read, err := listOf(entry).reader(from)
		return func(i int) map[string]string {
			m := map[string]string{}
			for _, e := range read(i) {
				m[e.key] = e.value
			}
			return m
		}, err
	},
}

type mapEntry struct{ key, value string }

var entry = structOf(
	column("key", text, func(e *mapEntry) *string { return &e.key }).must(),
	column("value", text, func(e *mapEntry) *string { return &e.value }).must(),
)
