package main

import "testing"

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{
		"0": 0, "1000": 1000, "4GB": 4e9, "4 gb": 4e9, "1.5kB": 1500, "512MiB": 512 << 20, "2tib": 2 << 40, "7b": 7,
	} {
		var s byteSize
		if err := s.Set(text); err != nil || s != want {
			t.Errorf("%s: %d, %v, want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "GB", "-1", "4 GBs", "1e30", "NaN", "Inf", "4GB5", "0x"} {
		var s byteSize
		if s.Set(text) == nil {
			t.Errorf("%q passes as %d", text, s)
		}
	}
}
