package table

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
)

// definition is what herd knows of a kind of table besides the methods of its row ([Record]).
// To add a kind, write the row type with its methods and add a line to kinds.
type definition struct {
	kind   Kind
	key    string // a column that no later kind in the list has
	row    func() Record
	create func(path string, h Header, extra ...*Columns) (AnyWriter, error)
	open   func(path string) (AnyReader, error)
}

// define returns the definition of the tables of T.
func define[T Row](key string) definition {
	row := func() Record { return RecordOf(new(T)) }
	return definition{
		kind: row().RowKind(),
		key:  key,
		row:  row,
		create: func(path string, h Header, extra ...*Columns) (AnyWriter, error) {
			w, err := Create[T](path, h, extra...)
			if err != nil {
				return nil, err // a nil *Writer would make the interface non-nil
			}
			return w, nil
		},
		open: func(path string) (AnyReader, error) {
			r, err := Open[T](path)
			if err != nil {
				return nil, err
			}
			return r, nil
		},
	}
}

// kinds lists the definitions. The first one whose key is among the columns is the kind of a
// table that another program wrote.
func kinds() []definition {
	return []definition{
		define[Sample]("candidates"),
		define[Preference]("chosen"),
		define[UnpairedPreference]("completion"),
		define[Chat]("messages"),
		define[Document]("text"),
	}
}

// Kinds returns the kinds of table, in the order in which herd tries them on a table of another
// program.
func Kinds() (names []Kind) {
	for _, d := range kinds() {
		names = append(names, d.kind)
	}
	return names
}

// NewRow returns an empty row of the kind, nil for an unknown kind.
func (k Kind) NewRow() Record {
	d, err := k.definition()
	if err != nil {
		return nil
	}
	return d.row()
}

// Key returns the column by which herd detects the kind, "" for an unknown kind.
func (k Kind) Key() string {
	d, _ := k.definition()
	return d.key
}

func (k Kind) definition() (definition, error) {
	for _, d := range kinds() {
		if d.kind == k {
			return d, nil
		}
	}
	return definition{}, fmt.Errorf("%q is not a kind of table: use one of %v", k, Kinds())
}

// kindByColumns detects the kind of a table that another program wrote.
func kindByColumns(s *arrow.Schema) Kind {
	for _, d := range kinds() {
		if s.HasField(d.key) {
			return d.kind
		}
	}
	return ""
}

// keys lists the columns by which herd detects the kinds.
func keys() (list []string) {
	for _, d := range kinds() {
		list = append(list, d.key)
	}
	return list
}
