package main

import "testing"

// TestLongSettingKeepsTheColumn checks that a setting longer than its column moves its meaning to the
// next line, in the column of all other meanings.
func TestLongSettingKeepsTheColumn(t *testing.T) {
	short := settingLine("seed=0", "random seed")
	if want := "\n  seed=0                             random seed"; short != want {
		t.Errorf("a short setting gives %q, expected %q", short, want)
	}
	long := settingLine("lora.target_modules=[q_proj k_proj]", "projections")
	if want := "\n  lora.target_modules=[q_proj k_proj]\n                                     projections"; long != want {
		t.Errorf("a long setting gives %q, expected %q", long, want)
	}
}
