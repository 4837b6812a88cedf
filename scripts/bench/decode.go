package main

import (
	"math/rand/v2"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
)

// decode continues Batch random prompts greedily, one token of each in a step of the
// decoder. As in torch_llama.py, the first token comes from the prompt, whose time does not
// count.
func decode(s settings) (trial, error) {
	s.Seq = s.prompt + s.generate
	d, err := newDecoding(s)
	if err != nil {
		return trial{}, err
	}
	return trial{
		settings: s, mode: "decode", tokens: s.Batch * (s.generate - 1), passes: 1, prepare: d.begin, step: d.rest,
	}, nil
}

type decoding struct {
	settings
	decoder *model.Decoder
	rows    []model.Row // the last token of each sequence
}

func newDecoding(s settings) (*decoding, error) {
	decoder, err := model.NewDecoder(s.params(false), max(s.Batch, s.prompt))
	return &decoding{settings: s, decoder: decoder}, err
}

// begin computes new prompts, each with its own cache, and picks the next tokens.
func (d *decoding) begin(i int) error {
	rng := rand.New(rand.NewPCG(1, uint64(i)))
	d.rows = d.rows[:0]
	for range d.Batch {
		pages := d.pages(d.prompt + d.generate)
		rows := make([]model.Row, d.prompt)
		for k, id := range d.random(rng, d.prompt) {
			rows[k] = model.Row{Pages: pages, At: k, ID: id, Want: k == d.prompt-1}
		}
		logits, err := d.decoder.Step(rows)
		if err != nil {
			return err
		}
		d.rows = append(d.rows, model.Row{Pages: pages, At: d.prompt, Want: true})
		d.pick(d.rows[len(d.rows)-1:], logits)
	}
	return nil
}

func (d *decoding) rest(int) error {
	for range d.generate - 1 {
		logits, err := d.decoder.Step(d.rows)
		if err != nil {
			return err
		}
		for i := range d.rows {
			d.rows[i].At++
		}
		d.pick(d.rows, logits)
	}
	return nil
}

// pages returns pages for that many tokens.
func (d *decoding) pages(tokens int) (list []*kernel.Page) {
	for range (tokens + kernel.PageTokens - 1) / kernel.PageTokens {
		list = append(list, d.decoder.NewPage())
	}
	return list
}

// pick sets each row to the likeliest token by its logits, [len(rows), Vocab].
func (d *decoding) pick(rows []model.Row, logits []float32) {
	for i := range rows {
		rows[i].ID = argmax(logits[i*d.Vocab : (i+1)*d.Vocab])
	}
}

func argmax(x []float32) token.ID {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return token.ID(best)
}
