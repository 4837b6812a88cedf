package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"

	"github.com/herd-lm/herd/data/table"
)

// container says how a file holds its rows.
type container int

const (
	asText    container = iota // documents
	asJSON                     // JSON or JSONL
	asCSV                      // columns of text
	asArrow                    // an Arrow file or stream of another program
	asParquet                  // a Parquet file
	asTable                    // one of herd's own tables
	unusable                   // a format that herd knows and does not import
)

// container detects the container of a file from its first bytes and its name.
func (s source) container(in *sourceReader) (container, error) {
	head, _ := in.Peek(512)
	switch ext := filepath.Ext(s.plainName()); {
	case bytes.HasPrefix(head, arrowFile):
		if isHerdTable(s.path) {
			return asTable, nil
		}
		return asArrow, nil
	case bytes.HasPrefix(head, arrowStream):
		return asArrow, nil
	case bytes.HasPrefix(head, parquetFile):
		return asParquet, nil
	case bytes.HasPrefix(head, []byte("WARC/")), ext == ".warc", ext == ".wet":
		return unusable, errors.New("is a WARC file: herd does not extract text from web pages yet, and its raw content is no text to learn; name the format text to import it as it is")
	case isHTML(head), ext == ".html", ext == ".htm", ext == ".xhtml":
		return unusable, errors.New("is an HTML page: herd does not extract text from web pages yet; name the format text to import it as it is")
	case ext == ".csv", ext == ".tsv", ext == ".tab":
		return asCSV, nil
	case s.isJSON() || beginsWithObject(head):
		return asJSON, nil
	}
	return asText, nil
}

// isHTML reports whether a file begins as a page does. Comments and declarations may come first.
func isHTML(head []byte) bool {
	lower := strings.ToLower(strings.TrimSpace(string(head)))
	return strings.HasPrefix(lower, "<") && (strings.Contains(lower, "<!doctype html") || strings.Contains(lower, "<html"))
}

// beginsWithObject reports whether a file begins with a JSON object on a line of its own, or with
// the beginning of a long one, whatever the file is called.
func beginsWithObject(head []byte) bool {
	line, _, whole := bytes.Cut(bytes.TrimSpace(head), []byte("\n"))
	return bytes.HasPrefix(line, []byte(`{"`)) && (!whole || json.Valid(bytes.TrimSpace(line)))
}

// plainName returns the file's name in lower case, without the ending of a compressed file.
func (s source) plainName() string {
	name := strings.ToLower(s.path)
	if ext := filepath.Ext(name); ext == ".gz" || ext == ".zst" || ext == ".zstd" {
		name = strings.TrimSuffix(name, ext)
	}
	return name
}

// objects yields the rows of a file as JSON objects.
func (s source) objects(kind container, in *sourceReader) iter.Seq2[jsonRow, error] {
	switch kind {
	case asCSV:
		head, _ := in.Peek(4096)
		return csvRows(in, csvDelimiter(s.plainName(), string(head)))
	case asParquet:
		return parquetRows(in.file)
	case asArrow:
		return arrowRows(func() (batches, error) {
			if head, _ := in.Peek(len(arrowFile)); bytes.HasPrefix(head, arrowFile) {
				return openArrowFile(in.file)
			}
			return openArrowStream(in)
		})
	}
	return jsonRows(in)
}

// records yields the rows of a file, and sets format once it is known.
func (run *importRun) records(format *Format, src source, in *sourceReader) iter.Seq2[table.Record, error] {
	failed := func(err error) iter.Seq2[table.Record, error] {
		return func(yield func(table.Record, error) bool) { yield(nil, err) }
	}
	kind, err := src.container(in)
	if run.settings.Format == Text {
		kind, err = asText, nil
	}
	if kind == asText && run.settings.Format != "" && run.settings.Format != Text {
		kind = asJSON // whatever the file is called
	}
	switch {
	case err != nil && src.folder:
		run.report.Skipped++
		return func(func(table.Record, error) bool) {}
	case err != nil:
		return failed(err)
	case kind == asText:
		*format = Text
		return documents(in, run.settings.Split, src.name, func() error {
			return run.skip(src, errors.New("is not valid UTF-8"))
		})
	case kind == asTable:
		*format = Herd
		rows, err := tableRows(src.path)
		if err != nil {
			return failed(err)
		}
		return rows
	}
	return run.converted(format, src, src.objects(kind, in))
}

// converted yields the rows that the converter makes of objects.
func (run *importRun) converted(format *Format, src source, objects iter.Seq2[jsonRow, error]) iter.Seq2[table.Record, error] {
	return func(yield func(table.Record, error) bool) {
		var conv converter
		for row, err := range objects {
			var rec table.Record
			if err == nil {
				rec, err = run.convert(&conv, row, src.name)
				*format = conv.format
			}
			if rec == nil && err == nil {
				continue // left out
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// rename gives columns the names that the converters know, as the user maps them.
func (o *object) rename(names map[string]string) error {
	taken := make(map[string]json.RawMessage, len(names))
	for column := range names { // all before any is named: columns may change places
		if v, ok := o.keys[column]; ok {
			taken[column] = v
			delete(o.keys, column)
		}
	}
	for column, v := range taken {
		field := names[column]
		if other, there := o.keys[field]; there && !isEmpty(other) {
			return fmt.Errorf("map: %s is to be %s, but the row has a column of that name", column, field)
		}
		o.keys[field] = v
	}
	return nil
}
