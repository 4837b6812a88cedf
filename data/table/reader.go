package table

import (
	"errors"
	"fmt"
	"iter"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Reader reads a table with one record batch in memory at a time. It also reads files of other
// programs that have the columns of the kind: columns that herd does not know go into the row's
// Extra, missing columns are zero, and strings and lists may be Arrow's large ones. A Reader is
// not safe for concurrent use, but several may read one file.
type Reader[T Row] struct {
	file  *file
	rows  int
	extra *Columns
}

// Open opens the table at path. It returns an error that names the file and the problem if the
// file is not an Arrow file, is truncated or damaged, or holds another kind of row.
func Open[T Row](path string) (*Reader[T], error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	r := &Reader[T]{file: f}
	if err := r.verify(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

func (r *Reader[T]) verify() error {
	if want := RecordOf(new(T)).RowKind(); r.file.header.Kind != want {
		return fmt.Errorf("%s holds %s, wanted %s", r.file.Name(), r.file.header.Kind, want)
	}
	return r.file.guard(func() (err error) {
		if r.rows, err = countRows(r.file, r.file.blocks); err != nil {
			return err
		}
		if r.extra, err = readColumns(r.file.arrow.Schema(), arrowFields(columnsOf[T]())); err != nil {
			return err
		}
		// An empty batch of the file's schema shows whether the columns have the right types.
		_, err = bindRecord[T](emptyRecord(r.file.arrow.Schema()))
		return err
	})
}

// emptyRecord returns a record without rows.
func emptyRecord(schema *arrow.Schema) arrow.Record {
	columns := make([]arrow.Array, len(schema.Fields()))
	for i, f := range schema.Fields() {
		columns[i] = emptyColumn(f.Type)
	}
	return array.NewRecord(schema, columns, 0)
}

// emptyColumn returns an array without values. Arrow has no builder for dictionaries of large
// strings or of views of strings, which Polars writes.
func emptyColumn(typ arrow.DataType) arrow.Array {
	if d, ok := typ.(*arrow.DictionaryType); ok {
		return array.NewDictionaryArray(d, emptyColumn(d.IndexType), emptyColumn(d.ValueType))
	}
	return array.NewBuilder(memory.DefaultAllocator, typ).NewArray()
}

// Header returns the file's header.
func (r *Reader[T]) Header() Header { return r.file.header }

// Columns returns the extra columns.
func (r *Reader[T]) Columns() *Columns { return r.extra }

// NumRows returns the number of rows.
func (r *Reader[T]) NumRows() int { return r.rows }

// Close closes the file.
func (r *Reader[T]) Close() error { return r.file.Close() }

// Rows yields the rows in order, and starts from the first row each time. If it yields an
// error, which names file and row, it stops.
func (r *Reader[T]) Rows() iter.Seq2[T, error] { return r.RowsFrom(0) }

// RowsFrom yields the rows after the first skip ones. It does not read batches that it skips
// completely.
func (r *Reader[T]) RowsFrom(skip int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		seen := 0
		for i, b := range r.file.blocks {
			if seen+b.rows > skip && !r.yieldBatch(i, seen, max(0, skip-seen), yield) {
				return
			}
			seen += b.rows
		}
	}
}

// yieldBatch yields the rows of the i-th batch from row j on. The file has seen rows before
// that batch.
func (r *Reader[T]) yieldBatch(i, seen, j int, yield func(T, error) bool) bool {
	n, read, err := r.batch(i)
	if err != nil {
		var zero T
		yield(zero, err)
		return false
	}
	for ; j < n; j++ {
		row, err := r.row(read, j, seen+j+1)
		if !yield(row, err) || err != nil {
			return false
		}
	}
	return true
}

// batch reads the i-th record batch. It returns its number of rows and a function that reads
// one.
func (r *Reader[T]) batch(i int) (n int, read func(int, *T), err error) {
	err = r.file.guard(func() error {
		rec, err := r.file.arrow.RecordAt(i)
		if err != nil {
			return err
		}
		if n = int(rec.NumRows()); n != r.file.blocks[i].rows {
			return fmt.Errorf("damaged Arrow file: batch %d has %d rows, its message says %d", i, n, r.file.blocks[i].rows)
		}
		if read, err = bindRecord[T](rec); err != nil || r.extra.isZero() {
			return err
		}
		read, err = r.withExtra(rec, read)
		return err
	})
	return n, read, err
}

// row reads row j of a batch, which is row number of the file (from 1).
func (r *Reader[T]) row(read func(int, *T), j, number int) (row T, err error) {
	err = r.file.guard(func() error {
		read(j, &row)
		rec := RecordOf(&row)
		if err := rec.Check(); err != nil {
			return fmt.Errorf("row %d: %w", number, err)
		}
		if o := rec.RowOrigin(); o.ID == "" {
			o.ID = RecordID(rec)
		}
		return nil
	})
	return row, err
}

// withExtra adds the extra columns to a function that reads a row. It copies the columns:
// otherwise one row would keep the text of its whole batch in memory.
func (r *Reader[T]) withExtra(rec arrow.Record, read func(int, *T)) (func(int, *T), error) {
	columns := make([]*extraColumn, len(r.extra.fields))
	for i, f := range r.extra.fields {
		from := rec.Column(rec.Schema().FieldIndices(f.Name)[0])
		touch(from)
		values, err := array.Concatenate([]arrow.Array{from}, r.file.memory)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		columns[i] = &extraColumn{f, values, bufferBytes(values.Data())}
	}
	return func(j int, row *T) {
		read(j, row)
		x := Extra{from: r.extra, cells: make([]cell, len(columns))}
		for i, c := range columns {
			x.cells[i] = cell{column: c, row: j}
		}
		OriginOf(row).Extra = x
	}, nil
}

// bufferBytes returns the bytes of an array's values, without its dictionaries.
func bufferBytes(a arrow.ArrayData) int {
	n := 0
	for _, b := range a.Buffers() {
		if b != nil {
			n += b.Len()
		}
	}
	for _, c := range a.Children() {
		n += bufferBytes(c)
	}
	return n
}

func bindRecord[T Row](rec arrow.Record) (func(int, *T), error) {
	return bind(columnsOf[T](), rec.Schema().Fields(), rec.Column)
}

// Scan opens the table at path, yields its rows, and closes it. If it yields an error, it
// stops.
func Scan[T Row](path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		r, err := Open[T](path)
		if err != nil {
			var zero T
			yield(zero, err)
			return
		}
		defer r.Close()
		r.Rows()(yield)
	}
}

// ReadAll returns all rows of the table at path. They must fit into memory.
func ReadAll[T Row](path string) ([]T, Header, error) {
	r, err := Open[T](path)
	if err != nil {
		return nil, Header{}, err
	}
	defer r.Close()
	var rows []T
	for row, err := range r.Rows() {
		if err != nil {
			return nil, r.Header(), err
		}
		rows = append(rows, row)
	}
	return rows, r.Header(), nil
}

// KindOf returns the kind and header of the table at path, without reading its rows.
func KindOf(path string) (Kind, Header, error) {
	f, err := openFile(path)
	if err != nil {
		return "", Header{}, err
	}
	return f.header.Kind, f.header, f.Close()
}
