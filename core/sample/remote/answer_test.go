package remote

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// reader returns an engine that only reads answers. In its tokenizer the id of a byte's
// token is the byte; special tokens follow.
func reader(t testing.TB) *Engine {
	t.Helper()
	tok, err := tokenizer.Train(slices.Values([]string{"a"}), tokenizer.TrainSettings{VocabSize: 261})
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{tok: tok, settings: Settings{Prompt: IDs}}
}

// TestShapes reads answers in the form of each kind of server.
func TestShapes(t *testing.T) {
	e := reader(t)
	eos, goat := e.tok.EOS(), e.tok.Encode("goat")
	if len(goat) != 4 {
		t.Fatalf("goat is %v", goat)
	}
	list := func(ids ...token.ID) string {
		var text []string
		for _, id := range ids {
			text = append(text, itoa(id))
		}
		return "[" + strings.Join(text, ",") + "]"
	}
	whole := list(append(slices.Clone(goat), eos)...)
	g, o := itoa(goat[0]), itoa(goat[1])
	detail := sample.Request{Detail: true, Top: 1}
	for name, c := range map[string]struct {
		choice string
		r      sample.Request
		want   sample.Completion
	}{
		"OpenAI's completion": {
			`{"text":"goat","finish_reason":"stop","logprobs":{"tokens":["go","at"],"token_logprobs":[-1,-0.5],"top_logprobs":[{"go":-1},{"at":-0.5}]}}`,
			detail, sample.Completion{Text: "goat", LogProb: -1.5, Finish: "stop"},
		},
		"OpenAI's chat": {
			`{"message":{"role":"assistant","content":"goat"},"finish_reason":"length","logprobs":{"content":[{"token":"go","logprob":-1},{"token":"at","logprob":-2}]}}`,
			sample.Request{}, sample.Completion{Text: "goat", LogProb: -3, Finish: "length"},
		},
		"no log-probabilities (Ollama)": {
			`{"text":"goat","finish_reason":"stop","logprobs":null}`,
			detail, sample.Completion{Text: "goat", LogProb: math.NaN(), Finish: "stop"},
		},
		"one log-probability is missing": {
			`{"text":"goat","finish_reason":"stop","logprobs":{"token_logprobs":[-1,null]}}`,
			sample.Request{}, sample.Completion{Text: "goat", LogProb: math.NaN(), Finish: "stop"},
		},
		"a chat that says nothing": {
			`{"message":{"role":"assistant","content":null},"finish_reason":"stop"}`,
			sample.Request{}, sample.Completion{LogProb: math.NaN(), Finish: "stop"},
		},
		"a filter": {
			`{"text":"go","finish_reason":"content_filter"}`,
			sample.Request{}, sample.Completion{Text: "go", LogProb: math.NaN(), Finish: "length"},
		},
		"vLLM, ended by the end of text": {
			`{"text":"goat","finish_reason":"stop","stop_reason":null,"token_ids":` + whole + `,"logprobs":{"token_logprobs":[-1,-1,-1,-1,-8]}}`,
			sample.Request{}, sample.Completion{Text: "goat", IDs: goat, LogProb: -12, Finish: "stop"},
		},
		"vLLM, ended by a stop token": {
			`{"text":"goa","finish_reason":"stop","stop_reason":` + itoa(goat[3]) + `,"token_ids":` + list(goat...) + `}`,
			sample.Request{}, sample.Completion{Text: "goa", IDs: goat[:3], LogProb: math.NaN(), Finish: "stop"},
		},
		"vLLM, ended by a stop string": {
			`{"text":"go","finish_reason":"stop","stop_reason":"at","token_ids":` + list(goat...) + `,"logprobs":{"token_logprobs":[-1,-1,-1,-1]}}`,
			sample.Request{}, sample.Completion{Text: "go", IDs: goat, LogProb: -4, Finish: "stop"},
		},
		"vLLM, ended by a token that it does not list": {
			`{"text":"goat","finish_reason":"stop","stop_reason":2,"token_ids":` + list(goat...) + `}`,
			sample.Request{}, sample.Completion{Text: "goat", IDs: goat, LogProb: math.NaN(), Finish: "stop"},
		},
		"vLLM, with alternatives": {
			`{"text":"go","finish_reason":"length","token_ids":` + list(goat[:2]...) + `,"logprobs":{"tokens":["token_id:` + g + `","token_id:` + o + `"],"token_logprobs":[-1,-2],
			  "top_logprobs":[{"token_id:` + g + `":-1,"token_id:` + o + `":-0.5},{"token_id:` + o + `":-2,"strange":-0.1,"token_id:` + g + `":null}]}}`,
			detail, sample.Completion{Text: "go", IDs: goat[:2], LogProb: -3, Finish: "length", Tokens: []sample.Token{
				{ID: goat[0], LogProb: -1, Top: []sample.Alternative{{ID: goat[1], LogProb: -0.5}}},
				{ID: goat[1], LogProb: -2, Top: []sample.Alternative{{ID: goat[1], LogProb: -2}}},
			}},
		},
		"llama-server, which tells ids in log-probabilities": {
			`{"text":"go","finish_reason":"stop","logprobs":{"content":[{"id":` + g + `,"token":"g","logprob":-1,"top_logprobs":[{"id":` + g + `,"logprob":-1}]},
			  {"id":` + o + `,"token":"o","logprob":-2,"top_logprobs":[]},{"id":` + itoa(eos) + `,"token":"","logprob":-3,"top_logprobs":[]}]}}`,
			detail, sample.Completion{Text: "go", IDs: goat[:2], LogProb: -6, Finish: "stop", Tokens: []sample.Token{
				{ID: goat[0], LogProb: -1, Top: []sample.Alternative{{ID: goat[0], LogProb: -1}}}, {ID: goat[1], LogProb: -2},
			}},
		},
		"a server that goes on behind a stop token": {
			`{"text":"goat","finish_reason":"length","token_ids":` + list(goat...) + `,"logprobs":{"token_logprobs":[-1,-2,-3,-4]}}`,
			sample.Request{Stop: goat[2:3]}, sample.Completion{Text: "go", IDs: goat[:2], LogProb: -6, Finish: "stop"},
		},
		"a stop token at the last place": {
			`{"text":"goat","finish_reason":"length","token_ids":` + list(goat...) + `,"logprobs":{"token_logprobs":[-1,-2,-3,-4]}}`,
			sample.Request{Stop: goat[3:]}, sample.Completion{Text: "goa", IDs: goat[:3], LogProb: -10, Finish: "stop"},
		},
		"fewer log-probabilities than tokens": {
			`{"text":"goat","finish_reason":"length","token_ids":` + list(goat...) + `,"logprobs":{"token_logprobs":[-1]}}`,
			detail, sample.Completion{Text: "goat", IDs: goat, LogProb: math.NaN(), Finish: "length"},
		},
	} {
		got, err := e.read([]byte(`{"choices":[`+c.choice+`]}`), c.r, []uint64{7})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.want.Seed = 7
		if diff := cmp.Diff(c.want, got[0], cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestChatIsNotCut reads from a server whose tokens may differ from ours.
func TestChatIsNotCut(t *testing.T) {
	e := reader(t)
	e.settings.Prompt = Chat
	text := []byte(`{"choices":[{"message":{"content":"goat"},"finish_reason":"length","token_ids":[5,6,7]}]}`)
	got, err := e.read(text, sample.Request{Stop: []token.ID{6}}, []uint64{7})
	if err != nil || got[0].Text != "goat" || len(got[0].IDs) != 3 || got[0].Finish != sample.Length {
		t.Errorf("got %+v, error %v", got, err)
	}
}

// TestContinuation checks that a continuation keeps its leading blank, which a text alone
// loses if its tokenizer adds one.
func TestContinuation(t *testing.T) {
	e := reader(t)
	const prompt, rest = "Grüße", " vom Schaf"
	if got := continuation(e.tok, e.tok.Prompt(prompt), e.tok.Encode(rest)); got != rest {
		t.Errorf("%q, expected %q", got, rest)
	}
}

// TestWrongNumber checks that the error about a server that ignores n is permanent.
func TestWrongNumber(t *testing.T) {
	e := reader(t)
	_, err := e.read([]byte(`{"choices":[{"index":0,"text":"a","finish_reason":"stop"}]}`), sample.Request{}, []uint64{1, 2})
	var f *failure
	if !errors.As(err, &f) || f.again || !strings.Contains(err.Error(), "leave n at 1") {
		t.Errorf("error %v", err)
	}
}

func itoa(id token.ID) string { return strconv.Itoa(int(id)) }

// FuzzCompletions checks that no answer causes a panic, and that completions are whole.
func FuzzCompletions(f *testing.F) {
	for _, seed := range []string{
		`{"choices":[{"index":0,"text":"a","finish_reason":"stop","stop_reason":3,"token_ids":[1,3],"logprobs":{"token_logprobs":[-1,null],"tokens":["token_id:1"],"top_logprobs":[{"token_id:2":-1},null]}}]}`,
		`{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"length","logprobs":{"content":[{"id":1,"logprob":-1,"top_logprobs":[{"id":2,"logprob":-2}]}]}}]}`,
		`{"error":{"message":"no"}}`, `{"choices":[{"index":0},{"index":1}]}`, `[]`, ``,
	} {
		f.Add([]byte(seed), byte(1), 1)
	}
	e := reader(f)
	f.Fuzz(func(t *testing.T, text []byte, stop byte, top int) {
		r := sample.Request{Stop: []token.ID{token.ID(stop)}, Detail: true, Top: max(0, top)}
		got, err := e.read(text, r, []uint64{7})
		if err != nil {
			return
		}
		c := got[0]
		if len(got) != 1 || c.Seed != 7 || c.Finish != sample.Stop && c.Finish != sample.Length {
			t.Errorf("%+v", got)
		}
		if len(c.Tokens) > 0 && len(c.Tokens) != len(c.IDs) || slices.Contains(c.IDs, token.ID(stop)) || slices.ContainsFunc(c.IDs, func(id token.ID) bool { return id < 0 }) {
			t.Errorf("ids %v, tokens %v", c.IDs, c.Tokens)
		}
	})
}
