package pack

import (
	"fmt"
	"strings"
)

// Count says what became of the rows of a stage's tables. Every row is used or counted by the
// reason why it is not.
type Count struct {
	Rows    int `json:"rows"`               // read from the tables
	Used    int `json:"used"`               // rows that the model learns from, of them:
	Cut     int `json:"cut,omitempty"`      // truncated to the limit
	Long    int `json:"too_long,omitempty"` // skipped: longer than the limit
	Empty   int `json:"empty,omitempty"`    // skipped: no token of theirs counts
	Alike   int `json:"alike,omitempty"`    // skipped: the responses of a pair are the same
	LeftOut int `json:"left_out,omitempty"` // by a setting of the stage, such as min_strength

	limit int // tokens
}

// add adds the fate of one row: made are the examples that the stage made of it, kept those that
// remain.
func (c *Count) add(f fate, kept int) {
	c.Rows++
	switch {
	case kept > 0:
		c.Used++
		if f.cut {
			c.Cut++
		}
	case f.long:
		c.Long++
	case f.alike:
		c.Alike++
	case f.made > 0:
		c.Empty++
	default:
		c.LeftOut++
	}
}

// Lost returns how many rows were read and are not used, except those that a setting left out.
func (c Count) Lost() int { return c.Long + c.Empty + c.Alike }

// Notable reports whether the count says more than that all rows are used as they are.
func (c Count) Notable() bool { return c.Used < c.Rows || c.Cut > 0 }

// Heavy reports whether more than a tenth of the rows is lost.
func (c Count) Heavy() bool { return 10*c.Lost() > c.Rows }

// String formats the count: "300 rows: 21 used, 279 longer than 512 tokens skipped".
func (c Count) String() string {
	parts := []string{fmt.Sprintf("%d used", c.Used)}
	for _, p := range []struct {
		n    int
		what string
	}{
		{c.Cut, fmt.Sprintf("of them cut to %d tokens", c.limit)},
		{c.Long, fmt.Sprintf("longer than %d tokens skipped", c.limit)},
		{c.Alike, "with equal responses skipped"},
		{c.Empty, "with nothing to learn skipped"},
		{c.LeftOut, "left out by a setting"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return fmt.Sprintf("%d rows: %s", c.Rows, strings.Join(parts, ", "))
}

// fate is what Limit.Apply does to the examples of one row.
type fate struct {
	made             int // examples
	cut, long, alike bool
}
