package table

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Writer writes a batch when it holds BatchRows rows or batchBytes bytes of text. Memory is
// thus bounded whatever the length of rows, and no column outgrows the 32-bit offsets of Arrow
// strings.
const (
	BatchRows  = 512
	batchBytes = 8 << 20
	maxRow     = 1 << 30 // bytes
)

// Writer writes a table row by row into a temporary file beside its destination. Close moves it
// into place. A Writer is not safe for concurrent use.
//
// The table has the extra columns of its rows ([Extra]). Rows without a column have null there.
// If a column first appears after a batch was written, Writer copies the file once to add it.
type Writer[T Row] struct {
	path    string
	header  Header
	temp    *tempTable // nil after Close and Abort
	batch   *array.RecordBuilder
	columns []field[T]
	own     []arrow.Field
	extra   gatherer
	rows    int // written or in the batch
	pending int // rows in the batch
	bytes   int // in the batch, approximately
	err     error
}

// Create begins a table. Until Close, nothing appears at path, and a file that exists there
// stays as it is. Create sets Kind and Version of h. The table has the given extra columns even
// if it has no rows.
func Create[T Row](path string, h Header, extra ...*Columns) (*Writer[T], error) {
	h.Kind, h.Version = RecordOf(new(T)).RowKind(), Version
	w := &Writer[T]{path: path, header: h, columns: columnsOf[T]()}
	w.own = arrowFields(w.columns)
	for _, columns := range extra {
		if err := w.extra.declare(columns, w.own); err != nil {
			return nil, fmt.Errorf("create %s: %w", path, err)
		}
	}
	w.batch = array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(w.own, nil))
	var err error
	w.temp, err = createTemp(path)
	return w, err
}

// WriteAll writes a table of rows that are in memory.
func WriteAll[T Row](path string, h Header, rows []T, extra ...*Columns) error {
	w, err := Create[T](path, h, extra...)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			return errors.Join(err, w.Abort())
		}
	}
	return w.Close()
}

// Write adds a row. It fills in an empty ID with the row's [ContentID]. If the table cannot
// hold the row (invalid UTF-8, no messages, NaN, an extra column of another type than in
// earlier rows), Write returns an error and the Writer remains usable. Any other error is
// final; Close returns it again.
func (w *Writer[T]) Write(row T) error {
	if w.err != nil {
		return w.err
	}
	r := RecordOf(&row)
	extra := r.RowOrigin().Extra
	if err := cmp.Or(r.Check(), w.extra.fits(extra, w.own)); err != nil {
		return w.wrap(fmt.Errorf("row %d: %w", w.rows+1, err))
	}
	size := r.size()
	if size > maxRow {
		return w.wrap(fmt.Errorf("row %d has %d bytes, but a row may have at most %d: split it", w.rows+1, size, maxRow))
	}
	w.add(row, r)
	w.rows, w.pending, w.bytes = w.rows+1, w.pending+1, w.bytes+size
	if w.err == nil && (w.pending >= BatchRows || w.bytes >= batchBytes) {
		w.err = w.flush()
	}
	return w.err
}

// add appends a row, which the caller has checked, to the batch.
func (w *Writer[T]) add(row T, r Record) {
	o := r.RowOrigin()
	if o.ID == "" {
		o.ID = RecordID(r)
	}
	row = *any(r).(*T)
	for i, c := range w.columns {
		c.append(w.batch.Field(i), &row)
	}
	w.err = w.wrap(w.extra.add(o.Extra))
}

// Rows returns the number of rows so far.
func (w *Writer[T]) Rows() int { return w.rows }

func (w *Writer[T]) flush() (err error) {
	if w.pending == 0 {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = w.wrap(fmt.Errorf("the extra columns: %v", p))
		}
	}()
	own := w.batch.NewRecord()
	extra, changed, err := w.extra.flush()
	if err != nil {
		return w.wrap(err)
	}
	w.pending, w.bytes = 0, 0
	if err := w.prepare(changed); err != nil {
		return w.wrap(err)
	}
	return w.wrap(w.temp.write(append(own.Columns(), extra...), own.NumRows()))
}

// prepare makes the temporary file ready for batches of the current schema.
func (w *Writer[T]) prepare(changed bool) (err error) {
	switch {
	case w.temp.arrow == nil:
		return w.temp.begin(w.schema())
	case changed:
		w.temp, err = w.temp.rewrite(w.path, w.schema(), w.extra.columns)
	}
	return err
}

func (w *Writer[T]) schema() *arrow.Schema {
	m := w.header.metadata()
	m = arrow.NewMetadata(append(m.Keys(), w.extra.metadata.Keys()...), append(m.Values(), w.extra.metadata.Values()...))
	return arrow.NewSchema(append(w.own[:len(w.own):len(w.own)], w.extra.fields()...), &m)
}

// Close writes the last batch, syncs the file, and moves it into place: a reader sees either
// the old file or the whole new one. After an error it leaves nothing behind.
func (w *Writer[T]) Close() error {
	if w.temp == nil {
		return w.err
	}
	if w.err == nil {
		w.err = w.finish()
	}
	if w.err != nil {
		return errors.Join(w.err, w.Abort())
	}
	w.temp = nil
	return nil
}

func (w *Writer[T]) finish() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.prepare(w.extra.changed); err != nil {
		return w.wrap(err)
	}
	if err := w.temp.finish(); err != nil {
		return w.wrap(err)
	}
	return w.temp.Commit()
}

// Abort removes the temporary file. After Close it does nothing, so you can defer it.
func (w *Writer[T]) Abort() error {
	if w.temp == nil {
		return nil
	}
	temp := w.temp
	w.temp = nil
	if w.err == nil {
		w.err = fmt.Errorf("write %s: the writer was aborted", w.path)
	}
	return temp.Abort()
}

func (w *Writer[T]) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w", w.path, err)
}
