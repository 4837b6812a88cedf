package rejection

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/herd-lm/herd/data/table"
)

// A store is what was drawn: the parts of an unfinished run, OUT/parts/*.arrow, and
// the samples of a finished one. A part is written once, as a whole, and never
// changed; its rows hold some of the responses to a prompt, and their scores. All
// parts have the digest of one identity.
type store struct {
	dir    string
	header table.Header // of the parts that are written, if they are scored
	parts  []part
	next   int // number of the next part
}

type part struct {
	path    string
	surplus bool // holds responses that the run has no use for
}

// place is where a response is stored.
type place struct {
	part, row, at int32 // row of the part, candidate of the row
	scored        bool  // by what scores in this run
}

// shelf tells where the k-th response to each prompt is, [prompts][samples]; nil:
// nowhere.
type shelf [][]*place

func newShelf(prompts, samples int) shelf {
	s := make(shelf, prompts)
	for i := range s {
		s[i] = make([]*place, samples)
	}
	return s
}

func partsDir(dir string) string { return filepath.Join(dir, "parts") }

// openStore lists what dir holds.
func openStore(dir string, h table.Header) (*store, error) {
	paths, err := filepath.Glob(filepath.Join(partsDir(dir), "*.arrow"))
	if err != nil {
		return nil, err
	}
	s := &store{dir: dir, header: h}
	for _, path := range paths {
		n := 0
		if _, err := fmt.Sscanf(filepath.Base(path), "%d.arrow", &n); err != nil {
			return nil, fmt.Errorf("%s: is no part of a run: remove it", path)
		}
		s.next = max(s.next, n+1)
		s.parts = append(s.parts, part{path: path})
	}
	samples := filepath.Join(dir, SamplesFile)
	if _, err := os.Stat(samples); !errors.Is(err, fs.ErrNotExist) {
		s.parts = append(s.parts, part{path: samples})
	}
	return s, nil
}

// index returns the shelf of the prompts, and calls each for every response that
// it has. Of a response that is stored twice it takes one that is scored.
func (s *store) index(prompts []prompt, samples int, each func(i int, c table.Candidate, scored bool)) (shelf, error) {
	number := make(map[string]int, len(prompts))
	for i, p := range prompts {
		number[p.key()] = i
	}
	found := newShelf(len(prompts), samples)
	for n := range s.parts {
		if err := s.indexPart(n, prompts, number, found, each); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s *store) indexPart(n int, prompts []prompt, number map[string]int, found shelf, each func(int, table.Candidate, bool)) error {
	p := &s.parts[n]
	table, err := table.Open[table.Sample](p.path)
	if err != nil {
		return fmt.Errorf("%w: remove it, and its samples are drawn again", err)
	}
	defer table.Close()
	digests := table.Header().Digests
	if digests.Sampling != s.header.Digests.Sampling {
		return fmt.Errorf("%s was drawn with another model or other settings: choose another directory, or overwrite this one", p.path)
	}
	row := int32(-1)
	for stored, err := range table.Rows() {
		if err != nil {
			return fmt.Errorf("%w: remove it, and its samples are drawn again", err)
		}
		row++
		i, known := number[keyOf(stored)]
		if !known {
			p.surplus = true
			continue
		}
		scored := digests.Scoring == s.header.Digests.Scoring && prompts[i].sameQuestion(stored)
		for at, c := range stored.Candidates {
			if c.K >= len(found[i]) {
				p.surplus = true
				continue
			}
			if there := &found[i][c.K]; *there == nil || scored && !(*there).scored {
				*there = &place{int32(n), row, int32(at), scored}
				each(i, c, scored)
			}
		}
	}
	return nil
}

// sameQuestion reports whether what a checker reads of a prompt is as it was.
func (p prompt) sameQuestion(row table.Sample) bool {
	return maps.Equal(p.Meta, row.Meta) && p.reference == row.Reference
}

// write adds a part and returns its number.
func (s *store) write(rows []table.Sample, scored bool) (int, error) {
	h := s.header
	if !scored {
		h.Digests.Scoring = ""
	}
	path := s.newPart()
	if err := table.WriteAll(path, h, rows); err != nil {
		return 0, err
	}
	s.parts = append(s.parts, part{path: path})
	return len(s.parts) - 1, nil
}

func (s *store) newPart() string {
	path := filepath.Join(partsDir(s.dir), fmt.Sprintf("%06d.arrow", s.next))
	s.next++
	return path
}

// setAside makes a part of the samples of a finished run if they hold more than the
// new ones will: what was drawn once is there for whoever wants it again.
func (s *store) setAside() error {
	for i, p := range s.parts {
		if p.surplus && filepath.Dir(p.path) == filepath.Clean(s.dir) {
			path := s.newPart()
			if err := os.Rename(p.path, path); err != nil {
				return err
			}
			s.parts[i].path = path
		}
	}
	return nil
}

// clear removes the parts, all of whose samples are now in the tables, but for
// those with more.
func (s *store) clear() error {
	var errs []error
	surplus := false
	for _, p := range s.parts {
		surplus = surplus || p.surplus
		if inside := filepath.Dir(p.path) == partsDir(s.dir); inside && !p.surplus {
			errs = append(errs, os.Remove(p.path))
		}
	}
	if !surplus {
		errs = append(errs, os.RemoveAll(partsDir(s.dir)))
	}
	return errors.Join(errs...)
}

// sweep removes the files that a process which was killed was writing.
func sweep(dir string) error {
	var errs []error
	for _, pattern := range []string{
		filepath.Join(partsDir(dir), ".*"),
		filepath.Join(dir, ".samples.*"), filepath.Join(dir, ".chats.*"), filepath.Join(dir, ".preferences.*"),
		filepath.Join(dir, ".report.*"), filepath.Join(dir, ".herd.json.*"),
	} {
		left, err := filepath.Glob(pattern)
		errs = append(errs, err)
		for _, path := range left {
			errs = append(errs, os.Remove(path))
		}
	}
	return errors.Join(errs...)
}

// openTables is how many parts a reader has open at once.
const openTables = 32

// reader finds responses in the parts. Who asks for them in the order in which
// they are stored has each part read once.
type reader struct {
	parts []part
	open  []*cursor // the one used last comes last
}

// cursor is a part that is being read from front to back.
type cursor struct {
	part  int32
	at    int32 // number of the row that was read last; -1: none
	row   table.Sample
	table *table.Reader[table.Sample]
	next  func() (table.Sample, error, bool)
	stop  func()
}

// candidate returns the response at a place.
func (r *reader) candidate(p place) (table.Candidate, error) {
	c, err := r.cursor(p)
	if err != nil {
		return table.Candidate{}, err
	}
	for c.at < p.row {
		row, err, ok := c.next()
		if err == nil && !ok {
			err = fmt.Errorf("%s has become shorter", r.parts[p.part].path)
		}
		if err != nil {
			return table.Candidate{}, err
		}
		c.at, c.row = c.at+1, row
	}
	return c.row.Candidates[p.at], nil
}

// cursor returns one that has not passed the place.
func (r *reader) cursor(p place) (*cursor, error) {
	i := slices.IndexFunc(r.open, func(c *cursor) bool { return c.part == p.part })
	if i >= 0 && r.open[i].at <= p.row {
		c := r.open[i]
		r.open = append(slices.Delete(r.open, i, i+1), c)
		return c, nil
	}
	if i < 0 && len(r.open) >= openTables {
		i = 0
	}
	if i >= 0 {
		r.open[i].close()
		r.open = slices.Delete(r.open, i, i+1)
	}
	rows, err := table.Open[table.Sample](r.parts[p.part].path)
	if err != nil {
		return nil, err
	}
	c := &cursor{part: p.part, at: p.row - 1, table: rows}
	c.next, c.stop = iter.Pull2(rows.RowsFrom(int(p.row)))
	r.open = append(r.open, c)
	return c, nil
}

func (c *cursor) close() {
	c.stop()
	c.table.Close()
}

func (r *reader) close() {
	for _, c := range r.open {
		c.close()
	}
	r.open = nil
}
