package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"unicode/utf8"
)

const maxJSONRow = 256 << 20 // bytes

// place is the start of a row in a JSON file.
type place struct{ line, row int } // from 1

func (p place) String() string {
	if p.line == p.row {
		return fmt.Sprintf("line %d", p.line)
	}
	return fmt.Sprintf("line %d (row %d)", p.line, p.row)
}

// jsonRow is one object of a JSON file.
type jsonRow struct {
	place
	raw json.RawMessage
}

// jsonRows yields the objects of a file that holds either a sequence of objects (JSONL, with
// line breaks anywhere) or one array of objects. The longest row bounds the memory. If it
// yields an error, which says where, it stops.
func jsonRows(r io.Reader) iter.Seq2[jsonRow, error] {
	return func(yield func(jsonRow, error) bool) {
		s := newJSONStream(r)
		for {
			row, err := s.next()
			if err == io.EOF {
				return
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

type jsonStream struct {
	dec   *json.Decoder
	lines *lineReader
	rows  int
	array bool
}

func newJSONStream(r io.Reader) *jsonStream {
	lines := &lineReader{r: r}
	s := &jsonStream{dec: json.NewDecoder(lines), lines: lines}
	lines.decoded = s.dec.InputOffset
	return s
}

// next returns the next object, io.EOF after the last one.
func (s *jsonStream) next() (jsonRow, error) {
	row := jsonRow{place: place{row: s.rows + 1}}
	err := s.step(&row.raw)
	if err == io.EOF {
		return row, err
	}
	if err != nil {
		s.dec.More() // skips the white space before the faulty value
	}
	row.line = s.lines.lineOf(s.dec.InputOffset() - int64(len(row.raw)))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the file ends within this row")
	case err == nil && row.raw[0] != '{':
		err = errors.New("the row is not a JSON object")
	case err == nil && !utf8.Valid(row.raw):
		err = errors.New("the row is not valid UTF-8")
	}
	if err != nil {
		return row, fmt.Errorf("%v: %w", row.place, err)
	}
	s.rows++
	return row, nil
}

func (s *jsonStream) step(raw *json.RawMessage) error {
	if s.rows == 0 && !s.array {
		if err := s.enterArray(); err != nil {
			return err
		}
	}
	if s.array && !s.dec.More() {
		return s.leaveArray()
	}
	err := s.dec.Decode(raw)
	if s.array && err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// enterArray consumes the bracket before the first row, if any.
func (s *jsonStream) enterArray() error {
	s.dec.More() // skips white space
	next := make([]byte, 1)
	if _, err := s.dec.Buffered().Read(next); err != nil {
		return s.lines.end()
	}
	if next[0] != '[' {
		return nil
	}
	s.array = true
	_, err := s.dec.Token()
	return err
}

// leaveArray consumes the bracket after the last row. Only white space may follow it.
func (s *jsonStream) leaveArray() error {
	if _, err := s.dec.Token(); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if _, err := s.dec.Token(); err != io.EOF {
		return errors.New("the file goes on after the array of rows")
	}
	return io.EOF
}

// lineReader finds the line of an offset that a JSON decoder has reached. It keeps the line
// breaks that it has read but the decoder has not passed.
type lineReader struct {
	r       io.Reader
	read    int64        // bytes
	decoded func() int64 // bytes
	passed  int          // line breaks before those in breaks
	breaks  []int64      // offsets of line breaks that lineOf has not passed
	err     error
}

func (l *lineReader) Read(p []byte) (int, error) {
	if l.decoded() < l.read-maxJSONRow {
		return 0, fmt.Errorf("the row is longer than %d bytes", maxJSONRow)
	}
	n, err := l.r.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.breaks = append(l.breaks, l.read+int64(i))
		}
	}
	l.read += int64(n)
	l.err = err
	return n, err
}

// end returns why there is nothing more to read.
func (l *lineReader) end() error {
	if l.err == nil {
		return io.EOF
	}
	return l.err
}

// lineOf returns the line, from 1, of the byte at offset. Offsets must not decrease.
func (l *lineReader) lineOf(offset int64) int {
	n, _ := slices.BinarySearch(l.breaks, offset)
	l.passed += n
	l.breaks = slices.Delete(l.breaks, 0, n)
	return l.passed + 1
}
