package recipes

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/near"
	"github.com/herd-lm/herd/data/table"
)

// Part is a share of an import's rows. What a row says decides its part, whatever its id and its
// place in the files, so equal rows are always in the same part.
type Part struct {
	Name  string  `yaml:"name"`  // name of the table: data/NAME.arrow, or of a part: data/NAME-PART.arrow
	Share float64 `yaml:"share"` // share of the rows, 0 to 1; the shares add up to 1
}

// PartsBy says which rows must be in the same part.
type PartsBy string

const (
	ByContent PartsBy = "content" // equal rows
	ByPrompt  PartsBy = "prompt"  // rows with equal messages before the last answer
	ByNear    PartsBy = "near"    // near copies: of the prompt where the default is ByPrompt, else of the content
)

// UnmarshalText accepts the names of the constants, and nothing.
func (b *PartsBy) UnmarshalText(text []byte) error {
	if known := []PartsBy{"", ByContent, ByPrompt, ByNear}; !slices.Contains(known, PartsBy(text)) {
		return fmt.Errorf("parts_by is %q, expected %s, %s or %s", text, ByContent, ByPrompt, ByNear)
	}
	*b = PartsBy(text)
	return nil
}

func (m Import) validateParts() error {
	if len(m.Parts) == 0 && (m.PartsBy != "" || m.PartsSeed != 0) {
		return errors.New("parts_by and parts_seed need parts")
	}
	var sum float64
	var names []string
	for _, p := range m.Parts {
		switch {
		case p.Name == "" || !(p.Share > 0):
			return fmt.Errorf("part %q has share %g, expected a name and a positive share", p.Name, p.Share)
		case p.Name != filepath.Base(p.Name):
			return fmt.Errorf("part %q: the name must be that of a file without folder", p.Name)
		case slices.Contains(names, p.Name):
			return fmt.Errorf("two parts are called %q", p.Name)
		}
		names = append(names, p.Name)
		sum += p.Share
	}
	if len(m.Parts) > 0 && (sum < 0.999 || sum > 1.001) {
		return fmt.Errorf("the shares add up to %g, expected 1", sum)
	}
	return nil
}

// divide deals the rows of a table out to the parts.
func (m Import) divide(path string) error {
	from, err := table.OpenAny(path)
	if err != nil {
		return err
	}
	defer from.Close()
	key, err := m.partKey(from)
	if err != nil {
		return err
	}
	var parts []table.AnyWriter
	for _, p := range m.Parts {
		to := filepath.Join(filepath.Dir(path), m.Name+"-"+p.Name+".arrow")
		w, err := table.CreateAny(from.Header().Kind, to, table.Header{Stage: "import"}, from.Columns())
		if err != nil {
			return err
		}
		defer w.Abort() // does nothing after Close
		parts = append(parts, w)
	}
	n := 0
	for row, err := range from.Records(0) {
		if err != nil {
			return err
		}
		if err := parts[m.part(key(n, row))].WriteRecord(row); err != nil {
			return err
		}
		n++
	}
	for _, w := range parts {
		err = errors.Join(err, w.Close())
	}
	return err
}

// part returns the index of the part of all rows with the key.
func (m Import) part(key string) int {
	u := float64(xxh3.HashStringSeed(key, m.PartsSeed)>>11) / (1 << 53)
	for i, p := range m.Parts {
		if u -= p.Share; u < 0 {
			return i
		}
	}
	return len(m.Parts) - 1
}

// partKey returns a function of a row and its number in the table. The function returns the same
// text for all rows that must be in the same part.
func (m Import) partKey(from table.AnyReader) (key func(n int, row table.Record) string, err error) {
	kind := from.Header().Kind
	prompted := kind != table.Documents && kind != table.Chats
	switch {
	case m.PartsBy == ByPrompt && kind == table.Documents:
		return nil, errors.New("parts_by is prompt, but documents have no prompts")
	case m.PartsBy == ByNear:
		return nearKey(from, prompted)
	case m.PartsBy == ByPrompt, m.PartsBy == "" && prompted:
		return func(_ int, row table.Record) string { return table.PromptID(row) }, nil
	}
	return func(_ int, row table.Record) string { return table.RecordID(row) }, nil
}

// fewRows is a number of rows of which more than half may be near copies by chance.
const fewRows = 20

// nearKey reads the table once to find near copies. The key of a group is the least of its texts,
// so that the order of the rows does not count.
func nearKey(from table.AnyReader, prompted bool) (func(int, table.Record) string, error) {
	var groups near.Groups
	var texts []string
	for row, err := range from.Records(0) {
		if err != nil {
			return nil, err
		}
		text := textOf(row, prompted)
		groups.Add(text)
		texts = append(texts, hex128(near.Normalise(text)))
	}
	least, sizes := make(map[int]string), make(map[int]int)
	for n, text := range texts {
		first := groups.Of(n)
		if sizes[first]++; len(texts) >= fewRows && sizes[first] > len(texts)/2 {
			return nil, fmt.Errorf("parts_by is near, but more than half of the %d rows are near copies of each other, so they cannot be divided: do they share a long text? use content or prompt", len(texts))
		}
		if known, ok := least[first]; !ok || text < known {
			least[first] = text
		}
	}
	return func(n int, _ table.Record) string { return least[groups.Of(n)] }, nil
}

// hex128 stands for a text in memory.
func hex128(text string) string {
	sum := xxh3.HashString128(text).Bytes()
	return string(sum[:])
}

// textOf returns the text of a row, or of its prompt only.
func textOf(row table.Record, promptOnly bool) string {
	switch r := row.(type) {
	case *table.Document:
		return r.Text
	case *table.Chat:
		if !promptOnly {
			return contents(r.Messages)
		}
	}
	return contents(table.PromptOf(row))
}

func contents(messages []chat.Message) string {
	var texts []string
	for _, m := range messages {
		texts = append(texts, m.Content)
	}
	return strings.Join(texts, "\n")
}
