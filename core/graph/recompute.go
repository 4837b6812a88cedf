package graph

import G "gorgonia.org/gorgonia"

// Recompute stops keeping the results of the nodes between x and y for the gradient. The
// gradients read results that are computed again from x, once the gradient of y exists (arXiv
// 1604.06174). x and y are kept. No bit of any result changes.
//
// Call it before you derive the gradient. Between x and y there may only be Ops whose kernels
// depend on nothing but their children, and every path to y must start at x or at nodes that
// are not Ops, such as parameters.
func Recompute(x, y *G.Node) {
	for _, n := range children(y) {
		forget(n, x)
	}
}

// forget marks the Op of n, and all nodes that n is computed from, back to x.
func forget(n, x *G.Node) {
	o, ours := n.Op().(*Op)
	if n == x || !ours || o.transient {
		return
	}
	o.transient = true
	for _, child := range children(n) {
		forget(child, x)
	}
}

// recall returns the node from which a gradient reads the value of n: n itself if its value
// is kept. Otherwise it returns a node that runs the kernel of n again, into the same buffers,
// over recalled children, after the node trigger.
func recall(n, trigger *G.Node) *G.Node {
	o, ours := n.Op().(*Op)
	if !ours || !o.transient {
		return n
	}
	if o.again == nil {
		again := *o
		again.Name += ".again"
		again.Wrt, again.args, again.transient, again.repeats = nil, nil, false, o
		o.again = again.Apply(append(recallAll(children(n), trigger), trigger)...)
	}
	return o.again
}

func recallAll(nodes G.Nodes, trigger *G.Node) G.Nodes {
	list := make(G.Nodes, len(nodes))
	for i, n := range nodes {
		list[i] = recall(n, trigger)
	}
	return list
}

// recallRead replaces those of the nodes, the children of o and its own, whose value the
// gradient of o reads by recalled ones.
func (o *Op) recallRead(nodes G.Nodes, trigger *G.Node) G.Nodes {
	for i, n := range nodes {
		if o.Unread == nil || !o.Unread[i] {
			nodes[i] = recall(n, trigger)
		}
	}
	return nodes
}

// children returns the nodes that n reads, in order.
func children(n *G.Node) (list G.Nodes) {
	for it := n.Graph().From(n.ID()); it.Next(); {
		list = append(list, it.Node().(*G.Node))
	}
	return list
}
