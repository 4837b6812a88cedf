package data

import (
	"fmt"
	"iter"
)

// This file is for code that learns the kind of a table only when it runs.

// tableWriter is a Writer of some kind of row.
type tableWriter interface {
	write(record) error
	Close() error
	Abort() error
}

func (w *Writer[T]) write(r record) error { return w.Write(*any(r).(*T)) }

func createTable(kind Kind, path string, h Header) (tableWriter, error) {
	switch kind {
	case Documents:
		return Create[Document](path, h)
	case Chats:
		return Create[Chat](path, h)
	case Preferences:
		return Create[Preference](path, h)
	case Samples:
		return Create[Sample](path, h)
	}
	return nil, fmt.Errorf("%q is not a kind of table; documents, chats, preferences and samples are", kind)
}

// tableReader is a Reader of some kind of row.
type tableReader interface {
	Header() Header
	NumRows() int
	Close() error
	records(skip int) iter.Seq2[record, error]
}

func (r *Reader[T]) records(skip int) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		for row, err := range r.RowsFrom(skip) {
			if !yield(recordOf(&row), err) {
				return
			}
		}
	}
}

func openTable(path string) (tableReader, error) {
	kind, _, err := KindOf(path)
	if err != nil {
		return nil, err
	}
	switch kind {
	case Documents:
		return Open[Document](path)
	case Chats:
		return Open[Chat](path)
	case Preferences:
		return Open[Preference](path)
	default: // KindOf knows no other
		return Open[Sample](path)
	}
}
