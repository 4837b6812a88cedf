package format

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// csvRows yields the rows of a file with columns as JSON objects of texts. The first line names
// the columns. Empty cells are null. If it yields an error, which says where, it stops.
func csvRows(in io.Reader, delimiter rune) iter.Seq2[jsonRow, error] {
	return func(yield func(jsonRow, error) bool) {
		r := csv.NewReader(in)
		r.Comma, r.ReuseRecord = delimiter, true
		columns, err := csvHeader(r)
		if err != nil {
			yield(jsonRow{}, err)
			return
		}
		for row := 1; ; row++ {
			cells, err := r.Read()
			if err == io.EOF {
				return
			}
			line := 0
			if len(cells) > 0 {
				line, _ = r.FieldPos(0)
			}
			at := jsonRow{place: place{line, row}}
			if err == nil {
				at.raw, err = csvObject(columns, cells)
			}
			if err != nil {
				err = fmt.Errorf("line %d: %w", lineOfCSV(err, line), unwrapCSV(err))
			}
			if !yield(at, err) || err != nil {
				return
			}
		}
	}
}

// csvHeader reads the names of the columns.
func csvHeader(r *csv.Reader) ([]string, error) {
	header, err := r.Read()
	if err == io.EOF {
		return nil, errors.New("is empty: the first line must name the columns")
	}
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", lineOfCSV(err, 1), unwrapCSV(err))
	}
	columns := make([]string, len(header))
	seen := map[string]bool{}
	for i, name := range header {
		name = strings.TrimSpace(name)
		if name == "" || seen[name] {
			return nil, fmt.Errorf("line 1: column %d is named %q, expected a name of its own: the first line must name the columns", i+1, name)
		}
		seen[name], columns[i] = true, name
	}
	return columns, nil
}

// csvObject returns a row as a JSON object with the columns in their order.
func csvObject(columns, cells []string) (json.RawMessage, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			return nil, errors.New("the row is not valid UTF-8")
		}
		if i > 0 {
			b.WriteByte(',')
		}
		var value any // null
		if cell != "" {
			value = cell
		}
		if err := writeMember(&b, columns[i], value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// writeMember appends "name": value to an object.
func writeMember(b *bytes.Buffer, name string, value any) error {
	key, err := json.Marshal(name)
	if err != nil {
		return err
	}
	v, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("column %s: %w", name, err)
	}
	b.Write(key)
	b.WriteByte(':')
	b.Write(v)
	return nil
}

func lineOfCSV(err error, line int) int {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return p.StartLine
	}
	return line
}

// unwrapCSV returns what is wrong, without the line, which the caller says.
func unwrapCSV(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// csvDelimiter returns what separates the columns: by the file's name a tab, else the semicolon or
// comma that the first line has more of.
func csvDelimiter(name, head string) rune {
	line, _, _ := strings.Cut(head, "\n")
	switch {
	case strings.HasSuffix(name, ".tsv") || strings.HasSuffix(name, ".tab"):
		return '\t'
	case strings.Count(line, ";") > strings.Count(line, ","):
		return ';'
	}
	return ','
}
