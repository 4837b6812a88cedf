// Package graph connects herd to Gorgonia. Gorgonia supplies the expression graph, shape and
// type inference, reverse-mode differentiation (Grad) and the machine that runs the nodes. Its
// own kernels are too slow for the heavy parts, so each node of about the size of a layer
// operation is an [Op] of ours.
//
// Begin with [Op]: fill it in and call Apply. Then build a [Machine] from the graph and call
// Run. Packages core/model and the tests here show the pattern. A loss is stated as an [Expr].
//
// # Operations
//
// An Op has a Forward that runs a kernel into buffers that the Op owns, and a Gradient that
// returns the nodes of its derivative. Gradient must read values only from the nodes it is
// given, because recomputation may replace the originals. An Op allocates nothing in a step.
//
// Where one kernel produces several gradients (a matrix product: those of x and of w), its
// node is a scalar token (0, or the value given to SetScalar). [View] nodes do no work. They
// stand for each result.
//
// # Memory
//
// Gorgonia runs nodes in the reverse of gorgonia.Sort, so the lifetime of each buffer is known
// before anything is allocated. [NewPlan] lays all buffers into one arena; buffers whose
// lifetimes do not overlap share a place. [Pin] fixes a buffer to memory of the caller, such as
// the gradient of a parameter.
//
// # Recomputation
//
// Recompute(x, y) marks the nodes between x and y. When a gradient asks for the value of a
// marked node, it gets another node that runs the same kernel into the same buffers, after the
// gradient of y exists. A buffer is then in use over two short spans instead of one long one,
// and the plan gives its place to others in between. Operations and their gradients need no
// change for this, and no bit of a result changes. Op.Unread names the values that a gradient
// does not read, so that they are not computed again.
//
// # Frozen parameters
//
// Op.Apply stops differentiation at nodes with no trained parameter before them, so no gradient
// kernel runs there.
//
// # Profile
//
// An Op states its floating-point operations (Flops). Its bytes default to those of its arrays,
// as far as the current batch fills them (Buffer.Rows). Machine.Profile makes the Ops record
// the time they take.
//
// # Pitfalls of Gorgonia, and the guard against each
//
//   - It merges nodes with equal 32-bit hashes silently. Every Op uses its own id as its hash,
//     and building a machine fails if two nodes collide.
//   - Its own nodes may compute in place on a child's value. The plan keeps a buffer alive as
//     long as any node that may hold it, and the machine copies the outputs that a caller wants
//     as soon as they exist.
//   - Nodes that run in another order than planned would overwrite each other. Each Op compares
//     its rank with the machine's clock and returns an error on a violation.
//   - A panic in Do would end the process, because the machine has a goroutine of its own. Do
//     turns it into an error that names the node.
//   - It returns the result of Type() to a pool after inference, so Type builds a new one at
//     every call.
package graph
