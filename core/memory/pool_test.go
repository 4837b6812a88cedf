package memory

import (
	"runtime"
	"sync"
	"testing"
)

func TestPoolForgetsNothing(t *testing.T) {
	var p Pool[int]
	a, b := p.Get(), p.Get()
	if a == b {
		t.Fatal("one object was handed out twice")
	}
	p.Put(a)
	p.Put(b)
	runtime.GC()
	runtime.GC()
	seen := map[*int]bool{p.Get(): true, p.Get(): true}
	if !seen[a] || !seen[b] {
		t.Error("an object that was put back is gone")
	}
	if c := p.Get(); seen[c] {
		t.Error("an object in use was handed out again")
	}
}

// TestPoolIsExclusive: no two goroutines hold the same object.
func TestPoolIsExclusive(t *testing.T) {
	var p Pool[int]
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				x := p.Get()
				before := *x
				*x++
				runtime.Gosched()
				if *x != before+1 {
					t.Error("two goroutines held one object")
				}
				p.Put(x)
			}
		})
	}
	all.Wait()
}

// TestPoolForgets: Forget drops free objects; objects in use return to the pool.
func TestPoolForgets(t *testing.T) {
	var p Pool[int]
	a, b := p.Get(), p.Get()
	p.Put(a)
	p.Forget()
	if p.Get() == a {
		t.Error("an object that was dropped is handed out")
	}
	p.Put(b)
	if p.Get() != b {
		t.Error("an object that was in use when others were dropped is lost")
	}
}
