package format

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/herd-lm/herd/data/table"
)

// ImportSettings says how to read files. With the zero value, Import detects everything.
type ImportSettings struct {
	Format    Format     // of all files; "": detected from the name and first row of each
	Kind      table.Kind // of the rows to make; "": as the format decides
	Split     Split      // of text files into documents
	Limit     int        // rows to import; 0 for all
	Overwrite bool       // replace an existing destination
	Ignore    []string   // keys of rows and messages to leave out

	// Map gives columns the names that the formats know: {"solution": "completion"}.
	Map map[string]string
}

// Report describes an import.
type Report struct {
	Kind    table.Kind
	Rows    int
	Files   []FileReport
	Skipped int            // files and passages in folders that are not text
	Left    map[string]int // rows left out, by reason: "ties"
	Kept    []string       // keys of rows that became meta columns

	// References are those of them that hold the right answer to a prompt, for a checker.
	References []string
	Dropped    map[string]int // keys that no table keeps, with the number of their values: "messages.timestamp"
}

// FileReport describes the import of one file.
type FileReport struct {
	Path   string
	Format Format
	Rows   int
}

// String formats the report with one line per file.
func (r Report) String() string {
	var b strings.Builder
	for _, f := range r.Files {
		fmt.Fprintf(&b, "%8d  %-20s  %s\n", f.Rows, f.Format, f.Path)
	}
	fmt.Fprintf(&b, "%8d  %s\n", r.Rows, r.Kind)
	if r.Skipped > 0 {
		fmt.Fprintf(&b, "%8d  skipped: not text\n", r.Skipped)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Left)) {
		fmt.Fprintf(&b, "%8d  left out: %s\n", r.Left[reason], reason)
	}
	if len(r.Kept) > 0 {
		fmt.Fprintf(&b, "%8s  kept as meta: %s\n", "", strings.Join(r.Kept, ", "))
	}
	for _, key := range r.References {
		fmt.Fprintf(&b, "%8s  %s is the reference of each prompt, not to learn from (format qa: the answer of each chat)\n", "", key)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Dropped)) {
		fmt.Fprintf(&b, "%8d  values not kept: %s\n", r.Dropped[key], key)
	}
	return b.String()
}

// Import makes the table dst from files in any of the formats, including gzip files and the
// files in folders. It reads and writes row by row. All files must give the same kind of row.
// If you name a file, a row that cannot be converted is an error with file, line and key. In
// folders, Import skips and counts files that are not text. After an error dst is unchanged.
//
// Keys of JSON rows that a format does not use become meta columns. Text must be UTF-8; escaped
// halves of surrogate pairs ("\ud800") become U+FFFD.
func Import(dst string, srcs []string, s ImportSettings) (Report, error) {
	if _, err := os.Lstat(dst); err == nil && !s.Overwrite {
		return Report{}, &Exists{dst}
	}
	sources, err := findSources(srcs)
	if err != nil {
		return Report{}, err
	}
	run := importRun{dst: dst, settings: s, reading: &reading{format: s.Format, kind: s.Kind, ignore: s.Ignore}}
	defer run.abort()
	for _, src := range sources {
		if err := run.file(src); err != nil {
			return run.report, err
		}
		if run.full() {
			break
		}
	}
	run.report.Dropped, run.report.Kept = run.reading.dropped, slices.Sorted(maps.Keys(run.reading.kept))
	run.report.References = run.references()
	return run.report, run.finish(srcs)
}

// references returns the meta columns of prompts with the right answer.
func (run *importRun) references() (keys []string) {
	isPrompts := func(f FileReport) bool { return f.Format == Prompts }
	if !slices.ContainsFunc(run.report.Files, isPrompts) {
		return nil
	}
	for _, key := range run.report.Kept {
		if slices.Contains(referenceKeys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Exists reports that there is already a file where a table is to be written.
type Exists struct{ Path string }

func (e *Exists) Error() string { return e.Path + " exists: choose another path" }

// importRun is one call of Import.
type importRun struct {
	dst      string
	settings ImportSettings
	reading  *reading
	out      table.AnyWriter // nil before the first row
	report   Report
}

func (run *importRun) file(src source) error {
	in, err := src.open()
	if err != nil {
		return err
	}
	defer in.Close()
	if binary, err := in.isBinary(); binary || err != nil {
		return src.wrap(cmp.Or(err, run.skip(src, errors.New("is not a text file"))))
	}
	var format Format
	rows := run.records(&format, src, in)
	before := run.report.Rows
	for row, err := range rows {
		if err == nil {
			err = run.begin(row.RowKind())
		}
		if err != nil {
			return src.wrap(err)
		}
		if err := run.out.WriteRecord(row); err != nil {
			return err
		}
		run.report.Rows++
		if run.full() {
			break
		}
	}
	run.report.Files = append(run.report.Files, FileReport{src.path, format, run.report.Rows - before})
	return nil
}

// convert converts a row. The first row decides the converter.
func (run *importRun) convert(conv *converter, row jsonRow, source string) (table.Record, error) {
	o, err := run.reading.parseObject(row.raw)
	if err == nil && conv.convert == nil {
		err = run.checkMap(o)
	}
	if err == nil {
		err = o.rename(run.settings.Map)
	}
	if err == nil && conv.convert == nil {
		*conv, err = findConverter(o, run.settings.Format, run.settings.Kind)
	}
	var rec table.Record
	if err == nil {
		rec, err = conv.row(o, source)
	}
	if err != nil {
		return nil, fmt.Errorf("%v: %w", row.place, err)
	}
	if o.skip != "" {
		run.leave(o.skip)
		return nil, nil
	}
	return rec, nil
}

// checkMap returns an error for a column to be mapped that the first row lacks.
func (run *importRun) checkMap(o *object) error {
	for column := range run.settings.Map {
		if _, ok := o.keys[column]; !ok {
			return fmt.Errorf("map: there is no column %q, the columns are %s", column, o.keyNames())
		}
	}
	return nil
}

// leave counts a row that is left out.
func (run *importRun) leave(reason string) {
	if run.report.Left == nil {
		run.report.Left = map[string]int{}
	}
	run.report.Left[reason]++
}

// skip counts a file in a folder that is not text. If the user named the file, it returns why
// instead.
func (run *importRun) skip(src source, why error) error {
	if !src.folder {
		return why
	}
	run.report.Skipped++
	return nil
}

// begin creates the table for the kind of the first row, and refuses rows of another kind.
func (run *importRun) begin(kind table.Kind) error {
	if want := run.settings.Kind; want != "" && kind != want {
		return fmt.Errorf("gives %s, expected %s", kind, want)
	}
	if run.out != nil && kind != run.report.Kind {
		return fmt.Errorf("gives %s, but the files before it gave %s", kind, run.report.Kind)
	}
	if run.out != nil {
		return nil
	}
	out, err := table.CreateAny(kind, run.dst, table.Header{Stage: "import"})
	if err == nil {
		run.out, run.report.Kind = out, kind
	}
	return err
}

func (run *importRun) full() bool {
	return run.settings.Limit > 0 && run.report.Rows >= run.settings.Limit
}

func (run *importRun) finish(srcs []string) error {
	if run.out == nil {
		return fmt.Errorf("no rows in %s", strings.Join(srcs, ", "))
	}
	return run.out.Close()
}

func (run *importRun) abort() {
	if run.out != nil {
		run.out.Abort()
	}
}
