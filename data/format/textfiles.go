package format

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"

	"github.com/herd-lm/herd/data/table"
)

// Split says where to cut a text file into documents: SplitNone, SplitParagraphs, or a
// separator such as "<|endoftext|>".
type Split string

const (
	SplitNone       Split = "none"       // one file, one document; the default
	SplitParagraphs Split = "paragraphs" // at lines of only white space
)

const maxDocument = 256 << 20 // bytes

// passage is a document in a text file.
type passage struct {
	line int // of its first character, from 1
	text []byte
}

// passages cuts a text into documents, trims white space, and skips empty ones. The text of a
// passage is valid until the next one.
func passages(r io.Reader, split Split) iter.Seq2[passage, error] {
	return func(yield func(passage, error) bool) {
		c := cutter{split: split, line: 1}
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, maxDocument)
		scanner.Split(c.cut)
		for scanner.Scan() {
			if len(scanner.Bytes()) > 0 && !yield(passage{c.start, scanner.Bytes()}, nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(passage{}, fmt.Errorf("line %d: %w", c.line, explain(err)))
		}
	}
}

func explain(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("a document is longer than %d bytes: split the file at paragraphs or at a separator", maxDocument)
	}
	return err
}

// cutter is a bufio.SplitFunc that counts lines.
type cutter struct {
	split Split
	line  int // at the start of the text that is not cut yet
	start int // line of the latest passage
}

func (c *cutter) cut(data []byte, atEOF bool) (advance int, text []byte, err error) {
	if len(data) == 0 {
		return 0, nil, nil
	}
	end, advance := c.find(data)
	if advance == 0 && !atEOF {
		return 0, nil, nil
	}
	if advance == 0 {
		end, advance = len(data), len(data)
	}
	start := end - len(bytes.TrimLeft(data[:end], " \t\r\n"))
	c.start = c.line + bytes.Count(data[:start], []byte("\n"))
	c.line += bytes.Count(data[:advance], []byte("\n"))
	// The text must not be nil, even if empty: on a nil token at the end of the file a Scanner
	// drops the rest.
	return advance, data[start : start+len(bytes.TrimRight(data[start:end], " \t\r\n"))], nil
}

// find returns the end of the first document in data and the start of the next one, 0 if that
// is not in data.
func (c *cutter) find(data []byte) (end, next int) {
	switch c.split {
	case SplitNone, "":
		return 0, 0
	case SplitParagraphs:
		return findBlankLine(data)
	}
	if i := bytes.Index(data, []byte(c.split)); i >= 0 {
		return i, i + len(c.split)
	}
	return 0, 0
}

// findBlankLine finds a line of white space: "\n", blanks, "\n".
func findBlankLine(data []byte) (end, next int) {
	for from := 0; ; {
		i := bytes.IndexByte(data[from:], '\n')
		if i < 0 {
			return 0, 0
		}
		end = from + i
		from = end + 1
		blanks := len(data[from:]) - len(bytes.TrimLeft(data[from:], " \t\r"))
		if from+blanks < len(data) && data[from+blanks] == '\n' {
			return end, from + blanks + 1
		}
	}
}

// documents makes a document of each passage of a text file. A passage that is not UTF-8 goes
// to skip: an error if the user named the file, else skipped and counted.
func documents(r io.Reader, split Split, name string, skip func() error) iter.Seq2[table.Record, error] {
	return func(yield func(table.Record, error) bool) {
		for p, err := range passages(r, split) {
			if err == nil && !utf8.Valid(p.text) {
				if err = skip(); err == nil {
					continue
				}
				err = fmt.Errorf("line %d: %w", p.line+invalidLine(p.text), err)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&table.Document{Origin: table.Origin{Source: name}, Text: string(p.text)}, nil) {
				return
			}
		}
	}
}

// invalidLine returns the number of line breaks before the first byte that is not UTF-8.
func invalidLine(text []byte) int {
	lines := 0
	for len(text) > 0 {
		c, n := utf8.DecodeRune(text)
		if c == utf8.RuneError && n == 1 {
			return lines
		}
		if c == '\n' {
			lines++
		}
		text = text[n:]
	}
	return lines
}
