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

// Op is one operation of a graph. An instance belongs to one node. It writes its results into
// its own buffers and returns the first of them as the value of the node.
//
// An Op with several equal results has no Out. Its node is a scalar token, and View nodes
// represent the results in Extra. The scalar is 0, or what Forward passes to SetScalar.
type Op struct {
	Name  string // the operation, or the parameter that it multiplies with
	Out   *Buffer
	Extra []*Buffer // further results, or what the gradient needs from the forward pass
	Reads []*Buffer // buffers that it reads besides the values of the children

	// Forward computes the results. in begins with the values of the children. A View has
	// no Forward.
	Forward func(in []G.Value)

	// Gradient returns the gradient node of each child, nil for those that Wrt excludes. It is
	// nil if the Op is not differentiable. It must read values only from the children in and
	// the node out that it receives: Recompute may pass nodes that compute them again.
	Gradient func(in G.Nodes, out, grad *G.Node) (G.Nodes, error)
	// Wrt says for each child whether the Op is differentiable with respect to it. Apply
	// clears the entries of children whose own Op is not differentiable: nothing would use
	// their gradient.
	Wrt []bool
	// Unread says for each child, and at the end for the node itself, that the gradient does
	// not read its value, so that Recompute need not compute it again. nil means that the
	// gradient may read all of them.
	Unread []bool

	// Flops and Bytes return the cost of the current run to a machine that profiles: see
	// Cost. A nil Flops means none, a nil Bytes all arrays of the Op.
	Flops, Bytes func() float64

	transient bool    // its results are not kept for the gradient: see Recompute
	again     *G.Node // the node that computes them again; nil until a gradient reads them
	repeats   *Op     // the Op whose results this one computes again, or nil

	id    uint32
	args  []hm.Type
	token *G.F32
	rank  int    // position in the planned order of execution
	clock *clock // of the machine that runs the node
	cost  *Cost  // accumulated cost; nil unless the machine profiles
}

var lastID atomic.Uint32

// Apply creates the node of o over its children.
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

// Of returns the Op of a node that Apply created.
func Of(n *G.Node) *Op { return n.Op().(*Op) }

// View returns a node for one of the results of a node without Out. It does no work.
func View(of *G.Node, b *Buffer) *G.Node {
	return (&Op{Name: Of(of).Name + ".view", Out: b}).Apply(of)
}

// Do runs the kernel. It turns a panic into an error that names the node, because Gorgonia's
// machine runs on a goroutine of its own, where the caller cannot recover.
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

// Type returns a new type at every call: Gorgonia returns it to a pool after inference.
func (o *Op) Type() hm.Type {
	ts := make([]hm.Type, 0, len(o.args)+1)
	return hm.NewFnType(append(append(ts, o.args...), o.result())...)
}

func (o *Op) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.shape(), nil }
func (o *Op) ReturnsPtr() bool                               { return true }
func (o *Op) CallsExtern() bool                              { return false }
func (o *Op) OverwritesInput() int                           { return -1 }
func (o *Op) String() string                                 { return fmt.Sprintf("%s#%d", o.Name, o.id) }

// Hashcode is unique to the instance, so that Gorgonia never merges two of our nodes.
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
