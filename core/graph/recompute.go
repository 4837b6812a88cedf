package graph

import G "gorgonia.org/gorgonia"

// Recompute lets nothing between x and y wait for the gradient: the gradients read
// results that are computed again, from x, once the gradient of y is there (arXiv
// 1604.06174). x and y are kept. It changes no bit of any result.
//
// It is to be called before the gradient is derived. Between x and y there are
// only Ops whose kernels depend on nothing but their children, and no way to y
// but from x and from nodes that are not Ops, such as parameters.
func Recompute(x, y *G.Node) {
	for _, n := range children(y) {
		forget(n, x)
	}
}

// forget marks the Op of n, and all that n is computed from, down to x.
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

// recall returns the node whose value a gradient reads for that of n: n itself if
// it is kept. If not, a node that runs n's kernel again, into the same buffers,
// over children that are recalled in turn, and that runs after the node trigger.
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

// recallRead recalls in place those of the nodes, the children of o and its own, whose
// value the gradient of o reads.
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
