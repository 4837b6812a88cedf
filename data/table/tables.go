package table

import "iter"

// This file is for code that learns the kind of a table only when it runs.

// AnyWriter is a Writer of any kind of row.
type AnyWriter interface {
	WriteRecord(Record) error
	Close() error
	Abort() error
}

// WriteRecord is Write for a row of the kind that the table has.
func (w *Writer[T]) WriteRecord(r Record) error { return w.Write(*any(r).(*T)) }

// CreateAny is Create for a kind that is known only when the program runs.
func CreateAny(kind Kind, path string, h Header, extra ...*Columns) (AnyWriter, error) {
	d, err := kind.definition()
	if err != nil {
		return nil, err
	}
	return d.create(path, h, extra...)
}

// AnyReader is a Reader of any kind of row.
type AnyReader interface {
	Header() Header
	Columns() *Columns
	NumRows() int
	Close() error
	Records(skip int) iter.Seq2[Record, error]
}

// Records is RowsFrom for rows of any kind.
func (r *Reader[T]) Records(skip int) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for row, err := range r.RowsFrom(skip) {
			if !yield(RecordOf(&row), err) {
				return
			}
		}
	}
}

// OpenAny is Open for a file of any kind.
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
