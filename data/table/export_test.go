package table

// CloseTemp closes the file that a table is written to before it takes its name.
func (w *Writer[T]) CloseTemp() error { return w.temp.Close() }

// The keys of a table's metadata.
const (
	KeyKind    = keyKind
	KeyVersion = keyVersion
)
