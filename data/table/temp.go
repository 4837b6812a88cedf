package table

import (
	"bufio"
	"errors"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"github.com/herd-lm/herd/core/disk"
)

// tempTable is the temporary file of a Writer.
type tempTable struct {
	*disk.File
	out    *position
	schema *arrow.Schema
	arrow  *ipc.FileWriter // nil before the first batch
}

func createTemp(path string) (*tempTable, error) {
	f, err := disk.Create(path)
	if err != nil {
		return nil, err
	}
	return &tempTable{File: f, out: &position{w: bufio.NewWriterSize(f, 1<<16)}}, nil
}

func (t *tempTable) begin(schema *arrow.Schema) (err error) {
	t.schema = schema
	t.arrow, err = ipc.NewFileWriter(t.out, ipc.WithSchema(schema))
	return err
}

func (t *tempTable) write(columns []arrow.Array, rows int64) error {
	return t.arrow.Write(array.NewRecord(t.schema, columns, rows))
}

// finish writes the footer.
func (t *tempTable) finish() error {
	if err := t.arrow.Close(); err != nil {
		return err
	}
	return t.out.w.Flush()
}

// rewrite copies the batches on disk to a new file with the current schema, one batch at a
// time.
func (t *tempTable) rewrite(path string, schema *arrow.Schema, extra []*gathered) (*tempTable, error) {
	if err := t.finish(); err != nil {
		return t, err
	}
	old, err := ipc.NewFileReader(t)
	if err != nil {
		return t, err
	}
	to, err := createTemp(path)
	if err != nil {
		return t, err
	}
	if err = to.begin(schema); err == nil {
		err = to.copyFrom(old, extra)
	}
	if err != nil {
		return t, errors.Join(err, to.Abort())
	}
	return to, t.Abort()
}

func (t *tempTable) copyFrom(old *ipc.FileReader, extra []*gathered) error {
	for i := range old.NumRecords() {
		rec, err := old.RecordAt(i)
		if err != nil {
			return err
		}
		columns := rec.Columns()[:t.schema.NumFields()-len(extra)]
		for _, c := range extra {
			values, err := c.again(rec)
			if err != nil {
				return err
			}
			columns = append(columns[:len(columns):len(columns)], values)
		}
		if err := t.write(columns, rec.NumRows()); err != nil {
			return err
		}
	}
	return nil
}

// position is a buffered writer that knows its offset. Arrow's writer seeks only to learn that.
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
