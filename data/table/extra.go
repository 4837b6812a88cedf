package table

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// Extra holds a row's values in the columns that herd does not know: columns of other programs,
// and columns that a step adds. It travels with the row: [Writer] writes what [Reader] read,
// whatever the Arrow type. A step that makes a row from another one copies its Extra, as it
// copies its Meta.
//
// Extra is a value: Set and Drop change this copy only. An Extra that comes from a file keeps
// the extra columns of its record batch in memory.
type Extra struct {
	from  *Columns // of the table that the row comes from; nil if it comes from none
	cells []cell   // in the order of the columns
}

// cell is a value of an extra column: a row of an array, or a Go value.
type cell struct {
	column *extraColumn
	row    int // of column.values
	value  any // if column.values is nil: nil, string, int64, float64, bool, []any or members
}

// extraColumn is an extra column of one record batch.
type extraColumn struct {
	arrow.Field
	values arrow.Array // nil: the cells hold Go values
	bytes  int         // of values
}

// Names returns the names of the extra columns, in order.
func (x Extra) Names() []string {
	names := make([]string, len(x.cells))
	for i, c := range x.cells {
		names[i] = c.column.Name
	}
	return names
}

func (x Extra) find(name string) int {
	return slices.IndexFunc(x.cells, func(c cell) bool { return c.column.Name == name })
}

// IsZero reports whether there are no extra columns.
func (x Extra) IsZero() bool { return len(x.cells) == 0 }

// Text returns a string. ok is false if the column is missing or null, or has another type.
func (x Extra) Text(name string) (s string, ok bool) {
	s, ok = x.value(name).(string)
	return s, ok
}

// Number returns a number of any integer or floating-point type as a float64. For ok, see Text.
func (x Extra) Number(name string) (n float64, ok bool) {
	switch v := x.value(name).(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	}
	return 0, false
}

// Bool returns a boolean. For ok, see Text.
func (x Extra) Bool(name string) (b, ok bool) {
	b, ok = x.value(name).(bool)
	return b, ok
}

// Texts returns a list of strings. For ok, see Text; ok is also false if an element is null.
func (x Extra) Texts(name string) (list []string, ok bool) {
	values, ok := x.value(name).([]any)
	if !ok {
		return nil, false
	}
	list = make([]string, len(values))
	for i, v := range values {
		if list[i], ok = v.(string); !ok {
			return nil, false
		}
	}
	return list, true
}

// String formats a value of any type for a person: strings as they are, other types as JSON,
// null and missing columns as "".
func (x Extra) String(name string) string {
	switch v := x.value(name).(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		text, err := appendJSON(nil, v)
		if err != nil {
			return fmt.Sprint(v) // NaN
		}
		return string(text)
	}
}

// value returns a cell as a Go value, nil if the column is missing or null.
func (x Extra) value(name string) any {
	i := x.find(name)
	if i < 0 {
		return nil
	}
	return x.cells[i].goValue()
}

func (c cell) goValue() any {
	if c.column.values == nil {
		return c.value
	}
	return goValue(c.column.values, c.row)
}

// SetText sets a string. If the column is new, it becomes the last one.
func (x *Extra) SetText(name, s string) { x.set(name, arrow.BinaryTypes.String, s) }

// SetNumber sets a float64.
func (x *Extra) SetNumber(name string, n float64) { x.set(name, arrow.PrimitiveTypes.Float64, n) }

// SetBool sets a boolean.
func (x *Extra) SetBool(name string, b bool) { x.set(name, arrow.FixedWidthTypes.Boolean, b) }

// SetTexts sets a list of strings.
func (x *Extra) SetTexts(name string, list []string) {
	values := make([]any, len(list))
	for i, s := range list {
		values[i] = s
	}
	x.set(name, arrow.ListOf(arrow.BinaryTypes.String), values)
}

// SetNull sets a column to null. Other rows decide the column's type.
func (x *Extra) SetNull(name string) { x.set(name, arrow.Null, nil) }

func (x *Extra) set(name string, typ arrow.DataType, value any) {
	c := cell{column: &extraColumn{Field: arrow.Field{Name: name, Type: typ, Nullable: true}}, value: value}
	x.cells = slices.Clone(x.cells)
	if i := x.find(name); i >= 0 {
		x.cells[i] = c
		return
	}
	x.cells = append(x.cells, c)
}

// Drop removes columns. It ignores names that the row does not have.
func (x *Extra) Drop(names ...string) {
	x.cells = slices.DeleteFunc(slices.Clone(x.cells), func(c cell) bool { return slices.Contains(names, c.column.Name) })
}

// Equal reports whether both have the same columns, in the same order, with the same types and
// values.
func (x Extra) Equal(other Extra) bool {
	return slices.EqualFunc(x.cells, other.cells, func(a, b cell) bool {
		return a.column.Name == b.column.Name && arrow.TypeEqual(a.column.Type, b.column.Type) && array.ApproxEqual(a.array(), b.array(), array.WithNaNsEqual(true))
	})
}

// array returns a cell as an array of one value.
func (c cell) array() arrow.Array {
	if c.column.values == nil {
		return arrayOf(c.column.Type, []any{c.value})
	}
	return array.NewSlice(c.column.values, int64(c.row), int64(c.row+1))
}

// Fits returns an error if a table of T cannot hold a row's extra columns. Either a column has
// the name of one of T's columns, or the row's source table has values that herd cannot write:
// unknown fields inside herd's own columns, such as messages.name, and run-end encoded columns.
// Writer refuses such rows. A step that writes rows only after hours of work calls Fits first.
func Fits[T Row](x Extra) error {
	own := arrowFields(columnsOf[T]())
	for _, c := range x.cells {
		if err := notOurs(c.column.Name, own); err != nil {
			return err
		}
	}
	return x.writable()
}

func notOurs(name string, own []arrow.Field) error {
	if indexOf(own, name) >= 0 {
		return fmt.Errorf("an extra column has the name of herd's column %s: rename it", name)
	}
	return nil
}

func (x Extra) writable() error {
	if x.from == nil || len(x.from.lost) == 0 {
		return nil
	}
	return fmt.Errorf("the table that it comes from has values that herd cannot write (%s): move them to plain columns of their own, or drop them", strings.Join(x.from.lost, ", "))
}

// check returns an error if a Go value cannot be written.
func (x Extra) check() error {
	for _, c := range x.cells {
		if c.column.values != nil {
			continue
		}
		if !utf8.ValidString(c.column.Name) || !validUTF8(c.value) {
			return fmt.Errorf("extra column %q is not valid UTF-8", c.column.Name)
		}
	}
	return nil
}

// size estimates the bytes of a row's values.
func (x Extra) size() int {
	n := 0
	for _, c := range x.cells {
		if v := c.column.values; v != nil {
			n += c.column.bytes / max(1, v.Len())
			continue
		}
		n += valueBytes(c.value)
	}
	return n
}
