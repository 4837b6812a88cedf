package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// A batch is written when it holds BatchRows rows or batchBytes bytes of text,
// so memory is bounded whatever the length of rows, and no column outgrows the
// 32-bit offsets of Arrow strings.
const (
	BatchRows  = 512
	batchBytes = 8 << 20
	maxRow     = 1 << 30 // bytes
)

// Writer writes a table row by row into a temporary file beside its
// destination, which Close puts in place. It is not safe for concurrent use.
type Writer[T Row] struct {
	path    string
	temp    *os.File
	out     *position
	arrow   *ipc.FileWriter
	batch   *array.RecordBuilder
	columns []field[T]
	rows    int // written or in the batch
	pending int // rows in the batch
	bytes   int // in the batch, roughly
	err     error
}

// Create begins the table at path. Nothing appears there, and a file that is
// there stays as it is, until Close. Kind and Version of h are filled in.
func Create[T Row](path string, h Header) (*Writer[T], error) {
	h.Kind, h.Version = RecordOf(new(T)).RowKind(), Version
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	w := &Writer[T]{path: path, temp: temp, out: &position{w: bufio.NewWriterSize(temp, 1<<16)}, columns: columnsOf[T]()}
	schema := schemaOf[T](h)
	w.batch = array.NewRecordBuilder(memory.DefaultAllocator, schema)
	w.arrow, err = ipc.NewFileWriter(w.out, ipc.WithSchema(schema))
	if err == nil {
		err = temp.Chmod(0o644) // CreateTemp's 0600 would hide the table from others
	}
	if err != nil {
		return nil, errors.Join(w.wrap(err), w.Abort())
	}
	return w, nil
}

// WriteAll writes a whole table of rows that are in memory.
func WriteAll[T Row](path string, h Header, rows []T) error {
	w, err := Create[T](path, h)
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

// Write adds a row. An empty ID is filled in with the row's [ContentID]. A row
// that a table cannot hold (invalid UTF-8, no messages, NaN) is an error that
// leaves the writer usable; any other error is final, and repeated by Close.
func (w *Writer[T]) Write(row T) error {
	if w.err != nil {
		return w.err
	}
	r := RecordOf(&row)
	if err := r.Check(); err != nil {
		return w.wrap(fmt.Errorf("row %d: %w", w.rows+1, err))
	}
	size := r.size()
	if size > maxRow {
		return w.wrap(fmt.Errorf("row %d has %d bytes, at most %d can be held: split it", w.rows+1, size, maxRow))
	}
	if o := r.RowOrigin(); o.ID == "" {
		o.ID = RecordID(r)
	}
	for i, c := range w.columns {
		c.append(w.batch.Field(i), &row)
	}
	w.rows, w.pending, w.bytes = w.rows+1, w.pending+1, w.bytes+size
	if w.pending >= BatchRows || w.bytes >= batchBytes {
		w.err = w.flush()
	}
	return w.err
}

// Rows returns the number of rows written so far.
func (w *Writer[T]) Rows() int { return w.rows }

func (w *Writer[T]) flush() error {
	if w.pending == 0 {
		return nil
	}
	rec := w.batch.NewRecord()
	defer rec.Release()
	w.pending, w.bytes = 0, 0
	return w.wrap(w.arrow.Write(rec))
}

// Close writes what is left, syncs, and puts the table in place: a reader finds
// the old file or the whole new one. After an error nothing is left behind.
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
	for _, step := range []func() error{
		w.arrow.Close, w.out.w.Flush, w.temp.Sync, w.temp.Close,
		func() error { return os.Rename(w.temp.Name(), w.path) },
		func() error { return syncDir(filepath.Dir(w.path)) },
	} {
		if err := step(); err != nil {
			return w.wrap(err)
		}
	}
	return nil
}

// Abort gives the table up and removes the temporary file. After Close it does
// nothing, so it can be deferred.
func (w *Writer[T]) Abort() error {
	if w.temp == nil {
		return nil
	}
	name := w.temp.Name()
	w.temp.Close() // it may be closed, or full: the file is to go anyway
	w.temp = nil
	if w.err == nil {
		w.err = fmt.Errorf("write %s: the writer was aborted", w.path)
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return w.wrap(err)
	}
	return nil
}

func (w *Writer[T]) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w", w.path, err)
}

// syncDir makes a rename in dir last. Some file systems cannot sync a
// directory; the rename is then as lasting as they make it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}

// position is a buffered writer that knows where it is, which is all the
// seeking that Arrow's writer does.
type position struct {
	w  *bufio.Writer
	at int64
}

func (p *position) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.at += int64(n)
	return n, err
}

func (p *position) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, errors.New("tables are written from front to back")
	}
	return p.at, nil
}
