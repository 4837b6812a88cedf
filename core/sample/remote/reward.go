package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/sourcegraph/conc/pool"

	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// RewardSettings describe a reward model that vLLM serves (`vllm serve MODEL
// --runner pooling`, a ...ForSequenceClassification).
type RewardSettings struct {
	URL       string `yaml:"url"`                              // with /v1 or without
	Model     string `yaml:"model"`                            // the name by which the server knows it
	KeyEnv    string `yaml:"key_env" json:",omitempty"`        // environment variable that holds the key; empty: none is sent
	AllowHTTP bool   `yaml:"allow_http_key" json:",omitempty"` // send the key unencrypted to another machine
	Endpoint  string `yaml:"endpoint" json:",omitempty"`       // classify or pooling; empty: classify
	Input     Prompt `yaml:"input" json:",omitempty"`          // text or ids; empty: text
	Batch     int    `yaml:"batch" json:",omitempty"`          // texts in one request; 0: 16
	Label     *int   `yaml:"label" json:",omitempty"`          // which output is the score, of a model that has several
	Task      string `yaml:"task" json:",omitempty"`           // of /pooling: classify or token_classify; empty: the model's

	// Raw is the field that is sent as false, so that scores come without sigmoid or
	// softmax: use_activation if empty; activation or softmax for old releases of vLLM
	// (0.15 has neither). Only one is sent: some releases that know all three
	// take an old one for true whatever it says (vllm/config/pooler.py, get_use_activation).
	Raw string `yaml:"raw_field" json:",omitempty"`

	Limits `yaml:",inline"`
}

// Validate reports the first setting that makes no sense, by its YAML name.
func (s RewardSettings) Validate() error {
	switch {
	case s.Endpoint != "" && s.Endpoint != "classify" && s.Endpoint != "pooling":
		return fmt.Errorf("endpoint is %q, expected classify or pooling", s.Endpoint)
	case s.Input != "" && s.Input != Text && s.Input != IDs:
		return fmt.Errorf("input is %q, expected text or ids", s.Input)
	case s.Raw != "" && s.Raw != "use_activation" && s.Raw != "activation" && s.Raw != "softmax":
		return fmt.Errorf("raw_field is %q, expected use_activation, activation or softmax", s.Raw)
	case s.Batch < 0:
		return fmt.Errorf("batch is %d, expected 1 or more", s.Batch)
	case s.Label != nil && *s.Label < 0:
		return fmt.Errorf("label is %d, expected 0 or more", *s.Label)
	}
	_, err := s.address().parse()
	return cmp.Or(err, s.Limits.validate())
}

func (s RewardSettings) address() address {
	return address{s.URL, s.Model, s.KeyEnv, s.AllowHTTP}
}

// Reward takes scores from a server. Any number of goroutines may use it at once.
type Reward struct {
	*client
	settings RewardSettings
	url      string
	tok      *tokenizer.Tokenizer // may be nil
}

// NewReward returns a remote reward model. The tokenizer is the reward model's,
// and needed for input: ids.
func NewReward(s RewardSettings, tok *tokenizer.Tokenizer) (*Reward, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("remote reward: %w", err)
	}
	if s.Input == IDs && tok == nil {
		return nil, fmt.Errorf("remote reward: input is ids, but there is no tokenizer to encode with")
	}
	u, err := s.address().parse()
	if err != nil {
		return nil, fmt.Errorf("remote reward: %w", err)
	}
	c, err := newClient(s.address(), s.Limits)
	if err != nil {
		return nil, fmt.Errorf("remote reward: %w", err)
	}
	url := ofRewards(u, cmp.Or(s.Endpoint, "classify")).String()
	return &Reward{client: c, settings: s, url: url, tok: tok}, nil
}

// Score returns the raw score of each text: a chat laid out by the reward model's
// template, whole, with the names of special tokens (and of that which begins a
// text, if the model wants one: none is added).
func (r *Reward) Score(ctx context.Context, texts []string) ([]float64, error) {
	scores := make([]float64, len(texts))
	size := cmp.Or(r.settings.Batch, 16)
	calls := pool.New().WithMaxGoroutines(r.limits.Concurrency).WithContext(ctx).WithCancelOnError().WithFirstError()
	for first := 0; first < len(texts); first += size {
		last := min(first+size, len(texts))
		calls.Go(func(ctx context.Context) error {
			if err := r.scoreBatch(ctx, texts[first:last], scores[first:last]); err != nil {
				return fmt.Errorf("remote reward: texts %d to %d: %w", first, last-1, err)
			}
			return nil
		})
	}
	err := calls.Wait()
	if err := cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	return scores, nil
}

func (r *Reward) scoreBatch(ctx context.Context, texts []string, scores []float64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	body, err := r.body(texts)
	if err != nil {
		return err
	}
	return r.post(ctx, r.url, body, func(text []byte) error { return r.read(text, scores) })
}

// body returns the bytes that ask for the scores of texts: a ClassificationRequest or
// PoolingRequest of vLLM (vllm/entrypoints/pooling/{classify,pooling}/protocol.py;
// docs.vllm.ai/en/latest/models/pooling_models/classify).
func (r *Reward) body(texts []string) ([]byte, error) {
	fields := map[string]any{ // encoded in the order of their names
		"model":                                  r.settings.Model,
		"input":                                  r.input(texts),
		"add_special_tokens":                     false,
		cmp.Or(r.settings.Raw, "use_activation"): false,
	}
	if r.settings.Task != "" {
		fields["task"] = r.settings.Task
	}
	return json.Marshal(fields)
}

func (r *Reward) input(texts []string) any {
	if r.settings.Input != IDs {
		return texts
	}
	ids := make([][]token.ID, len(texts))
	for i, text := range texts {
		ids[i] = r.tok.EncodeWithSpecial(text)
	}
	return ids
}
