package table

import (
	"fmt"
	"iter"
)

// This file is for code that learns the kind of a table only when it runs.

// AnyWriter is a Writer of some kind of row.
type AnyWriter interface {
	WriteRecord(Record) error
	Close() error
	Abort() error
}

func (w *Writer[T]) WriteRecord(r Record) error { return w.Write(*any(r).(*T)) }

func CreateAny(kind Kind, path string, h Header, extra ...*Columns) (AnyWriter, error) {
	switch kind {
	case Documents:
		return Create[Document](path, h, extra...)
	case Chats:
		return Create[Chat](path, h, extra...)
	case Preferences:
		return Create[Preference](path, h, extra...)
	case Samples:
		return Create[Sample](path, h, extra...)
	}
	return nil, fmt.Errorf("%q is not a kind of table; documents, chats, preferences and samples are", kind)
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

func OpenAny(path string) (AnyReader, error) {
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
