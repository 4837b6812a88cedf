package format

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/data/table"
)

func TestPassages(t *testing.T) {
	for _, c := range []struct {
		split Split
		text  string
		want  []string // with the line that each starts at
	}{
		{"", "\n a\n\nb \n", []string{"2: a\n\nb"}},
		{SplitNone, "a", []string{"1: a"}},
		{SplitParagraphs, "a\nb\n\nc\n \t\r\n\n\nd", []string{"1: a\nb", "4: c", "8: d"}},
		{SplitParagraphs, "\n\n  a\r\n\r\nb\n\n", []string{"3: a", "5: b"}},
		{"<|end|>", "a\n<|end|><|end|>\nb\n\nc<|end|>", []string{"1: a", "3: b\n\nc"}},
		{"0", "0|00|", []string{"1: |", "1: |"}},
		{SplitParagraphs, "", nil},
	} {
		for name, in := range map[string]io.Reader{
			"whole": strings.NewReader(c.text), "byte by byte": iotest.OneByteReader(strings.NewReader(c.text)),
		} {
			var got []string
			for p, err := range passages(in, c.split) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%d: %s", p.line, p.text))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%q split at %q, read %s (-want +got):\n%s", c.text, c.split, name, diff)
			}
		}
	}
}

func TestJSONRowPlaces(t *testing.T) {
	for _, text := range []string{
		"\n{\"a\": 1}\n\n{\"a\":\n2} {}\n",
		"\n[{\"a\": 1}\n,\n{\"a\":\n2}, {}]\n",
	} {
		for name, in := range map[string]io.Reader{
			"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)),
		} {
			var got []place
			for row, err := range jsonRows(in) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, row.place)
			}
			if diff := cmp.Diff([]place{{2, 1}, {4, 2}, {5, 3}}, got, cmp.AllowUnexported(place{})); diff != "" {
				t.Errorf("%q read %s (-want +got):\n%s", text, name, diff)
			}
		}
	}
}

// No text loses anything but separators and white space when it is split, and each passage
// reports its line.
func FuzzPassages(f *testing.F) {
	f.Add([]byte("a\n\nb\n \nc"), "paragraphs")
	f.Add([]byte("a|b||c\n|"), "|")
	f.Fuzz(func(t *testing.T, text []byte, split string) {
		if len(split) > 0 && strings.TrimSpace(split) == "" {
			return
		}
		lines := bytes.Split(text, []byte("\n"))
		kept := 0
		for p, err := range passages(bytes.NewReader(text), Split(split)) {
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := bytes.Cut(p.text, []byte("\n"))
			if p.line < 1 || p.line > len(lines) || !bytes.Contains(lines[p.line-1], bytes.TrimRight(first, " \t\r")) {
				t.Fatalf("%q is not in line %d of %q", first, p.line, text)
			}
			kept += len(onlyInk(p.text))
		}
		all := text
		if split != "" && split != string(SplitNone) && split != string(SplitParagraphs) {
			all = bytes.ReplaceAll(text, []byte(split), nil)
		}
		if want := len(onlyInk(all)); kept != want {
			t.Errorf("%q split at %q: %d bytes kept, want %d", text, split, kept, want)
		}
	})
}

func onlyInk(text []byte) (ink []byte) {
	for _, c := range text {
		if !strings.ContainsRune(" \t\r\n", rune(c)) {
			ink = append(ink, c)
		}
	}
	return ink
}

// Any JSON gives rows that a table can hold, or an error that says where.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}`,
		`[{"conversations": [{"from": "human", "value": "a"}], "chosen": {"from": "gpt", "value": "b"}, "rejected": "c"}]`,
		`{"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"}`,
		`{"instruction": "a", "history": [["b", "c"]], "output": "d", "x": {"y": null}}` + "\n" + `{"instruction": 1}`,
		`{"id": "1", "prompt": [], "candidates": [{"text": "a", "logprob": 0, "finish": "", "seed": 1}]}`,
		`{"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}`,
		`{"text": "a", "strength": 1e300, "id": -1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var run importRun
		var conv converter
		for row, err := range jsonRows(bytes.NewReader(text)) {
			var rec table.Record
			if err == nil {
				rec, err = run.convert(&conv, row, "fuzz")
			}
			if err != nil {
				if !strings.HasPrefix(err.Error(), "line ") {
					t.Errorf("an error that does not say where: %v", err)
				}
				return
			}
			if err := rec.Check(); err != nil || len(table.RecordID(rec)) != 32 {
				t.Errorf("a row that a table cannot hold: %v", err)
			}
		}
	})
}
