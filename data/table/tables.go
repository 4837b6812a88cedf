package table

import "iter"

// This file is for code that learns the kind of a table only when it runs.

// AnyWriter is a Writer of some kind of row.
type AnyWriter interface {
	WriteRecord(Record) error
	Close() error
	Abort() error
}

func (w *Writer[T]) WriteRecord(r Record) error { return w.Write(*any(r).(*T)) }

// CreateAny is Create for a kind that is known only when the program runs.
func CreateAny(kind Kind, path string, h Header, extra ...*Columns) (AnyWriter, error) {
	d, err := kind.definition()
	if err != nil {
		return nil, err
	}
	return d.create(path, h, extra...)
}

// AnyReader is a Reader of some kind of row.
type AnyReader interface {
	Header() Header
	Columns() *Columns
	NumRows() int
	Close() error
	Records(skip int) iter.Seq2[Record, error]
}

func (r *Reader[T]) Records(skip int) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for row, err := range r.RowsFrom(skip) {
			if !yield(RecordOf(&row), err) {
				return
			}
		}
	}
}

// OpenAny is Open for a kind that the file itself says.
func OpenAny(path string) (AnyReader, error) {
	kind, _, err := KindOf(path)
	if err != nil {
		return nil, err
	}
	d, err := kind.definition()
	if err != nil {
		return nil, err
	}
	return d.open(path)
}
