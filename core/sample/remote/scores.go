package remote

import (
	"encoding/json"
	"fmt"
)

// scored is what /classify and /pooling give, one entry for each text.
type scored struct {
	Data []struct {
		Index int             `json:"index"`
		Probs []*float64      `json:"probs"` // /classify: one for each label
		Data  json.RawMessage `json:"data"`  // /pooling
	} `json:"data"`
	Error json.RawMessage `json:"error"`
}

// read sets scores from an answer.
func (r *Reward) read(text []byte, scores []float64) error {
	var a scored
	if err := json.Unmarshal(text, &a); err != nil {
		return fmt.Errorf("it is no JSON of scores: %w", err)
	}
	if said := messageOf(a.Error); said != "" {
		return fmt.Errorf("it is an error: %s", said)
	}
	if len(a.Data) != len(scores) {
		return fmt.Errorf("it has %d scores for %d texts", len(a.Data), len(scores))
	}
	seen := make([]bool, len(scores))
	for _, d := range a.Data {
		if d.Index < 0 || d.Index >= len(scores) || seen[d.Index] {
			return fmt.Errorf("there is an index %d twice or too much, of %d texts", d.Index, len(scores))
		}
		seen[d.Index] = true
		values := d.Probs
		if values == nil {
			var err error
			if values, err = pooled(d.Data); err != nil {
				return fmt.Errorf("text %d: %w", d.Index, err)
			}
		}
		score, err := r.pick(values)
		if err != nil {
			return fmt.Errorf("text %d: %w", d.Index, err)
		}
		scores[d.Index] = score
	}
	return nil
}

// pooled reads the outputs for a text: one list, or a list for each token, of which the
// last token's counts, as in a model that is scored where the answer ends.
func pooled(raw json.RawMessage) ([]*float64, error) {
	var flat []*float64
	if json.Unmarshal(raw, &flat) == nil {
		return flat, nil
	}
	var rows [][]*float64
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, hopeless("its data is no list of numbers, nor of lists of these")
	}
	return rows[len(rows)-1], nil
}

// pick chooses the score among the outputs for a text.
func (r *Reward) pick(values []*float64) (float64, error) {
	label := 0
	switch {
	case r.settings.Label != nil:
		label = *r.settings.Label
	case len(values) > 1:
		return 0, hopeless("it has %d outputs: say with label which is the score, and whether the model is a reward model", len(values))
	}
	if label >= len(values) || values[label] == nil {
		return 0, hopeless("it has %d outputs, and none that is number %d", len(values), label)
	}
	return *values[label], nil
}
