package checkpoint

import (
	"errors"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestTraining(t *testing.T) {
	type state struct {
		Step   int
		Random [2]uint64
		LR     float64
	}
	want := state{7, [2]uint64{math.MaxUint64, 1}, 0.1 + 0.2}
	moments := []Tensor{{"m", []int{3}, numbers(3)}, {"v", []int{3}, []float32{0, math.SmallestNonzeroFloat32, 1e30}}}
	dir := t.TempDir()
	if err := WriteTraining(dir, want, moments); err != nil {
		t.Fatal(err)
	}
	var got state
	f, err := OpenTraining(dir, &got)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if read := readAll(t, f); got != want || !reflect.DeepEqual(read, moments) {
		t.Errorf("read %+v %v, want %+v %v", got, read, want, moments)
	}
	var narrow struct{ Step int }
	if _, err := OpenTraining(dir, &narrow); err == nil || !strings.Contains(err.Error(), "unknown field") {
		t.Errorf("a state with unknown fields: error %v", err)
	}
	if _, err := OpenTraining(t.TempDir(), &got); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no training state: error %v", err)
	}
}
