package engine

import (
	"sync"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
)

// scheduler decides what is computed when. Callers submit requests; one goroutine, in
// loop, answers them and sleeps when there are none.
type scheduler struct {
	// Set once.
	decoder *model.Decoder
	vocab   int
	tok     *tokenizer.Tokenizer // may be nil
	slots   int                  // sequences that run at once

	// Shared with callers.
	mu      sync.Mutex
	inbox   []*request
	looping bool // the goroutine exists
	stats   sample.Stats

	// The rest belongs to the goroutine in loop.
	pages     *pages
	requests  []*request  // all that are not finished, in the order of their arrival
	preempted []*sequence // continue before new sequences start
	running   []*sequence // in the order in which they started
	batch     []chunk     // of the next step
	rows      []model.Row // of the next step
	samplers  []sampler
	arrivals  uint64
	counted   sample.Stats
	computed  uint64 // tokens
}

func newScheduler(d *model.Decoder, vocab int, p *pages, tok *tokenizer.Tokenizer, slots int) *scheduler {
	s := &scheduler{decoder: d, vocab: vocab, pages: p, tok: tok, slots: slots}
	s.stats.CacheLimit = int64(p.limit) * d.PageBytes()
	return s
}

// submit hands r to the loop, and starts the loop if it sleeps.
func (s *scheduler) submit(r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox = append(s.inbox, r)
	if !s.looping {
		s.looping = true
		go s.loop()
	}
}

// load returns the statistics, with the requests that the loop has not received yet.
func (s *scheduler) load() sample.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Waiting += len(s.inbox)
	return stats
}

// loop works until no request is left.
func (s *scheduler) loop() {
	for s.receive() {
		s.finishCancelled()
		s.admit()
		s.plan()
		s.finishEmbeddings()
		s.step()
	}
}

// receive takes requests from the inbox. It returns false if there is nothing to do;
// the next submit must then start the loop again.
func (s *scheduler) receive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.inbox {
		s.arrivals++
		r.arrival = s.arrivals
		s.requests = append(s.requests, r)
		s.counted.PromptTokens += uint64(len(r.Prompt))
	}
	s.inbox = nil
	s.looping = len(s.requests) > 0
	s.publish()
	return s.looping
}

// publish makes the counters visible to load. The caller holds mu.
func (s *scheduler) publish() {
	stats := s.counted
	stats.CacheLimit, stats.Running = s.stats.CacheLimit, len(s.running)
	stats.CacheBytes = int64(s.pages.used()) * s.decoder.PageBytes()
	stats.Waiting = len(s.preempted)
	for _, r := range s.requests {
		if r.waiting() {
			stats.Waiting++
		}
	}
	s.stats = stats
}
