package table

// CloseTemp closes the temporary file of a table.
func (w *Writer[T]) CloseTemp() error { return w.temp.Close() }

// The keys of the schema metadata.
const (
	KeyKind    = keyKind
	KeyVersion = keyVersion
)
