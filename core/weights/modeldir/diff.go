package modeldir

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// Difference describes how two model directories A and B differ.
type Difference struct {
	Config    []FieldDifference  `json:"config"`    // fields of config.json, by name
	Tokenizer bool               `json:"tokenizer"` // the vocabularies or chat templates differ
	OnlyA     []string           `json:"only_a"`    // tensors that B lacks
	OnlyB     []string           `json:"only_b"`    // tensors that A lacks
	Shapes    []ShapeDifference  `json:"shapes"`    // tensors of one name and two shapes
	Tensors   []TensorDifference `json:"tensors"`   // tensors that differ, the furthest first
	Same      int                `json:"same"`      // number of equal tensors
	Relative  float64            `json:"relative"`  // of all weights together, as in TensorDifference
}

// FieldDifference is a field of config.json; null in A or B if it is missing.
type FieldDifference struct {
	Name string          `json:"name"`
	A    json.RawMessage `json:"a"`
	B    json.RawMessage `json:"b"`
}

// ShapeDifference is a tensor with different shapes.
type ShapeDifference struct {
	Name string `json:"name"`
	A    []int  `json:"a"`
	B    []int  `json:"b"`
}

// TensorDifference is the distance between the numbers of a tensor in A and B.
type TensorDifference struct {
	Name     string  `json:"name"`
	Relative float64 `json:"relative"`             // |B-A| over the larger of |A| and |B|, Euclidean norms; 0 if not finite
	Norm     float64 `json:"norm"`                 // |B-A|
	Numbers  int     `json:"numbers"`              // number of differing elements
	NaN      bool    `json:"not_finite,omitempty"` // a number of A or B is not finite

	a, b float64 // squares of |A| and |B|
}

// Diff compares two model directories.
func Diff(ctx context.Context, a, b string, progress Progress) (*Difference, error) {
	modelA, err := open(a)
	if err != nil {
		return nil, err
	}
	defer modelA.weights.Close()
	modelB, err := open(b)
	if err != nil {
		return nil, err
	}
	defer modelB.weights.Close()
	d := &Difference{Tokenizer: modelA.vocabulary() != modelB.vocabulary()}
	if d.Config, err = fieldDifferences(modelA, modelB); err != nil {
		return nil, err
	}
	return d, d.compare(ctx, modelA.weights, modelB.weights, progress)
}

// fieldDifferences lists the fields of config.json that differ.
func fieldDifferences(a, b *opened) ([]FieldDifference, error) {
	fieldsA, errA := a.config.Fields()
	fieldsB, errB := b.config.Fields()
	if err := errors.Join(errA, errB); err != nil {
		return nil, err
	}
	list := []FieldDifference{}
	all := maps.Clone(fieldsA)
	maps.Copy(all, fieldsB)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !sameJSON(fieldsA[name], fieldsB[name]) {
			list = append(list, FieldDifference{name, fieldsA[name], fieldsB[name]})
		}
	}
	return list, nil
}

// sameJSON compares values, not their spelling. A missing value is null.
func sameJSON(a, b json.RawMessage) bool {
	var valueA, valueB any
	if a != nil && json.Unmarshal(a, &valueA) != nil || b != nil && json.Unmarshal(b, &valueB) != nil {
		return bytes.Equal(a, b)
	}
	textA, errA := json.Marshal(valueA)
	textB, errB := json.Marshal(valueB)
	return errA == nil && errB == nil && bytes.Equal(textA, textB)
}

// compare compares the tensors.
func (d *Difference) compare(ctx context.Context, a, b *checkpoint.Model, progress Progress) error {
	d.OnlyA, d.OnlyB = without(a, b), without(b, a)
	d.Shapes, d.Tensors = []ShapeDifference{}, []TensorDifference{}
	var total TensorDifference
	names := a.Names()
	for i, name := range names {
		infoA, _ := a.Info(name)
		infoB, shared := b.Info(name)
		if shared && !slices.Equal(infoA.Shape, infoB.Shape) {
			d.Shapes = append(d.Shapes, ShapeDifference{name, infoA.Shape, infoB.Shape})
		} else if shared {
			t, err := distance(ctx, a, b, name, name)
			if err != nil {
				return err
			}
			d.add(t)
			total.a, total.b, total.Norm = total.a+t.a, total.b+t.b, math.Hypot(total.Norm, t.Norm)
		}
		progress.report(i+1, len(names))
	}
	slices.SortStableFunc(d.Tensors, furthestFirst)
	d.Relative = total.relative()
	return nil
}

func (d *Difference) add(t TensorDifference) {
	if t.Numbers == 0 {
		d.Same++
	} else {
		d.Tensors = append(d.Tensors, t)
	}
}

func furthestFirst(a, b TensorDifference) int {
	return cmp.Or(cmp.Compare(count(b.NaN), count(a.NaN)), cmp.Compare(b.Relative, a.Relative), strings.Compare(a.Name, b.Name))
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// without lists the tensors of a that b lacks.
func without(a, b *checkpoint.Model) []string {
	return slices.DeleteFunc(a.Names(), func(name string) bool {
		_, ok := b.Info(name)
		return ok
	})
}

// distance compares tensor nameA of a with nameB of b, which has as many elements.
func distance(ctx context.Context, a, b *checkpoint.Model, nameA, nameB string) (TensorDifference, error) {
	info, _ := a.Info(nameA)
	t := TensorDifference{Name: nameA}
	valuesA, valuesB := make([]float32, min(batch, info.Len())), make([]float32, min(batch, info.Len()))
	var square float64
	err := inBatches(ctx, info.Len(), func(from, n int) error {
		if err := errors.Join(a.ReadPart(nameA, from, valuesA[:n]), b.ReadPart(nameB, from, valuesB[:n])); err != nil {
			return err
		}
		for i, x := range valuesA[:n] {
			x, y := float64(x), float64(valuesB[i])
			t.a, t.b = t.a+x*x, t.b+y*y
			if x != y {
				t.Numbers++
				square += (y - x) * (y - x)
			}
		}
		return nil
	})
	t.Norm = math.Sqrt(square)
	if infinite(t.a + t.b) {
		t.NaN, t.Norm, t.a, t.b = true, 0, 0, 0 // JSON has no such numbers
	}
	t.Relative = t.relative()
	return t, err
}

// relative returns |B-A| over the larger of |A| and |B|.
func (t TensorDifference) relative() float64 {
	if larger := math.Sqrt(max(t.a, t.b)); larger > 0 {
		return t.Norm / larger
	}
	return 0
}
