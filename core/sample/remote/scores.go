package remote

import (
	"encoding/json"
	"fmt"
)

// scored is the JSON of /classify and /pooling, with one entry for each text.
type scored struct {
	Data []struct {
		Index int             `json:"index"`
		Probs []*float64      `json:"probs"` // /classify: one for each label
		Data  json.RawMessage `json:"data"`  // /pooling
	} `json:"data"`
	Error json.RawMessage `json:"error"`
}

// read sets scores from the JSON of an answer.
func (r *Reward) read(text []byte, scores []float64) error {
	var a scored
	if err := json.Unmarshal(text, &a); err != nil {
		return fmt.Errorf("it is not a JSON object with scores: %w", err)
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
			return fmt.Errorf("it has index %d twice, or more than %d texts", d.Index, len(scores))
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

// pooled reads the outputs for a text: one list, or a list for each token. Of these the
// last one counts, as in a model that scores where the answer ends.
func pooled(raw json.RawMessage) ([]*float64, error) {
	var flat []*float64
	if json.Unmarshal(raw, &flat) == nil {
		return flat, nil
	}
	var rows [][]*float64
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, permanent("its data is neither a list of numbers nor a list of such lists")
	}
	return rows[len(rows)-1], nil
}

// pick returns the output that is the score.
func (r *Reward) pick(values []*float64) (float64, error) {
	label := 0
	switch {
	case r.settings.Label != nil:
		label = *r.settings.Label
	case len(values) > 1:
		return 0, permanent("it has %d outputs: set label to the index of the score, and check that the model is a reward model", len(values))
	}
	if label >= len(values) || values[label] == nil {
		return 0, permanent("it has %d outputs, and no output %d", len(values), label)
	}
	return *values[label], nil
}
