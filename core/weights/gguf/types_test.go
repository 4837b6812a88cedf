package gguf

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// stored is the output of llama-quantize (llama.cpp 0.7.0, --pure) for the numbers of spread, a
// tensor of [256,256]: the bytes of two rows, and a digest of all.
type stored struct{ Start, SHA256 string }

func quantised(t *testing.T) map[string]stored {
	t.Helper()
	text, err := os.ReadFile("testdata/llama-quantize.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]stored
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// spread returns n numbers, in groups of 32 on several scales. The first two rows are uniform,
// except for a group without negative numbers, one of zeros and one that is constant. The other
// rows crowd around zero.
func spread(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		group, hash := i/32, uint32(i)*2654435761
		v := float64(int(hash>>8)-1<<23) / (1 << 23)
		if i >= 512 {
			other := (uint32(i)*40503 + 12345) * 2246822519
			v = float64((int(hash>>20)-2048)*(int(other>>20)-2048)) / (1 << 22)
		}
		switch v = math.Ldexp(v, -(group%5 + 3)); group {
		case 3:
			v = math.Abs(v)
		case 5:
			v = 0
		case 9:
			v = 0.5
		}
		x[i] = float32(v)
	}
	return x
}

// written are the types that have an encoder.
func written() (types []Type) {
	for t, f := range formats {
		if f.encode != nil {
			types = append(types, t)
		}
	}
	slices.Sort(types)
	return types
}

// TestEncodeIsLlamaCpp compares every byte.
func TestEncodeIsLlamaCpp(t *testing.T) {
	golden, x := quantised(t), spread(65536)
	for _, typ := range written() {
		if typ == F32 {
			continue
		}
		b, want := make([]byte, typ.Bytes(len(x))), golden[typ.String()]
		typ.Encode(b, x)
		if hex.EncodeToString(b[:typ.Bytes(512)]) != want.Start {
			t.Errorf("%v: other bytes than llama-quantize's", typ)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want.SHA256 {
			t.Errorf("%v: other bytes than llama-quantize's, beyond those that are listed", typ)
		}
	}
}

// TestDecodeIsNear decodes the output of llama-quantize. A number may be off by half a step, or by
// a whole one where steps lie between -8 and 7 (-16 and 15) and the larger end is positive. Scales
// are halves, off by 1/2048. scripts/parity/llamacpp.sh compares bits.
func TestDecodeIsNear(t *testing.T) {
	steps := map[string]float64{"F16": 2048, "BF16": 256, "Q8_0": 1 / (1.0/254 + 1.0/2048), "Q4_0": 8, "Q4_1": 15, "Q5_0": 16, "Q5_1": 31, "Q4_K": 15, "Q5_K": 31, "Q6_K": 64}
	x, golden := spread(512), quantised(t)
	for typ, f := range formats {
		if typ == F32 {
			continue
		}
		b, err := hex.DecodeString(golden[f.name].Start)
		if err != nil || len(b) == 0 {
			t.Fatalf("%v: %d golden bytes, %v", typ, len(b), err)
		}
		y := make([]float32, len(x))
		typ.Decode(y, b)
		for at := 0; at < len(x); at += 32 {
			largest, worst := 0.0, 0.0
			for i, v := range x[at : at+32] {
				largest = max(largest, math.Abs(float64(v)))
				worst = max(worst, math.Abs(float64(v-y[at+i])))
			}
			if f.block == superBlock {
				largest = 0.5 // the largest group determines the scales of all
			}
			if worst > 1.01*largest/steps[f.name] {
				t.Errorf("%v: group %d is off by %g with numbers up to %g", typ, at/32, worst, largest)
			}
		}
	}
}
