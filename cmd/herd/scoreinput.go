package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/format"
	"github.com/herd-lm/herd/data/table"
)

// openScoreRows opens a table, or a file of JSON lines.
func openScoreRows(path string, l *layout) (scoreRows, error) {
	if path != "-" {
		rows, err := table.OpenAny(path)
		if err == nil {
			next, stop := iter.Pull2(rows.Records(0))
			return &tableRows{layout: l, path: path, table: rows, pull: next, stop: stop}, nil
		}
		if !errors.Is(err, table.ErrNotArrow) && !errors.Is(err, table.ErrEmpty) {
			return nil, err
		}
	}
	r, err := openInput(path)
	if err != nil {
		return nil, err
	}
	return newLineRows(l, inputName(path), r), nil
}

// tableRows gives the rows of a table.
type tableRows struct {
	*layout
	path  string
	table table.AnyReader
	pull  func() (table.Record, error, bool)
	stop  func()
	id    string
}

func (t *tableRows) next() (scoreRow, error) {
	stored, err, ok := t.pull()
	switch {
	case !ok:
		return scoreRow{}, io.EOF
	case err != nil:
		return scoreRow{}, err
	}
	t.id = stored.RowOrigin().ID
	return t.row(stored)
}

func (t *tableRows) place() string { return fmt.Sprintf("%s row %s", t.path, t.id) }

func (t *tableRows) Close() error {
	t.stop()
	return t.table.Close()
}

const maxScoreLine = 64 << 20 // bytes

// lineRows gives the lines of a JSONL file.
type lineRows struct {
	*layout
	name  string
	file  io.Closer
	lines *bufio.Scanner
	line  int
}

func newLineRows(l *layout, name string, r io.ReadCloser) *lineRows {
	rows := &lineRows{layout: l, name: name, file: r, lines: bufio.NewScanner(r)}
	rows.lines.Buffer(nil, maxScoreLine)
	return rows
}

func (r *lineRows) next() (scoreRow, error) {
	if !r.lines.Scan() {
		return scoreRow{}, cmp.Or(r.lines.Err(), io.EOF)
	}
	r.line++
	return r.parse(r.lines.Bytes())
}

// parse lays out a line: tokens, a text, or a row that herd can import.
func (r *lineRows) parse(text []byte) (scoreRow, error) {
	var line struct {
		Tokens []token.ID `json:"tokens"`
		Text   *string    `json:"text"`
	}
	if err := json.Unmarshal(text, &line); err != nil {
		return scoreRow{}, err
	}
	switch {
	case line.Tokens != nil && line.Text != nil:
		return scoreRow{}, errors.New(`the line has both tokens and text, expected one of them`)
	case line.Tokens != nil:
		return r.tokens(line.Tokens)
	case line.Text != nil:
		return r.text("", *line.Text)
	}
	row, err := format.Row(text)
	if err != nil {
		return scoreRow{}, fmt.Errorf(`expected {"tokens": [...]}, {"text": "..."}, or a row that herd data import reads: %w`, err)
	}
	return r.row(row)
}

func (r *lineRows) place() string { return fmt.Sprintf("%s line %d", r.name, r.line) }
func (r *lineRows) Close() error  { return r.file.Close() }
