package table

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
)

// Columns describes the columns of a table that herd does not know, and the metadata of its
// schema. Pass the Columns of the source tables to [Create], so that a table without rows has
// these columns too.
type Columns struct {
	fields   []arrow.Field
	metadata arrow.Metadata // without herd's keys
	lost     []string       // names of what Writer cannot write: see Fits
}

// Names lists the columns.
func (c *Columns) Names() []string {
	names := make([]string, len(c.fields))
	for i, f := range c.fields {
		names[i] = f.Name
	}
	return names
}

// ColumnsOf returns the extra columns of each of the tables. Pass them to [Create].
func ColumnsOf(paths ...string) ([]*Columns, error) {
	var all []*Columns
	for _, path := range paths {
		r, err := OpenAny(path)
		if err != nil {
			return nil, err
		}
		all = append(all, r.Columns())
		if err := r.Close(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// FitTogether returns an error if one table cannot hold the extra columns of all the tables,
// because a column has one type here and another type there. A step that writes rows of several
// tables only after hours of work calls it first, as it calls Fits for each row.
func FitTogether(paths ...string) error {
	all, err := ColumnsOf(paths...)
	if err != nil {
		return err
	}
	var g gatherer
	for i, columns := range all {
		if err := g.declare(columns, nil); err != nil {
			return fmt.Errorf("%s: %w", paths[i], err)
		}
	}
	return nil
}

// isZero reports whether a table has nothing but herd's columns and keys.
func (c *Columns) isZero() bool { return len(c.fields)+c.metadata.Len()+len(c.lost) == 0 }

// readColumns collects the columns and metadata of a schema that are not herd's.
func readColumns(s *arrow.Schema, own []arrow.Field) (*Columns, error) {
	c := &Columns{}
	seen := make(map[string]bool)
	for _, f := range s.Fields() {
		if seen[f.Name] {
			return nil, fmt.Errorf("two columns are named %s: rename one", f.Name)
		}
		seen[f.Name] = true
		if i := indexOf(own, f.Name); i >= 0 {
			c.lost = append(c.lost, unknownFields(own[i].Type, f.Type, f.Name)...)
			continue
		}
		if hasRuns(f.Type) {
			c.lost = append(c.lost, f.Name+" (run-end encoded)")
			continue
		}
		c.fields = append(c.fields, f)
	}
	c.metadata = withoutOurs(s.Metadata())
	return c, nil
}

func withoutOurs(m arrow.Metadata) arrow.Metadata {
	var keys, values []string
	for i, key := range m.Keys() {
		if !strings.HasPrefix(key, keyPrefix) {
			keys, values = append(keys, key), append(values, m.Values()[i])
		}
	}
	return arrow.NewMetadata(keys, values)
}

func indexOf(fields []arrow.Field, name string) int {
	return slices.IndexFunc(fields, func(f arrow.Field) bool { return f.Name == name })
}

// unknownFields lists the struct fields, at all depths, that theirs has and ours does not.
func unknownFields(ours, theirs arrow.DataType, path string) (names []string) {
	if ours.ID() == arrow.MAP {
		return nil // its entries have a key and a value
	}
	if a, ok := ours.(arrow.ListLikeType); ok {
		if b, ok := theirs.(arrow.ListLikeType); ok {
			return unknownFields(a.Elem(), b.Elem(), path)
		}
	}
	a, ok := ours.(*arrow.StructType)
	b, same := theirs.(*arrow.StructType)
	if !ok || !same {
		return nil
	}
	for _, f := range b.Fields() {
		at := path + "." + f.Name
		if i, ok := a.FieldIdx(f.Name); ok {
			names = append(names, unknownFields(a.Field(i).Type, f.Type, at)...)
			continue
		}
		names = append(names, at)
	}
	return names
}

// hasRuns reports whether a type is run-end encoded at any depth. Arrow's Go library (v15)
// concatenates such arrays wrongly.
func hasRuns(typ arrow.DataType) bool {
	if typ.ID() == arrow.RUN_END_ENCODED {
		return true
	}
	nested, ok := typ.(arrow.NestedType)
	return ok && slices.ContainsFunc(nested.Fields(), func(f arrow.Field) bool { return hasRuns(f.Type) })
}

// unify returns a type that holds the values of both. Null fits every type. Lists unify by
// their elements and structs by their fields. All other types must be equal.
func unify(a, b arrow.DataType) (arrow.DataType, error) {
	switch {
	case arrow.TypeEqual(a, b), b.ID() == arrow.NULL:
		return a, nil
	case a.ID() == arrow.NULL:
		return b, nil
	}
	if x, ok := a.(*arrow.ListType); ok {
		if y, ok := b.(*arrow.ListType); ok {
			return unifyLists(x, y)
		}
	}
	if x, ok := a.(*arrow.StructType); ok {
		if y, ok := b.(*arrow.StructType); ok {
			return unifyStructs(x, y)
		}
	}
	return nil, fmt.Errorf("is %v in some rows and %v in others: give it one type", a, b)
}

func unifyLists(a, b *arrow.ListType) (arrow.DataType, error) {
	elem, err := unify(a.Elem(), b.Elem())
	if err != nil {
		return nil, fmt.Errorf("its elements: %w", err)
	}
	field := a.ElemField()
	field.Type, field.Nullable = elem, field.Nullable || b.ElemField().Nullable
	return arrow.ListOfField(field), nil
}

func unifyStructs(a, b *arrow.StructType) (arrow.DataType, error) {
	fields := slices.Clone(a.Fields())
	for i, f := range fields {
		if !hasField(b, f.Name) {
			fields[i].Nullable = true
		}
	}
	for _, f := range b.Fields() {
		i := indexOf(fields, f.Name)
		if i < 0 {
			f.Nullable = true
			fields = append(fields, f)
			continue
		}
		typ, err := unify(fields[i].Type, f.Type)
		if err != nil {
			return nil, fmt.Errorf("its field %s: %w", f.Name, err)
		}
		fields[i].Type, fields[i].Nullable = typ, fields[i].Nullable || f.Nullable
	}
	return arrow.StructOf(fields...), nil
}

func hasField(s *arrow.StructType, name string) bool {
	_, ok := s.FieldByName(name)
	return ok
}
