package main

func (w *writer) elementwise() {
	w.routine("Scale", "y []float32, a float32", "", "computes y *= a.", func() {
		p, n, a := w.bases("y"), w.length("y"), w.broadcast("a")
		w.each("loop", n, p, 1, func(l lanes) {
			y := l.load(p[0])
			w.Multiply(y, y, a)
			l.store(y, p[0])
		})
	})
	w.routine("AddScaled", "y []float32, a float32, x []float32", "", "computes y += a·x.", func() {
		p, n, a := w.bases("y", "x"), w.length("y"), w.broadcast("a")
		w.each("loop", n, p, 1, func(l lanes) {
			y := l.load(p[0])
			w.MultiplyAdd(y, l.load(p[1]), a)
			l.store(y, p[0])
		})
	})
	w.routine("Product", "y, a, b []float32, r float32", "", "computes y = a·r·b.", func() {
		p, n, r := w.bases("y", "a", "b"), w.length("y"), w.broadcast("r")
		w.each("loop", n, p, 1, func(l lanes) {
			v := l.load(p[1])
			w.Multiply(v, v, r)
			w.Multiply(v, v, l.load(p[2]))
			l.store(v, p[0])
		})
	})
	w.routine("AddProduct", "y, a, b []float32, r float32", "", "computes y += a·r·b.", func() {
		p, n, r := w.bases("y", "a", "b"), w.length("y"), w.broadcast("r")
		w.each("loop", n, p, 1, func(l lanes) {
			v, y := l.load(p[1]), l.load(p[0])
			w.Multiply(v, v, r)
			w.MultiplyAdd(y, v, l.load(p[2]))
			l.store(y, p[0])
		})
	})
	w.routine("ScoreGrad", "ds, p []float32, delta float32", "", "computes ds = p·(ds − delta).", func() {
		p, n, delta := w.bases("ds", "p"), w.length("ds"), w.broadcast("delta")
		w.each("loop", n, p, 1, func(l lanes) {
			v := l.load(p[0])
			w.Subtract(v, v, delta)
			w.Multiply(v, v, l.load(p[1]))
			l.store(v, p[0])
		})
	})
	w.normGrad("NormGrad", "dx, dy, x, g []float32, r, c float32", "computes dx = r·(dy·g − x·c).", false)
	w.normGrad("NormGradAdd", "dx, dy, x, g, add []float32, r, c float32", "computes dx = add + r·(dy·g − x·c).", true)
	w.rotate()
}

func (w *writer) normGrad(name, parameters, doc string, add bool) {
	w.routine(name, parameters, "", doc, func() {
		p, n, r, c := w.bases("dx", "dy", "x", "g"), w.length("dx"), w.broadcast("r"), w.broadcast("c")
		if add {
			p = append(p, w.base("add"))
		}
		w.each("loop", n, p, 1, func(l lanes) {
			v, xc := l.load(p[1]), l.load(p[2])
			w.Multiply(xc, xc, c)
			w.Multiply(v, v, l.load(p[3]))
			w.Subtract(v, v, xc)
			if add {
				sum := l.load(p[4])
				w.MultiplyAdd(sum, v, r)
				v = sum
			} else {
				w.Multiply(v, v, r)
			}
			l.store(v, p[0])
		})
	})
}

func (w *writer) rotate() {
	w.routine("Rotate", "a, b, cos, sin []float32, sign float32", "", "turns each (a, b) by the angle of cos and sign·sin.", func() {
		p, n, sign := w.bases("a", "b", "cos", "sin"), w.length("a"), w.broadcast("sign")
		w.each("loop", n, p, 1, func(l lanes) {
			a, b, cos, s := l.load(p[0]), l.load(p[1]), l.load(p[2]), l.load(p[3])
			w.Multiply(s, s, sign)
			x, y := w.Vec(), w.Vec()
			w.Multiply(x, a, cos)
			w.MultiplySubtract(x, b, s)
			w.Multiply(y, a, s)
			w.MultiplyAdd(y, b, cos)
			l.store(x, p[0])
			l.store(y, p[1])
		})
	})
}

func (w *writer) adam() {
	w.routine("Adam", "w, g, m, v []float32, keep, step, root, eps, new1, keep2, factor float32", "", "makes one step of AdamW.", func() {
		p, n := w.bases("w", "g", "m", "v"), w.length("w")
		keep, step, root, eps := w.broadcast("keep"), w.broadcast("step"), w.broadcast("root"), w.broadcast("eps")
		new1, keep2, factor := w.broadcast("new1"), w.broadcast("keep2"), w.broadcast("factor")
		new2 := w.constant(1)
		w.Subtract(new2, new2, keep2)
		w.each("loop", n, p, 1, func(l lanes) {
			x, g, m, v := l.load(p[0]), l.load(p[1]), l.load(p[2]), l.load(p[3])
			w.Multiply(g, g, factor)
			change := w.Vec()
			w.Subtract(change, g, m)
			w.MultiplyAdd(m, change, new1) // m += (g − m)·(1−β1)
			l.store(m, p[2])
			w.Multiply(g, g, g)
			w.Multiply(v, v, keep2)
			w.MultiplyAdd(v, g, new2) // v = v·β2 + g²·(1−β2)
			l.store(v, p[3])
			w.Root(v, v)
			denominator := w.Vec()
			w.Copy(denominator, eps)
			w.MultiplyAdd(denominator, v, root)
			w.Multiply(m, m, step)
			w.Divide(m, m, denominator)
			w.Multiply(x, x, keep)
			w.Subtract(x, x, m)
			l.store(x, p[0])
		})
	})
}
