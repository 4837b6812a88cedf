package graph

import (
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"sync/atomic"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Op is one operation of a graph; an instance belongs to one node. It writes
// its results into buffers of its own and returns the first of them as the
// node's value.
//
// An Op with several results of equal standing has no Out: its node is a scalar
// token, and View nodes stand for the results in Extra. The scalar is 0, or what
// Forward hands to SetScalar.
type Op struct {
	Name  string // what it does, or the parameter that it multiplies with
	Out   *Buffer
	Extra []*Buffer // further results, or what the gradient needs of the forward pass
	Reads []*Buffer // buffers read besides the values of the children

	// Forward computes the results from the values of the children, which come
	// first in in; nil in a View.
	Forward func(in []G.Value)

	// Gradient returns the gradient node of each child (nil where DiffWRT says
	// so); nil if the Op is not differentiable. The children in and the node out
	// are those to read values from: recomputed ones, if that is asked for.
	Gradient func(in G.Nodes, out, grad *G.Node) (G.Nodes, error)
	// Wrt says which children the Op is differentiable with respect to. Apply takes
	// out those whose own Op is by none: their gradient would serve nobody.
	Wrt []bool
	// Unread says of which children, and last whether of the node itself, the gradient
	// does not read the value: it is not computed again for that (Recompute). nil: all
	// may be read.
	Unread []bool

	// Flops and Bytes are what the current run of the Op takes, for a machine that
	// profiles: see Cost. A nil Flops is none, a nil Bytes all arrays of the Op.
	Flops, Bytes func() float64

	transient bool    // its results do not wait for the gradient: Recompute
	again     *G.Node // computes them again; nil until a gradient reads them
	repeats   *Op     // the Op whose results this one computes again, or nil

	id    uint32
	args  []hm.Type
	token *G.F32
	rank  int    // place in the planned order of execution
	clock *clock // of the machine that runs the node
	cost  *Cost  // so far; nil unless the machine profiles
}

var lastID atomic.Uint32

// Apply makes the node of o over its children.
func (o *Op) Apply(children ...*G.Node) *G.Node {
	o.id = lastID.Add(1)
	for i, n := range children {
		o.args = append(o.args, n.Type())
		if c, ours := n.Op().(*Op); ours && i < len(o.Wrt) && !slices.Contains(c.Wrt, true) {
			o.Wrt[i] = false
		}
	}
	if o.Out == nil {
		o.token = G.NewF32(0)
	}
	return G.Must(G.ApplyOp(o, children...))
}

// Of returns the Op of a node made by Apply.
func Of(n *G.Node) *Op { return n.Op().(*Op) }

// View returns a node for one of the results of a node without Out. It does no work.
func View(of *G.Node, b *Buffer) *G.Node {
	return (&Op{Name: Of(of).Name + ".view", Out: b}).Apply(of)
}

// Do runs the kernel. A panic becomes an error that names the node, because
// Gorgonia's machine runs on a goroutine of its own, where nobody can recover.
func (o *Op) Do(in ...G.Value) (v G.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("graph: node %s: %v", o, r)
		}
	}()
	if err := o.clock.tick(o); err != nil {
		return nil, err
	}
	o.run(in)
	if o.Out == nil {
		return o.token, nil
	}
	return o.Out.value, nil
}

// SetScalar sets the value of a node without Out.
func (o *Op) SetScalar(v float32) { *o.token = G.F32(v) }

func (o *Op) shape() tensor.Shape {
	if o.Out == nil {
		return tensor.ScalarShape()
	}
	return o.Out.shape
}

func (o *Op) result() hm.Type {
	if o.Out == nil {
		return tensor.Float32
	}
	return G.TensorType{Dims: o.Out.shape.Dims(), Of: tensor.Float32}
}

// Arity, Type, InferShape and the rest make Op a gorgonia.SDOp.
func (o *Op) Arity() int { return len(o.args) }

// Type is built anew at every call: Gorgonia returns it to a pool after inference.
func (o *Op) Type() hm.Type {
	ts := make([]hm.Type, 0, len(o.args)+1)
	return hm.NewFnType(append(append(ts, o.args...), o.result())...)
}

func (o *Op) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.shape(), nil }
func (o *Op) ReturnsPtr() bool                               { return true }
func (o *Op) CallsExtern() bool                              { return false }
func (o *Op) OverwritesInput() int                           { return -1 }
func (o *Op) String() string                                 { return fmt.Sprintf("%s#%d", o.Name, o.id) }

// Hashcode is unique to the instance, so that Gorgonia merges no two of our nodes.
func (o *Op) Hashcode() uint32 { return o.id }

func (o *Op) WriteHash(h hash.Hash) {
	var id [4]byte
	binary.LittleEndian.PutUint32(id[:], o.id)
	h.Write([]byte(o.Name))
	h.Write(id[:])
}

func (o *Op) DiffWRT(inputs int) []bool {
	if o.Wrt == nil {
		return make([]bool, inputs)
	}
	return o.Wrt
}

func (o *Op) SymDiff(in G.Nodes, out, grad *G.Node) (G.Nodes, error) {
	if o.Gradient == nil {
		return nil, fmt.Errorf("graph: node %s is not differentiable", o)
	}
	nodes := o.recallRead(append(slices.Clone(in), out), grad)
	return o.Gradient(nodes[:len(in)], nodes[len(in)], grad)
}

var _ G.SDOp = (*Op)(nil)
