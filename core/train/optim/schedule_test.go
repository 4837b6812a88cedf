package optim

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func golden(t *testing.T, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// The values of transformers' tests/optimization/test_optimization.py: index i
// is the rate of optimiser step i+1.
func TestLRHuggingFace(t *testing.T) {
	var g struct {
		LR            float64
		Warmup, Total int
		Tol           float64
		Linear        []float64
		Cosine        []float64
		Constant      []float64 `json:"constant_with_warmup_4"`
	}
	golden(t, "testdata/lr_schedules_hf.json", &g)
	for _, c := range []struct {
		kind   string
		warmup int
		want   []float64
	}{
		{Linear, g.Warmup, g.Linear}, {Cosine, g.Warmup, g.Cosine}, {Constant, 4, g.Constant},
	} {
		s := Schedule{Kind: c.kind, Warmup: c.warmup, Total: g.Total, Peak: g.LR, ZeroFirst: true}
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		if len(c.want) != g.Total {
			t.Fatalf("%s: %d golden values, want %d", c.kind, len(c.want), g.Total)
		}
		for i, want := range c.want {
			if got := s.LR(i + 1); math.Abs(got-want) > g.Tol {
				t.Errorf("%s step %d: %g, want %g", c.kind, i+1, got, want)
			}
		}
		planted := s
		planted.ZeroFirst = false
		if got := planted.LR(1); math.Abs(got-c.want[0]) <= g.Tol {
			t.Errorf("%s: counting from 1 passes the golden values of counting from 0", c.kind)
		}
	}
}

// Torchtune's test runs a whole cosine over the decay. Its falling half equals this schedule
// with half the steps.
func TestLRTorchtune(t *testing.T) {
	var g struct {
		LR            float64
		Warmup, Total int
		Points        map[string]float64
	}
	golden(t, "testdata/cosine_schedule_torchtune.json", &g)
	s := Schedule{Kind: Cosine, Warmup: g.Warmup, Total: g.Warmup + (g.Total-g.Warmup)/2, Peak: g.LR}
	for step, key := range map[int]string{0: "0", 5: "5", 10: "10", 55: "55"} {
		if got, want := s.LR(step), g.Points[key]; math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d: %g, want %g", step, got, want)
		}
	}
}

// The rates of ten torch steps of a cosine that ends at step 11.
func TestLRTrajectory(t *testing.T) {
	want := []float64{0.0006666666666666666, 0.0013333333333333333, 0.002, 0.001931491579260158, 0.0017363961030678928,
		0.0014444150891285807, 0.0011, 0.0007555849108714192, 0.0004636038969321073, 0.00026850842073984193}
	s := Schedule{Kind: Cosine, Warmup: 3, Total: 11, Peak: 0.002, Final: 0.0002}
	for i, want := range want {
		if got := s.LR(i + 1); math.Abs(got-want) > 1e-15 {
			t.Errorf("step %d: %g, want %g", i+1, got, want)
		}
	}
}

func TestLREnds(t *testing.T) {
	for _, kind := range []string{Cosine, Linear, Constant} {
		for _, warmup := range []int{0, 1, 7, 20} {
			s := Schedule{Kind: kind, Warmup: warmup, Total: 20, Peak: 3e-4, Final: 3e-5}
			if kind == Constant {
				s.Final = 0
			}
			if err := s.Validate(); err != nil {
				t.Fatal(err)
			}
			end := s.Final
			if kind == Constant || warmup == s.Total {
				end = s.Peak
			}
			if got := s.LR(s.Total); got != end {
				t.Errorf("%s, warm-up %d: the last step has %g, want %g", kind, warmup, got, end)
			}
			if got := s.LR(max(warmup, 0)); got != s.Peak {
				t.Errorf("%s, warm-up %d: step %d has %g, want the peak", kind, warmup, warmup, got)
			}
			checkShape(t, s)
		}
	}
}

// checkShape tests that rates rise to the peak and never rise again, and that no step has a
// rate of 0, except for the first one under ZeroFirst.
func checkShape(t *testing.T, s Schedule) {
	t.Helper()
	for step := 1; step < s.Total+5; step++ {
		now, next := s.LR(step), s.LR(step+1)
		if step < s.Warmup && next <= now || step >= s.Warmup && next > now {
			t.Errorf("%+v: step %d has %g, the next %g", s, step, now, next)
		}
		if now <= 0 {
			t.Errorf("%+v: step %d has rate %g", s, step, now)
		}
	}
}

func TestScheduleValidate(t *testing.T) {
	ok := Schedule{Kind: Cosine, Warmup: 2, Total: 10, Peak: 1e-3, Final: 1e-4}
	if err := ok.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Schedule){
		"unknown kind \"cosin\"": func(s *Schedule) { s.Kind = "cosin" },
		"total is 0":             func(s *Schedule) { s.Total = 0 },
		"warm-up is 11":          func(s *Schedule) { s.Warmup = 11 },
		"warm-up is -1":          func(s *Schedule) { s.Warmup = -1 },
		"rate is 0":              func(s *Schedule) { s.Peak = 0 },
		"rate is NaN":            func(s *Schedule) { s.Peak = math.NaN() },
		"rate is +Inf":           func(s *Schedule) { s.Peak = math.Inf(1) },
		"rate is -1":             func(s *Schedule) { s.Final = -1 },
		"to the peak of 0.001":   func(s *Schedule) { s.Final = 1e-2 },
		"constant schedule":      func(s *Schedule) { s.Kind = Constant },
	} {
		s := ok
		spoil(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", s, err, want)
		}
	}
}

// The rates of the golden trajectory in core/model.
func TestLRTrajectoryGolden(t *testing.T) {
	path := filepath.Join("..", "..", "model", "testdata", "tiny_llama", "sft.json")
	var g struct {
		Trajectory struct {
			LR []float64 `json:"lr_per_step"`
		} `json:"adamw_trajectory_warmup_cosine"`
	}
	golden(t, path, &g)
	s := Schedule{Kind: Cosine, Warmup: 3, Total: 11, Peak: 0.002, Final: 0.0002}
	if len(g.Trajectory.LR) != 10 {
		t.Fatalf("%d rates, want 10", len(g.Trajectory.LR))
	}
	for i, want := range g.Trajectory.LR {
		if got := s.LR(i + 1); math.Abs(got-want) > 1e-15 {
			t.Errorf("step %d: %g, want %g", i+1, got, want)
		}
	}
}
