package rejection

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/data/table"
)

// store holds the samples: the parts of an unfinished run, OUT/parts/*.arrow, and the table of a
// finished one. herd writes a part once, as a whole, and never changes it. Its rows hold some of
// the responses to a prompt, with their scores. All parts have the digest of one identity.
type store struct {
	dir    string
	header table.Header // of the parts that are written, if they are scored
	parts  []part
	next   int // number of the next part
}

type part struct {
	path    string
	surplus bool // holds responses that the run does not need
}

// location is where a response is stored.
type location struct {
	part, row, at int32 // row of the part, candidate of the row
	scored        bool  // by the judge of this run
}

// catalog has the location of the k-th response to each prompt, [prompts][samples]; nil: there
// is none yet.
type catalog [][]*location

func newCatalog(prompts, samples int) catalog {
	s := make(catalog, prompts)
	for i := range s {
		s[i] = make([]*location, samples)
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

// index returns the catalog of the prompts, and calls each for every response that
// it has. Of a response that is stored twice it takes one that is scored.
func (s *store) index(prompts []prompt, samples int, each func(i int, c table.Candidate, scored bool)) (catalog, error) {
	number := make(map[string]int, len(prompts))
	for i, p := range prompts {
		number[p.key()] = i
	}
	found := newCatalog(len(prompts), samples)
	for n := range s.parts {
		if err := s.indexPart(n, prompts, number, found, each); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s *store) indexPart(n int, prompts []prompt, number map[string]int, found catalog, each func(int, table.Candidate, bool)) error {
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
				*there = &location{int32(n), row, int32(at), scored}
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

// keepSurplus moves the samples of a finished run to a part if there are more than this run needs,
// so that later runs can use them again.
func (s *store) keepSurplus() error {
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

// clear removes the parts whose samples are all in the tables now. It keeps parts with more
// samples.
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
