package checkpoint_test

import (
	"fmt"
	"log"
	"os"

	"github.com/herd-lm/herd/core/weights/checkpoint"
)

func Example() {
	dir, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	norm := checkpoint.Tensor{Name: "model.norm.weight", Shape: []int{3}, Data: []float32{1, 0.5, 0.3}}
	sources := []checkpoint.Source{norm.As(checkpoint.BF16)}
	meta := map[string]string{"format": "pt"}
	if err := checkpoint.WriteModel(dir, sources, meta, checkpoint.ShardBytes); err != nil {
		log.Fatal(err)
	}
	m, err := checkpoint.OpenModel(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	info, _ := m.Info("model.norm.weight")
	x := make([]float32, info.Len())
	if err := m.Read(info.Name, x); err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.DType, info.Shape, x)
	// Output:
	// BF16 [3] [1 0.5 0.30078125]
}
