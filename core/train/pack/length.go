package pack

import "fmt"

// What a stage does with rows that are too long.
const (
	Refuse   = "error"    // return an error that names the row
	Skip     = "skip"     // leave the row out
	Truncate = "truncate" // keep the first tokens
)

// Limit bounds the length of rows: of a prompt with each of its responses. Apply takes a MaxTokens
// of 0 as no limit; Validate refuses it.
type Limit struct {
	MaxTokens int    `yaml:"max_tokens"` // maximum length of a prompt plus its longest response, in tokens
	TooLong   string `yaml:"too_long"`   // what to do with rows longer than max_tokens: error, skip or truncate
}

// Validate returns an error for the first invalid setting, by its YAML name.
func (l Limit) Validate() error {
	if l.MaxTokens <= 1 {
		return fmt.Errorf("max_tokens is %d, expected more than 1", l.MaxTokens)
	}
	if l.TooLong != Refuse && l.TooLong != Skip && l.TooLong != Truncate {
		return fmt.Errorf("too_long is %q, expected %s, %s or %s", l.TooLong, Refuse, Skip, Truncate)
	}
	return nil
}

// Apply returns the examples that are within the limit, cut to it if TooLong is Truncate. long
// is the number of examples that exceeded the limit. Apply leaves out an example whose cut
// leaves no target.
func (l Limit) Apply(examples []Example) (kept []Example, long int, err error) {
	for _, e := range examples {
		if n := e.longest(); l.MaxTokens > 0 && n > l.MaxTokens {
			long++
			switch l.TooLong {
			case Refuse:
				return nil, long, fmt.Errorf("row %s has %d tokens, max_tokens is %d: raise it, or set too_long to %s or %s", e.Row, n, l.MaxTokens, Skip, Truncate)
			case Skip:
				continue
			}
			if e = e.truncate(l.MaxTokens); e.Targets()+e.Values() == 0 {
				continue
			}
		}
		kept = append(kept, e)
	}
	return kept, long, nil
}

func (e Example) longest() int {
	n := 0
	for _, r := range e.Responses {
		n = max(n, len(r.IDs))
	}
	return len(e.Prompt.IDs) + n
}

// truncate cuts the responses, or the prompt if there are none, after n tokens of the row. If
// the prompt leaves no room for a token of a response, there is nothing to compare, and the row
// keeps nothing.
func (e Example) truncate(n int) Example {
	if len(e.Responses) == 0 {
		e.Prompt = e.Prompt.first(n)
		if e.Prompt.Weight != nil {
			e.Norm = sum(e.Prompt.Weight[1:])
		}
		return e
	}
	room := n - len(e.Prompt.IDs)
	if room <= 0 {
		return Example{Row: e.Row}
	}
	cut := make([]Run, len(e.Responses))
	for i, r := range e.Responses {
		cut[i] = r.first(min(room, len(r.IDs)))
	}
	e.Responses = cut
	return e
}

func (r Run) first(n int) Run {
	r.IDs = r.IDs[:n]
	if r.Weight != nil {
		r.Weight = r.Weight[:n]
	}
	if r.SeqWeight != nil {
		r.SeqWeight = r.SeqWeight[:n]
	}
	return r
}

func sum(x []float32) (s float64) {
	for _, v := range x {
		s += float64(v)
	}
	return s
}
