package engine

import (
	"slices"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
)

// finishEmbeddings answers the requests for hidden states, one after another.
func (s *scheduler) finishEmbeddings() {
	for _, r := range slices.Clone(s.requests) {
		if r.embedding != nil {
			s.finish(r, s.embed(r))
		}
	}
}

// embed sets r.embedding to the mean of the prompt's hidden states.
func (s *scheduler) embed(r *request) error {
	var kv []*kernel.Page
	for range pagesFor(len(r.Prompt)) {
		kv = append(kv, s.decoder.NewPage())
	}
	share := 1 / float32(len(r.Prompt))
	at := 0
	for ids := range slices.Chunk(r.Prompt, prefillRows) {
		rows := s.rows[:0]
		for _, id := range ids {
			rows = append(rows, model.Row{Pages: kv, At: at, ID: id, Want: true})
			at++
		}
		hidden, err := s.decoder.Hidden(rows) // [len(ids), HiddenSize]
		if err != nil {
			return err
		}
		for i, v := range hidden {
			r.embedding[i%len(r.embedding)] += share * v
		}
	}
	return nil
}
