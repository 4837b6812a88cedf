package model

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/token"
)

// Loss states the scalar that a stage minimises as an expression over the model's
// outputs. Gorgonia derives the gradient. The weights are already divided by the
// normaliser of the step, so that a loss is a plain weighted sum. To add one, write it
// from the paper and hold it against other values and finite differences with Try.
type Loss func(o *Outputs) Expr

// Program is a compiled graph over shared parameters. It is built once for the largest batch
// and runs any batch that fits.
type Program struct {
	Plan *graph.Plan

	net     *network
	loss    *G.Node
	machine *graph.Machine
}

// Compile builds the training graph of a loss. Each run sets the gradients of p.Trained, or
// adds to them. It computes no other gradients. Activations that r recomputes take no memory
// between the forward pass and the gradient.
func Compile(p *Params, capacity token.Size, loss Loss, r Recompute) (*Program, error) {
	n := newNetwork(p, capacity)
	n.recompute, n.training = r, true
	return compile(n, loss)
}

// CompileForward builds the same graph without gradients. Its buffers live only until the next
// layer has read them.
func CompileForward(p *Params, capacity token.Size, loss Loss) (*Program, error) {
	return compile(newNetwork(p, capacity), loss)
}

func compile(n *network, loss Loss) (*Program, error) {
	prog := &Program{net: n}
	if err := prog.build(loss); err != nil {
		return nil, fmt.Errorf("model: building the graph: %w", err)
	}
	plan, err := graph.NewPlan(n.g)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := memory.Check("activations", plan.ArenaBytes); err != nil {
		return nil, fmt.Errorf("model: %w; %s", err, prog.Advice())
	}
	plan.Allocate()
	prog.Plan, prog.machine = plan, graph.NewMachine(n.g)
	return prog, nil
}

// build creates the nodes. It recovers the panics of graph.Op.Apply and of the outputs.
func (p *Program) build(loss Loss) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	out := &Outputs{n: p.net, hidden: p.net.hidden()}
	if p.loss, err = loss(out).Node(); err != nil {
		return err
	}
	if p.net.training {
		_, err = G.Grad(p.loss, p.net.trained()...)
	}
	return err
}

// Advice suggests how to make the program need less memory.
func (p *Program) Advice() string {
	smaller := fmt.Sprintf("use smaller micro-batches (%d tokens now)", p.net.capacity.Tokens)
	if p.net.training && p.net.recompute == RecomputeNone {
		return smaller + " or recompute: layer"
	}
	return smaller
}

// ScratchBytes returns the most memory that the kernels of the program keep besides its
// arena.
func (p *Program) ScratchBytes() int64 {
	tokens, factor := p.net.capacity.Tokens, 0
	for _, t := range p.net.params.all() {
		if len(t.Shape) == 2 { // x[n,in]·wᵀ packs w[out,in], its gradient dyᵀ·x packs x
			factor = max(factor, t.size(), tokens*t.Shape[1])
		}
	}
	return kernel.ScratchBytes(factor) + kernel.AttentionBytes(p.net.heads, tokens)
}

// Draw sets the seed of dropout for the next run: the same for the same seed, step and
// micro-batch.
func (p *Program) Draw(seed uint64, step, micro int) {
	p.net.feed.draw = kernel.Mix(kernel.Mix(seed, uint64(step)), uint64(micro))
}

// Run computes the loss of b with every weight multiplied by scale. A training program also
// computes the gradients, and adds them to the existing ones if accumulate is set, or replaces
// them. The result is valid until the next run. Run returns an error if b does not fit or is
// inconsistent.
func (p *Program) Run(b *token.Batch, scale float64, accumulate bool) (*Result, error) {
	c := p.net.params.Config
	if !b.Size().Fits(p.net.capacity) {
		return nil, fmt.Errorf("model: batch of %+v does not fit the program's %+v", b.Size(), p.net.capacity)
	}
	if err := b.Validate(c.VocabSize, positions(c, p.net.capacity)); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	p.net.feed.load(b, scale, accumulate)
	if err := p.machine.Run(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if loss, ok := p.loss.Value().Data().(float32); ok {
		p.net.feed.result.Loss = float64(loss)
	}
	return &p.net.feed.result, nil
}

// Close releases the machine and the memory that kernels keep between runs.
func (p *Program) Close() error {
	kernel.Release()
	return p.machine.Close()
}
