package engine

import (
	"cmp"
	"slices"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// schedule decides what is computed when. It belongs to the goroutine in loop.
type schedule struct {
	decoder *model.Decoder
	pages   *pages

	jobs    []*job      // all that are not finished, in the order in which they came
	back    []*sequence // set back, to go on first
	running []*sequence // in the order in which they began
	planned []part      // of the next step
	rows    []model.Row
	drawers []drawer
	number  uint64 // of the newest job
	counted sample.Stats

	computed uint64 // tokens
}

// part is what a step computes of a sequence: its next n tokens.
type part struct {
	*sequence
	n int
}

// complete reports whether the part's last token is the last of all.
func (p part) complete() bool { return p.computed+p.n == len(p.tokens) }

// loop works until there is nothing left to do.
func (e *Engine) loop() {
	for e.receive() {
		e.forget()
		e.begin()
		e.plan()
		e.step()
	}
}

// receive takes in new jobs. It reports whether there is anything to do; if not, the
// next submit must start the loop again.
func (e *Engine) receive() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, j := range e.inbox {
		e.number++
		j.number = e.number
		e.jobs = append(e.jobs, j)
		e.counted.PromptTokens += uint64(len(j.Prompt))
	}
	e.inbox = nil
	e.looping = len(e.jobs) > 0
	e.report()
	return e.looping
}

// report makes what was counted known to Stats; e.mu is held.
func (e *Engine) report() {
	s := e.counted
	s.CacheLimit, s.Running = e.stats.CacheLimit, len(e.running)
	s.CacheBytes = int64(e.pages.used()) * e.decoder.PageBytes()
	s.Waiting = len(e.back)
	for _, j := range e.jobs {
		if j.prompt == nil && j.logits == nil {
			s.Waiting++
		}
	}
	e.stats = s
}

// forget ends the jobs whose callers do not wait any more.
func (e *Engine) forget() {
	for _, j := range slices.Clone(e.jobs) {
		if err := j.ctx.Err(); err != nil {
			e.finish(j, err)
		}
	}
}

// finish hands a job back to its caller, and frees what is left of it.
func (e *Engine) finish(j *job, err error) {
	j.err, j.over = err, true
	own := func(s *sequence) bool {
		if s.job == j {
			s.drop(e.pages)
		}
		return s.job == j
	}
	e.running, e.back = slices.DeleteFunc(e.running, own), slices.DeleteFunc(e.back, own)
	e.releasePrompt(j)
	e.jobs = slices.DeleteFunc(e.jobs, func(other *job) bool { return other == j })
	e.mu.Lock()
	e.report()
	e.mu.Unlock()
	j.finished <- j
}

// releasePrompt lets go of the pages of a computed prompt.
func (e *Engine) releasePrompt(j *job) {
	if j.prompt != nil {
		j.prompt.drop(e.pages)
		j.prompt = nil
	}
}

// begin fills empty slots: with sequences that were set back, then with what the oldest
// jobs have to do, as far as there is memory.
func (e *Engine) begin() {
	for len(e.back) > 0 && e.fits(e.back[0].tokens) {
		e.running = append(e.running, e.back[0])
		e.back = e.back[1:]
	}
	if len(e.back) > 0 {
		return
	}
	for _, j := range slices.Clone(e.jobs) {
		for k, ok := j.ready(); ok; k, ok = j.ready() {
			if !e.fits(j.Prompt) {
				return
			}
			e.start(e.newSequence(j, k))
		}
	}
}

// fits reports whether there is a slot for one more sequence, and memory for its tokens
// and a little for the others.
func (e *Engine) fits(tokens []token.ID) bool {
	if len(e.running) == 0 {
		return true
	}
	need := pagesFor(len(tokens)+1) - e.pages.known(tokens)
	return len(e.running) < e.slots && e.pages.left() >= need+len(e.running)
}

// start begins a sequence. A completion draws its first token at once, for its prompt
// is computed.
func (e *Engine) start(s *sequence) {
	j := s.job
	if s.k == promptOnly {
		j.prompt = s
		e.running = append(e.running, s)
		return
	}
	j.next++
	s.take(j.logits, &e.drawersFor(1)[0])
	e.counted.DrawnTokens++
	if !s.ended {
		e.fork(s)
		e.running = append(e.running, s)
	}
	if j.next == len(j.Seeds) {
		e.releasePrompt(j)
	}
	if s.ended {
		e.ended(s)
	}
}

// fork lets s go on from its job's prompt: it shares the full pages, and copies the
// last one, unless nobody needs that any more.
func (e *Engine) fork(s *sequence) {
	s.attach(e.pages)
	prompt := s.job.prompt
	if prompt == nil || s.computed != len(s.job.Prompt)/kernel.PageTokens*kernel.PageTokens || s.computed == len(s.job.Prompt) {
		return // the rest is computed like any other
	}
	last := prompt.last()
	if s.job.next == len(s.job.Seeds) {
		e.pages.hold(last)
	} else {
		q := e.pages.take()
		if q == nil {
			return
		}
		q.kv.Copy(last.kv)
		last = q
	}
	s.add(last)
	s.computed = len(s.job.Prompt)
}

// plan decides what the next step computes: a token of each completion, and prompts as
// far as there are rows. Who began first gets memory first.
func (e *Engine) plan() {
	e.planned = e.planned[:0]
	rows := max(e.slots, prefillRows)
	for _, s := range e.running {
		e.counted.SharedTokens += uint64(s.attach(e.pages))
		if len(s.tokens)-s.computed == 1 {
			rows--
		}
	}
	for i := 0; i < len(e.running); i++ { // running gets shorter at its end as memory does
		s := e.running[i]
		n := len(s.tokens) - s.computed
		if n > 1 {
			n = min(n, rows)
			rows -= n
		}
		if n = e.reserve(s, n); n > 0 {
			e.planned = append(e.planned, part{s, n})
		}
	}
	// Those of one job, which share its prompt, side by side.
	slices.SortStableFunc(e.planned, func(a, b part) int { return cmp.Compare(a.job.number, b.job.number) })
}

// reserve gets pages for the next n tokens of s, and returns for how many there are.
func (e *Engine) reserve(s *sequence, n int) int {
	for len(s.pages)*kernel.PageTokens < s.computed+n {
		q := e.pages.take()
		if q != nil {
			s.add(q)
			continue
		}
		if !e.relieve(s) {
			break
		}
	}
	return min(n, len(s.pages)*kernel.PageTokens-s.computed)
}

// relieve frees memory that s needs: of prompts that wait for their completions to
// begin, else of what began last, which is set back and computed again later. It
// reports false if that was s itself.
func (e *Engine) relieve(s *sequence) bool {
	for _, j := range slices.Backward(e.jobs) {
		if j.logits != nil && j.prompt != nil {
			e.releasePrompt(j)
			return true
		}
	}
	last := len(e.running) - 1
	youngest := e.running[last]
	e.running = e.running[:last]
	e.counted.Preempted++
	youngest.drop(e.pages)
	e.back = slices.Insert(e.back, 0, youngest)
	return youngest != s
}

// step computes what is planned, and draws.
func (e *Engine) step() {
	e.embed()
	if len(e.planned) == 0 {
		return
	}
	e.rows = e.rows[:0]
	for _, p := range e.planned {
		e.rows = p.rows(e.rows, p.n)
	}
	e.computed += uint64(len(e.rows))
	logits, err := e.decoder.Step(e.rows)
	if err != nil {
		e.fail(err)
		return
	}
	complete := e.planned[:0]
	for _, p := range e.planned {
		whole := p.complete()
		p.advance(e.pages, p.n)
		if whole {
			complete = append(complete, p)
		}
	}
	e.draw(complete, logits)
}

// draw takes the logits [len(parts), V] of sequences that are computed to their end.
func (e *Engine) draw(parts []part, logits []float32) {
	drawers, vocab := e.drawersFor(len(parts)), e.config.VocabSize
	kernel.Parallel(len(parts), func(i int) {
		s, own := parts[i].sequence, logits[i*vocab:][:vocab]
		if s.k == promptOnly {
			s.job.logits = slices.Clone(own)
		} else {
			s.take(own, &drawers[i])
		}
	})
	for _, p := range parts {
		if p.k != promptOnly {
			e.counted.DrawnTokens++
		}
		if p.ended || p.k == promptOnly {
			e.running = slices.DeleteFunc(e.running, func(s *sequence) bool { return s == p.sequence })
		}
		if p.ended {
			e.ended(p.sequence)
		}
	}
}

// drawersFor returns n drawers.
func (e *Engine) drawersFor(n int) []drawer {
	for len(e.drawers) < n {
		e.drawers = append(e.drawers, drawer{})
	}
	return e.drawers[:n]
}

// ended frees a completed sequence, and finishes its job if it was the last.
func (e *Engine) ended(s *sequence) {
	s.drop(e.pages)
	j := s.job
	j.open--
	switch {
	case j.over: // failed, with another of its completions
	case j.out[s.k].Finish == broken:
		e.finish(j, errNotFinite)
	case j.open == 0:
		e.finish(j, nil)
	}
}

// fail ends all jobs: what happened will happen again.
func (e *Engine) fail(err error) {
	for _, j := range slices.Clone(e.jobs) {
		e.finish(j, err)
	}
}

// embed computes the jobs that want hidden states, each alone.
func (e *Engine) embed() {
	for _, j := range slices.Clone(e.jobs) {
		if j.embed != nil {
			e.finish(j, e.average(j))
		}
	}
}

// average sets j.embed to the mean of the prompt's hidden states.
func (e *Engine) average(j *job) error {
	var kv []*kernel.Page
	for range pagesFor(len(j.Prompt)) {
		kv = append(kv, e.decoder.NewPage())
	}
	share := 1 / float32(len(j.Prompt))
	at := 0
	for chunk := range slices.Chunk(j.Prompt, prefillRows) {
		rows := e.rows[:0]
		for _, id := range chunk {
			rows = append(rows, model.Row{Pages: kv, At: at, ID: id, Want: true})
			at++
		}
		hidden, err := e.decoder.Hidden(rows)
		if err != nil {
			return err
		}
		for i, v := range hidden {
			j.embed[i%len(j.embed)] += share * v
		}
	}
	return nil
}
