package convert

import (
	"math"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
)

// logProbs returns the log-probabilities that the decoder of p gives after each token.
func logProbs(t *testing.T, p *model.Params, ids []token.ID) [][]float64 {
	t.Helper()
	d, err := model.NewDecoder(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	var pages []*kernel.Page
	for range len(ids)/kernel.PageTokens + 1 {
		pages = append(pages, d.NewPage())
	}
	all := make([][]float64, len(ids))
	for i, id := range ids {
		logits, err := d.Step([]model.Row{{Pages: pages, At: i, ID: id, Want: true}})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, x := range logits {
			sum += math.Exp(float64(x))
		}
		for _, x := range logits {
			all[i] = append(all[i], float64(x)-math.Log(sum))
		}
	}
	return all
}

// divergence returns the mean Kullback-Leibler divergence of q from p, in nats a token.
func divergence(p, q [][]float64) (d float64) {
	for i, row := range p {
		for k, x := range row {
			d += math.Exp(x) * (x - q[i][k])
		}
	}
	return d / float64(len(p))
}

// nats returns the mean of -log p over the tokens after the first.
func nats(p [][]float64, ids []token.ID) (sum float64) {
	for i, id := range ids[1:] {
		sum -= p[i][id]
	}
	return sum / float64(len(ids)-1)
}

// TestStoriesInt8: in int8 the model of llama2.c gives nearly the same probabilities as in fp32,
// and tells a story that is about as likely. A model this small has little redundancy: larger
// ones lose less.
func TestStoriesInt8(t *testing.T) {
	m, story := stories(t)
	p, err := m.Params(false)
	if err != nil {
		t.Fatal(err)
	}
	told := func(story string) ([]token.ID, [][]float64) {
		ids := append(m.Tokenizer.Prompt(""), m.Tokenizer.Encode(story)...)
		return ids, logProbs(t, p, ids)
	}
	ids, fine := told(story)
	int8Story, _, _ := strings.Cut(greedy(t, m, 256, kernel.INT8), "<s>") // another story follows
	own, expected := told(int8Story)
	if got, best := nats(expected, own), nats(fine, ids); len(own) < 50 || got > best+0.1 {
		t.Errorf("its story in int8 has %d tokens and %.3f nats a token, that in fp32 %.3f:\n%s", len(own), got, best, int8Story)
	}
	p.Precision = kernel.INT8
	const most = 1e-3
	d := divergence(fine, logProbs(t, p, ids))
	t.Logf("divergence %.2g", d)
	if !(d < most && d > 1e-5) {
		t.Errorf("divergence is %.2g, expected some and at most %g", d, most)
	}
	p.Layers[2].Down.W[77] *= 100 // and with it the scale of its block
	if d := divergence(fine, logProbs(t, p, ids)); d < most {
		t.Errorf("with a broken block, divergence is %.2g only", d)
	}
}
