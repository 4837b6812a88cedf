package memory

import (
	"errors"
	"math"
	"testing"
)

func TestBytes(t *testing.T) {
	for _, c := range []struct {
		n    int64
		want string
	}{
		{0, "0 B"}, {999, "999 B"}, {1000, "1 kB"}, {1536, "1.54 kB"},
		{999_499, "999 kB"}, {999_500, "1 MB"}, {999_999, "1 MB"}, {1_000_000, "1 MB"},
		{128 << 20, "134 MB"}, {1_500_000_000, "1.5 GB"}, {math.MaxInt64, "9.22 EB"},
	} {
		if got := Bytes(c.n); got != c.want {
			t.Errorf("%d bytes are %q, want %q", c.n, got, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	have, known := Available()
	if !known {
		t.Skip("how much memory there is, is not known here")
	}
	if have <= 0 {
		t.Fatalf("%d bytes are available", have)
	}
	if err := Check("nothing", 1); err != nil {
		t.Error(err)
	}
	for _, check := range []func(string, int64) error{Check, CheckTotal} {
		err := check("the weights", math.MaxInt64)
		var much *TooMuchError
		if !errors.As(err, &much) || much.What != "the weights" || much.Need != math.MaxInt64 || much.Have <= 0 {
			t.Errorf("error %v", err)
		}
	}
	// The total need of the process includes what it already holds. Other processes may take
	// memory between two measurements, but not every time.
	fits := false
	for range 20 {
		have, _ := Available()
		resident, _ := Resident()
		fits = fits || CheckTotal("all", have+resident/2) == nil
	}
	if !fits {
		t.Error("what the process has already does not count")
	}
}
