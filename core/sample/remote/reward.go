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
	URL       string `yaml:"url"`                              // base URL of the server, with or without /v1
	Model     string `yaml:"model"`                            // name of the model on the server
	KeyEnv    string `yaml:"key_env" json:",omitempty"`        // environment variable that holds the key; empty: no key
	AllowHTTP bool   `yaml:"allow_http_key" json:",omitempty"` // send the key unencrypted to another machine
	Endpoint  string `yaml:"endpoint" json:",omitempty"`       // API endpoint: classify or pooling; empty: classify
	Input     Prompt `yaml:"input" json:",omitempty"`          // input that herd sends: text or ids; empty: text
	Batch     int    `yaml:"batch" json:",omitempty"`          // number of texts per request; 0: 16
	Label     *int   `yaml:"label" json:",omitempty"`          // index of the output that is the score, for a model with several
	Task      string `yaml:"task" json:",omitempty"`           // task for /pooling: classify or token_classify; empty: the model's default

	// Old releases of vLLM need activation or softmax; 0.15 has neither. herd sends only one field:
	// some releases that know all three read an old one as true, whatever its value
	// (vllm/config/pooler.py, get_use_activation).
	Raw string `yaml:"raw_field" json:",omitempty"` // field that turns off sigmoid and softmax: use_activation, activation or softmax (old vLLM); empty: use_activation

	Limits `yaml:",inline"`
}

// Validate returns an error that names the first invalid setting by its YAML key.
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

// Reward gets scores from a server. Any number of goroutines may use it at once.
type Reward struct {
	*client
	settings RewardSettings
	url      string
	tok      *tokenizer.Tokenizer // may be nil
}

// NewReward returns a remote reward model. tok is the reward model's tokenizer; only input
// ids needs it.
func NewReward(s RewardSettings, tok *tokenizer.Tokenizer) (*Reward, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("remote reward: %w", err)
	}
	if s.Input == IDs && tok == nil {
		return nil, fmt.Errorf("remote reward: input is ids, which needs a tokenizer: there is none")
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

// Score returns the raw score of each text. A text is a whole chat in the layout of the
// reward model's template, with special tokens by name. It must begin with the BOS token if
// the model needs one: Score adds none.
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

// body returns the JSON that asks for the scores of texts: vLLM's ClassificationRequest or
// PoolingRequest (vllm/entrypoints/pooling/{classify,pooling}/protocol.py;
// docs.vllm.ai/en/latest/models/pooling_models/classify).
func (r *Reward) body(texts []string) ([]byte, error) {
	fields := map[string]any{ // JSON sorts the names
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
