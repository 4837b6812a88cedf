package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// This file reads the parts of an Arrow file's FlatBuffers that Arrow's Go reader either does
// not expose (rows per batch, without reading the batch) or does not validate (the position of
// batches, the depth of the schema). Formats: arrow/format/File.fbs, Schema.fbs and
// Message.fbs; FlatBuffers internals at https://flatbuffers.dev/internals.

var arrowMagic = []byte("ARROW1")

// block is the position of a record batch: Block of File.fbs.
type block struct {
	offset     int64
	meta, body int64 // bytes
	rows       int   // 0 before countRows
}

// readFooter checks the frame of an Arrow file of the given size and returns its record
// batches.
func readFooter(file io.ReaderAt, size int64) ([]block, error) {
	if err := checkMagic(file, size); err != nil {
		return nil, err
	}
	tail := int64(4 + len(arrowMagic))
	buf, err := readAt(file, size-tail, 4)
	if err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(buf))
	if length > size-tail-8 {
		return nil, errors.New("damaged Arrow file: the footer is longer than the file")
	}
	if buf, err = readAt(file, size-tail-length, length); err != nil {
		return nil, err
	}
	footer := flat{buf: buf}
	root := footer.ref(0)
	footer.checkSchema(footer.tableSlot(root, 1))
	blocks := footer.blocks(root, 3)
	for i, b := range append(footer.blocks(root, 2), blocks...) {
		if !b.inside(size - tail - length) {
			return nil, fmt.Errorf("damaged Arrow file: block %d lies outside the file", i)
		}
	}
	return blocks, footer.err
}

func (b block) inside(end int64) bool {
	return b.offset >= 8 && b.meta >= 8 && b.body >= 0 && b.offset <= end && b.meta <= end && b.body <= end && b.offset+b.meta+b.body <= end
}

// ErrEmpty reports that a file holds nothing at all, not even a table without rows.
var ErrEmpty = errors.New("the file is empty")

// ErrNotArrow reports that a file is not an Arrow IPC file, of which tables are made.
var ErrNotArrow = errors.New("not an Arrow file, expected an Arrow IPC file as an import of JSON, JSONL or text writes it")

func checkMagic(file io.ReaderAt, size int64) error {
	if size == 0 {
		return ErrEmpty
	}
	head, err := readAt(file, 0, min(size, 8))
	if err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte("PAR1")):
		return errors.New("is a Parquet file, expected an Arrow IPC file")
	case bytes.HasPrefix(head, []byte{0xff, 0xff, 0xff, 0xff}):
		return errors.New("is an Arrow stream, expected an Arrow IPC file (Feather version 2)")
	case !bytes.HasPrefix(head, arrowMagic):
		return ErrNotArrow
	case size < int64(8+4+len(arrowMagic)):
		return errors.New("truncated Arrow file")
	}
	end, err := readAt(file, size-int64(len(arrowMagic)), int64(len(arrowMagic)))
	if err == nil && !bytes.Equal(end, arrowMagic) {
		err = errors.New("truncated Arrow file: it has no footer")
	}
	return err
}

// countRows reads the row count of each batch from its message, stores it in the block, and
// returns the sum.
func countRows(file io.ReaderAt, blocks []block) (int, error) {
	total := int64(0)
	for i, b := range blocks {
		buf, err := readAt(file, b.offset, b.meta)
		if err != nil {
			return 0, err
		}
		prefix := 4 // before Arrow 0.15 only the length preceded a message
		if binary.LittleEndian.Uint32(buf) == 0xffffffff {
			prefix = 8
		}
		message := flat{buf: buf[prefix:]}
		rows := message.int64(message.slot(message.tableSlot(message.ref(0), 2), 0))
		if message.err != nil || rows < 0 || total+rows < 0 {
			return 0, fmt.Errorf("damaged Arrow file: the message of batch %d", i)
		}
		blocks[i].rows = int(rows)
		total += rows
	}
	return int(total), nil
}

func readAt(file io.ReaderAt, offset, n int64) ([]byte, error) {
	buf := make([]byte, n)
	if _, err := file.ReadAt(buf, offset); err != nil {
		return nil, fmt.Errorf("read %d bytes at %d: %w", n, offset, err)
	}
	return buf, nil
}

// flat is a FlatBuffer. Positions are indices into buf; 0 means that a value is absent. The
// first access outside buf sets err, and all later ones return 0.
type flat struct {
	buf    []byte
	err    error
	fields int // seen by checkFields
}

func (f *flat) bytes(pos, n int) []byte {
	if pos < 0 || n > len(f.buf) || pos > len(f.buf)-n {
		f.fail("an offset in the footer points outside it")
	}
	if f.err != nil {
		return make([]byte, n)
	}
	return f.buf[pos : pos+n]
}

func (f *flat) uint16(pos int) int { return int(binary.LittleEndian.Uint16(f.bytes(pos, 2))) }
func (f *flat) int32(pos int) int  { return int(int32(binary.LittleEndian.Uint32(f.bytes(pos, 4)))) }

func (f *flat) int64(pos int) int64 {
	if pos == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(f.bytes(pos, 8)))
}

// ref follows the offset at pos.
func (f *flat) ref(pos int) int {
	return pos + int(binary.LittleEndian.Uint32(f.bytes(pos, 4)))
}

// slot returns the position of the i-th field of a table, or 0.
func (f *flat) slot(table, i int) int {
	if table == 0 {
		return 0
	}
	vtable := table - f.int32(table)
	if 4+2*i >= f.uint16(vtable) {
		return 0
	}
	if offset := f.uint16(vtable + 4 + 2*i); offset != 0 {
		return table + offset
	}
	return 0
}

// tableSlot returns the position of the table or vector in the i-th field of a table, or 0.
func (f *flat) tableSlot(table, i int) int {
	if at := f.slot(table, i); at != 0 {
		return f.ref(at)
	}
	return 0
}

// length returns the length of a vector of elements of width bytes, and fails if the buffer is
// too short for them.
func (f *flat) length(vector, width int) int {
	if vector == 0 {
		return 0
	}
	n := f.int32(vector)
	if n < 0 || n > (len(f.buf)-vector-4)/width {
		f.fail("a list in the footer is longer than the footer")
		return 0
	}
	return n
}

func (f *flat) fail(what string) {
	if f.err == nil {
		f.err = fmt.Errorf("damaged Arrow file: %s", what)
	}
}

// checkSchema checks the depth of the schema and the lengths of its lists before Arrow's reader
// recurses into them and allocates them: Go recovers from neither a stack overflow nor running
// out of memory.
func (f *flat) checkSchema(schema int) {
	f.length(f.tableSlot(schema, 2), 4) // custom_metadata
	f.checkFields(f.tableSlot(schema, 1), 0)
}

func (f *flat) checkFields(vector, depth int) {
	const maxFields, maxDepth, union = 10_000, 64, 14
	n := f.length(vector, 4)
	f.fields += n
	if f.fields > maxFields || depth > maxDepth {
		f.fail("the schema has too many or too deeply nested columns")
	}
	for i := range n {
		if f.err != nil {
			return
		}
		field := f.ref(vector + 4 + 4*i)
		if at := f.slot(field, 2); at != 0 && f.bytes(at, 1)[0] == union { // a union has a further list, of type ids
			f.fail("it has a union column, which tables do not have")
		}
		f.length(f.tableSlot(field, 6), 4) // custom_metadata
		f.checkFields(f.tableSlot(field, 5), depth+1)
	}
}

// blocks reads field i of the footer, a vector of Block.
func (f *flat) blocks(footer, i int) []block {
	const width = 24
	vector := f.tableSlot(footer, i)
	out := make([]block, f.length(vector, width))
	for j := range out {
		at := vector + 4 + width*j
		out[j] = block{offset: f.int64(at), meta: int64(f.int32(at + 8)), body: f.int64(at + 16)}
	}
	return out
}
