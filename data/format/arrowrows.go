package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"github.com/herd-lm/herd/data/table"
)

// The first bytes of Arrow's two formats, files and streams, which Hugging Face's datasets writes,
// and of Parquet.
var (
	arrowFile   = []byte("ARROW1")
	arrowStream = []byte{0xff, 0xff, 0xff, 0xff}
	parquetFile = []byte("PAR1")
)

// batches is a reader of record batches: of a file or of a stream.
type batches interface {
	Read() (arrow.Record, error) // io.EOF at the end
}

// arrowRows yields the rows of an Arrow file or stream of another program as JSON objects, one
// batch at a time.
func arrowRows(open func() (batches, error)) iter.Seq2[jsonRow, error] {
	return func(yield func(jsonRow, error) bool) {
		r, err := guarded(open)
		for row := 1; err == nil; {
			var record arrow.Record
			if record, err = guarded(r.Read); err != nil {
				break
			}
			for i := range int(record.NumRows()) {
				raw, err := guarded(func() (json.RawMessage, error) { return arrowObject(record, i) })
				if err != nil {
					yield(jsonRow{}, fmt.Errorf("row %d: %w", row, err))
					return
				}
				if !yield(jsonRow{place{row, row}, raw}, nil) {
					return
				}
				row++
			}
		}
		if err != nil && err != io.EOF {
			yield(jsonRow{}, fmt.Errorf("cannot be read as an Arrow file: %w", err))
		}
	}
}

// guarded turns a panic of Arrow's reader, which trusts its input, into an error.
func guarded[T any](f func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it is damaged: %v", p)
		}
	}()
	return f()
}

// arrowObject returns a row as a JSON object with the columns in their order.
func arrowObject(record arrow.Record, i int) (json.RawMessage, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for c, column := range record.Columns() {
		if c > 0 {
			b.WriteByte(',')
		}
		if err := writeMember(&b, record.ColumnName(c), column.GetOneForMarshal(i)); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// fileBatches reads the batches of an Arrow file.
type fileBatches struct {
	*ipc.FileReader
	next int
}

func (f *fileBatches) Read() (arrow.Record, error) {
	if f.next == f.NumRecords() {
		return nil, io.EOF
	}
	f.next++
	return f.RecordAt(f.next - 1)
}

func openArrowFile(file *os.File) (batches, error) {
	r, err := ipc.NewFileReader(file)
	if err != nil {
		return nil, err
	}
	return &fileBatches{FileReader: r}, nil
}

func openArrowStream(r io.Reader) (batches, error) { return ipc.NewReader(r) }

// tableRows yields the rows of one of herd's own tables, or of a table with the columns of one.
func tableRows(path string) (iter.Seq2[table.Record, error], error) {
	r, err := table.OpenAny(path)
	if err != nil {
		return nil, err
	}
	return func(yield func(table.Record, error) bool) {
		defer r.Close()
		for row, err := range r.Records(0) {
			if !yield(row, err) || err != nil {
				return
			}
		}
	}, nil
}

// isHerdTable reports whether herd wrote the Arrow file: its schema says which stage.
func isHerdTable(path string) bool {
	r, err := table.OpenAny(path)
	if err != nil {
		return false
	}
	defer r.Close()
	return r.Header().Stage != ""
}
