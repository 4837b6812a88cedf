package pack

import (
	"errors"
	"fmt"
	"strings"
)

// Count says what became of the rows of a stage's tables. Every row is used or counted by the
// reason why it is not.
type Count struct {
	Rows    int `json:"rows"`               // read from the tables
	Used    int `json:"used"`               // rows that the model learns from, of them:
	Cut     int `json:"cut,omitempty"`      // truncated to the limit
	Partly  int `json:"partly,omitempty"`   // without text that the chat template leaves out
	Long    int `json:"too_long,omitempty"` // skipped: longer than the limit
	Empty   int `json:"empty,omitempty"`    // skipped: no token of theirs counts
	Alike   int `json:"alike,omitempty"`    // skipped: the responses of a pair are the same
	LeftOut int `json:"left_out,omitempty"` // by a setting of the stage, such as min_strength

	limit Limit
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
		if f.partly {
			c.Partly++
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
func (c Count) Notable() bool { return c.Used < c.Rows || c.Cut+c.Partly > 0 }

// Heavy reports whether more than a tenth of the rows is lost or cut.
func (c Count) Heavy() bool { return 10*(c.Lost()+c.Cut) > c.Rows }

// Nothing returns the error of tables that leave a stage nothing to learn from. It says why.
func (c Count) Nothing() error {
	switch c.Rows {
	case 0:
		return errors.New("there are no rows")
	case c.Long:
		if c.limit.TooLong == Truncate {
			return fmt.Errorf("the prompts of all %d rows leave no room for a token to learn within max_tokens %d: raise it", c.Rows, c.limit.MaxTokens)
		}
		return fmt.Errorf("all %d rows are longer than max_tokens %d: raise it, or set too_long to %s", c.Rows, c.limit.MaxTokens, Truncate)
	case c.Alike:
		return fmt.Errorf("all %d rows are pairs of equal responses", c.Rows)
	case c.Empty:
		return fmt.Errorf("none of %d rows has a token to learn", c.Rows)
	case c.LeftOut:
		return fmt.Errorf("a setting leaves out all %d rows", c.Rows)
	}
	return fmt.Errorf("there is nothing to learn from %v", c)
}

// String formats the count: "300 rows: 21 used, 279 longer than 512 tokens skipped".
func (c Count) String() string {
	parts := []string{fmt.Sprintf("%d used", c.Used)}
	for _, p := range []struct {
		n    int
		what string
	}{
		{c.Cut, fmt.Sprintf("of them cut to %d tokens", c.limit.MaxTokens)},
		{c.Partly, "of them without what the template leaves out"},
		{c.Long, fmt.Sprintf("longer than %d tokens skipped", c.limit.MaxTokens)},
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
	made                     int // examples
	cut, partly, long, alike bool
}
