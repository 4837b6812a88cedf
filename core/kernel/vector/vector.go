package vector

//go:generate go -C ../gen run ./vector -out ../vector/vector_amd64.s -stubs ../vector/stub_amd64.go -pkg vector
//go:generate go -C ../gen run ./neon/vector -out ../vector/vector_arm64.s -stubs ../vector/stub_arm64.go -pkg vector

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/cpu"
)

// routines is one implementation of the package.
type routines struct {
	dot         func(a, b []float32) float32
	dot3        func(a, b, c []float32) float32
	largest     func(x []float32) float32
	sumSquares  func(x []float32) float64
	scale       func(y []float32, a float32)
	addScaled   func(y []float32, a float32, x []float32)
	product     func(y, a, b []float32, r float32)
	addProduct  func(y, a, b []float32, r float32)
	normGrad    func(dx, dy, x, g []float32, r, c float32)
	normGradAdd func(dx, dy, x, g, add []float32, r, c float32)
	rotate      func(x, cos, sin []float32, sign float32)
	expSum      func(x []float32, shift float32) float32
	gate        func(y, g, u []float32)
	gateGrad    func(dg, du, dy, g, u []float32)
	adam        func(w, g, m, v []float32, keep, step, root, eps, new1, keep2, factor float32)

	softmaxRows   func(s []float32, stride, n int, visible []int32, scale float32, top, sum, shrink []float32)
	scoreGradRows func(s, ds []float32, stride, n int, visible []int32, scale float32, lse, delta []float32)
	scaleRows     func(y, by []float32)
	copyRows      func(y, x []float32, n, width, strideY, strideX int)
	scoreGrad     func(ds, p []float32, delta float32) // ds = p·(ds − delta), if scoreGradRows goes row by row
}

// selected is the implementation in use, chosen once at start.
var selected = levels[cpu.Use()]

// Dot returns Σ a·b.
func Dot(a, b []float32) float32 { return selected.dot(a, b[:len(a)]) }

// Dot3 returns Σ a·b·c.
func Dot3(a, b, c []float32) float32 { return selected.dot3(a, b[:len(a)], c[:len(a)]) }

// Max returns the largest element of x, or -Inf if x is empty. If x has a NaN, the result is
// unspecified.
func Max(x []float32) float32 { return selected.largest(x) }

// SumSquares returns Σ x², in float64 throughout.
func SumSquares(x []float32) float64 { return selected.sumSquares(x) }

// Scale computes y *= a.
func Scale(y []float32, a float32) { selected.scale(y, a) }

// Add computes y += x.
func Add(y, x []float32) { AddScaled(y, 1, x) }

// AddScaled computes y += a·x.
func AddScaled(y []float32, a float32, x []float32) { selected.addScaled(y, a, x[:len(y)]) }

// Product computes y = a·r·b.
func Product(y, a, b []float32, r float32) {
	n := len(y)
	selected.product(y, a[:n], b[:n], r)
}

// AddProduct computes y += a·r·b.
func AddProduct(y, a, b []float32, r float32) {
	n := len(y)
	selected.addProduct(y, a[:n], b[:n], r)
}

// NormGrad computes dx = add + r·(dy·g − x·c), the gradient through RMSNorm; add
// may be nil.
func NormGrad(dx, dy, x, g, add []float32, r, c float32) {
	n := len(dx)
	if add == nil {
		selected.normGrad(dx, dy[:n], x[:n], g[:n], r, c)
		return
	}
	selected.normGradAdd(dx, dy[:n], x[:n], g[:n], add[:n], r, c)
}

// Rotate rotates each pair (x[i], x[i+half]), where half is len(cos), by the angle of cos[i] and
// sign·sin[i], and the pairs of every further run of 2·half elements of x likewise.
func Rotate(x, cos, sin []float32, sign float32) {
	half := len(cos)
	selected.rotate(x[:len(x)/max(1, 2*half)*2*half], cos, sin[:half], sign)
}

// ExpSum replaces x by exp(x − shift), with the exponential of Exp, and returns the sum.
func ExpSum(x []float32, shift float32) float32 { return selected.expSum(x, shift) }

// Gate computes y = g·σ(g)·u.
func Gate(y, g, u []float32) {
	n := len(y)
	selected.gate(y, g[:n], u[:n])
}

// GateGrad computes the gradients of Gate's g and u from the gradient of its y.
func GateGrad(dg, du, dy, g, u []float32) {
	n := len(dg)
	selected.gateGrad(dg, du[:n], dy[:n], g[:n], u[:n])
}

// Adam holds the coefficients of one step of AdamW:
//
//	g = Factor·g   m += (g − m)·New1   v = Keep2·v + (1 − Keep2)·g²
//	w = Keep·w − Step·m / (Root·√v + Eps)
type Adam struct{ Keep, Step, Root, Eps, New1, Keep2, Factor float32 }

// Update applies one step to the weights w and the moments m and v.
func (a Adam) Update(w, g, m, v []float32) {
	n := len(w)
	selected.adam(w, g[:n], m[:n], v[:n], a.Keep, a.Step, a.Root, a.Eps, a.New1, a.Keep2, a.Factor)
}

// Exp returns eˣ to within 3 units in the last place, +Inf above 88.73, and 0
// below -125·ln 2 = -86.64. x = n·ln 2 + r with |r| ≤ ln 2 / 2, and eʳ is the
// polynomial of Cephes' expf (S. Moshier, 1992).
func Exp(x float32) float32 {
	const (
		log2e = 1.44269504088896341
		ln2Hi = 0.693359375
		ln2Lo = -2.12194440e-4
		round = 3 << 22 // adding it leaves the nearest integer in the low bits
	)
	if x < -86.643394 {
		return 0
	}
	x = min(x, 89) // 2¹²⁸ and more becomes +Inf below
	power := x*log2e + round
	n := power - round
	r := x - n*ln2Hi - n*ln2Lo
	p := float32(1.9875691500e-4)
	p = p*r + 1.3981999507e-3
	p = p*r + 8.3334519073e-3
	p = p*r + 4.1665795894e-2
	p = p*r + 1.6666665459e-1
	p = p*r + 5.0000001201e-1
	p = p*r*r + r + 1
	half := math.Float32frombits(math.Float32bits(power)<<23 + 126<<23) // 2ⁿ⁻¹, because n may be 128
	return (p + p) * half
}
