package remote

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// rewardOf returns a reward model at the server s.
func rewardOf(t *testing.T, s *script, settings RewardSettings, tok *tokenizer.Tokenizer) *Reward {
	t.Helper()
	t.Setenv("HERD_TEST_KEY", secret)
	settings.URL, settings.Model, settings.KeyEnv = s.URL+"/v1", "judge", "HERD_TEST_KEY"
	r, err := NewReward(settings, tok)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	(&fakeClock{}).use(r.client)
	return r
}

// TestScore gets scores in batches. Each text must get its own score whatever the order
// in the answer, and herd must try again after temporary failures.
func TestScore(t *testing.T) {
	noLeak(t)
	s := newScript(t)
	failed := map[string]bool{}
	s.steps = []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		last := s.bodies[len(s.bodies)-1]
		if !failed[last] {
			failed[last] = true
			w.WriteHeader(503)
			return
		}
		var b struct{ Input []string }
		if err := json.Unmarshal([]byte(last), &b); err != nil {
			t.Error(err)
		}
		var data []string
		for i, text := range slices.Backward(b.Input) {
			data = append(data, fmt.Sprintf(`{"index":%d,"label":"LABEL_0","probs":[%d.5],"num_classes":1}`, i, len(text)))
		}
		fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(data, ","))
	}}
	r := rewardOf(t, s, RewardSettings{Batch: 3, Limits: Limits{Concurrency: 1}}, nil)
	var texts []string
	for i := range 10 {
		texts = append(texts, strings.Repeat("x", i))
	}
	scores, err := r.Score(t.Context(), texts)
	if err != nil || len(scores) != 10 {
		t.Fatalf("%v, error %v", scores, err)
	}
	for i, score := range scores {
		if score != float64(i)+0.5 {
			t.Errorf("text %d has the score %g", i, score)
		}
	}
	want := `{"add_special_tokens":false,"input":["","x","xx"],"model":"judge","use_activation":false}`
	if len(s.bodies) != 8 || s.bodies[0] != want || s.paths[0] != "/classify" || s.headers[0].Get("Authorization") != "Bearer "+secret {
		t.Errorf("%d requests, the first to %s: %s", len(s.bodies), s.paths[0], s.bodies[0])
	}
}

func TestScoreBodies(t *testing.T) {
	e := reader(t)
	s := newScript(t, says(200, `{"data":[{"index":0,"data":[1]}]}`))
	r := rewardOf(t, s, RewardSettings{Endpoint: "pooling", Input: IDs, Raw: "activation", Task: "classify"}, e.tok)
	if _, err := r.Score(t.Context(), []string{e.tok.Token(e.tok.BOS()) + "a"}); err != nil {
		t.Fatal(err)
	}
	ids, err := json.Marshal([][]token.ID{e.tok.Prompt("a")})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"activation":false,"add_special_tokens":false,"input":` + string(ids) + `,"model":"judge","task":"classify"}`
	if s.bodies[0] != want || s.paths[0] != "/pooling" {
		t.Errorf("%s to %s, expected %s", s.bodies[0], s.paths[0], want)
	}
}

// TestScoreShapes reads valid and invalid answers of /classify and /pooling.
func TestScoreShapes(t *testing.T) {
	second := 1
	for _, c := range []struct {
		data  string
		label *int
		want  float64 // NaN: an error
		says  string
	}{
		{`{"index":0,"probs":[-3.25]}`, nil, -3.25, ""},
		{`{"index":0,"object":"pooling","data":[-3.25]}`, nil, -3.25, ""},
		{`{"index":0,"data":[[1],[2],[-3.25]]}`, nil, -3.25, ""},
		{`{"index":0,"probs":[1,-3.25]}`, &second, -3.25, ""},
		{`{"index":0,"data":[[1,2],[1,-3.25]]}`, &second, -3.25, ""},
		{`{"index":0,"probs":[1,2]}`, nil, math.NaN(), "2 outputs: set label"},
		{`{"index":0,"probs":[1]}`, &second, math.NaN(), "no output 1"},
		{`{"index":0,"probs":[null]}`, nil, math.NaN(), "no output 0"},
		{`{"index":0,"data":[]}`, nil, math.NaN(), "0 outputs"},
		{`{"index":0,"data":[[1],[]]}`, nil, math.NaN(), "0 outputs"},
		{`{"index":0,"data":"AAAA"}`, nil, math.NaN(), "neither a list of numbers"},
		{`{"index":0}`, nil, math.NaN(), "neither a list of numbers"},
		{`{"index":1,"probs":[1]}`, nil, math.NaN(), "index 1"},
		{`{"index":0,"probs":[1]},{"index":0,"probs":[1]}`, nil, math.NaN(), "2 scores for 1 texts"},
	} {
		s := newScript(t, says(200, `{"data":[`+c.data+`]}`))
		r := rewardOf(t, s, RewardSettings{Label: c.label}, nil)
		got, err := r.Score(t.Context(), []string{"a"})
		switch {
		case math.IsNaN(c.want) && (err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "texts 0 to 0: POST")):
			t.Errorf("%s: error %v does not say %q", c.data, err, c.says)
		case !math.IsNaN(c.want) && (err != nil || got[0] != c.want):
			t.Errorf("%s: %v, error %v, expected %g", c.data, got, err, c.want)
		}
	}
}

func TestBadRewardSettings(t *testing.T) {
	below := -1
	for want, s := range map[string]RewardSettings{
		`endpoint is "rank"`:                    {Endpoint: "rank"},
		`input is "chat"`:                       {Input: Chat},
		"input is ids, which needs a tokenizer": {Input: IDs},
		`raw_field is "raw"`:                    {Raw: "raw"},
		"batch is -1":                           {Batch: -1},
		"label is -1":                           {Label: &below},
		"concurrency is -1":                     {Limits: Limits{Concurrency: -1}},
		"environment variable HE":               {KeyEnv: "HERD_NONE"},
	} {
		s.URL, s.Model = "http://localhost", "judge"
		if _, err := NewReward(s, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if _, err := NewReward(RewardSettings{Model: "judge"}, nil); err == nil || !strings.Contains(err.Error(), "url is not set") {
		t.Errorf("no url: %v", err)
	}
}

// FuzzScores checks that no answer causes a panic.
func FuzzScores(f *testing.F) {
	for _, seed := range []string{
		`{"data":[{"index":0,"probs":[1,2]},{"index":1,"data":[[1],[2]]}]}`, `{"data":[{"index":1,"data":[1]},{"index":0,"data":null}]}`, `{"error":"no"}`, `[]`,
	} {
		f.Add([]byte(seed), 0)
	}
	f.Fuzz(func(t *testing.T, text []byte, label int) {
		r := &Reward{settings: RewardSettings{Label: &label}}
		scores := []float64{math.NaN(), math.NaN()}
		if label < 0 || r.read(text, scores) != nil {
			return
		}
		if math.IsNaN(scores[0] + scores[1]) {
			t.Errorf("%s: a text has no score: %v", text, scores)
		}
	})
}
