package memory

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

// files writes files into a new directory.
func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMemAvailable(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  int64
		known bool
	}{
		{"MemTotal:       8000000 kB\nMemFree:         500000 kB\nMemAvailable:   2000000 kB\n", 2000000 << 10, true},
		{"MemTotal: 8000000 kB\n", 0, false},
		{"MemAvailable: many kB\n", 0, false},
		{"MemAvailable:\n", 0, false},
		{"", 0, false},
	} {
		got, known := entry(filepath.Join(files(t, map[string]string{"meminfo": c.text}), "meminfo"), "MemAvailable:")
		if got != c.want || known != c.known {
			t.Errorf("%q: %d bytes, known %v; want %d, %v", c.text, got, known, c.want, c.known)
		}
	}
	if _, known := entry(filepath.Join(t.TempDir(), "none"), "MemAvailable:"); known {
		t.Error("a missing file says how much memory there is")
	}
}

// TestPeak: memory that was written to counts even after it is freed.
func TestPeak(t *testing.T) {
	before, known := Peak()
	if !known {
		t.Fatal("how much memory the process took is not known")
	}
	const much = 64 << 20
	touch(much)
	debug.FreeOSMemory()
	if after, _ := Peak(); after < much || after < before || after > before+2*much {
		t.Errorf("%d bytes at most, and %d after %d were written", before, after, much)
	}
}

// touch allocates n bytes, writes to them and drops them.
func touch(n int) {
	b := make([]byte, n)
	for i := 0; i < len(b); i += 1 << 10 {
		b[i] = 1
	}
}

// TestResetPeak: the peak restarts from the present use of memory.
func TestResetPeak(t *testing.T) {
	if _, err := os.Stat("/proc/self/clear_refs"); err != nil {
		t.Skip("this kernel keeps the peak: ", err)
	}
	const much = 64 << 20
	touch(much)
	debug.FreeOSMemory()
	before, _ := Peak()
	ResetPeak()
	after, known := Peak()
	resident, _ := Resident()
	if !known || after > before-much/2 || after < resident-much/16 || resident <= 0 {
		t.Errorf("at most %d bytes before, %d after, %d now", before, after, resident)
	}
}

func TestGroupLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
		known bool
	}{
		"a limit": {map[string]string{
			"memory.max": "1000\n", "memory.current": "700\n",
			"memory.stat": "anon 500\nfile 150\ninactive_file 120\nactive_file 30\nunevictable 0\n",
		}, 450, true},
		"no statistics":  {map[string]string{"memory.max": "1000\n", "memory.current": "700\n"}, 300, true},
		"no limit":       {map[string]string{"memory.max": "max\n", "memory.current": "700\n"}, 0, false},
		"no group":       {nil, 0, false},
		"limit only":     {map[string]string{"memory.max": "1000\n"}, 0, false},
		"over the limit": {map[string]string{"memory.max": "1000\n", "memory.current": "1100\n"}, 0, true},
	} {
		if got, known := groupAvailable(files(t, c.files)); got != c.want && c.known || known != c.known {
			t.Errorf("%s: %d bytes, known %v; want %d, %v", name, got, known, c.want, c.known)
		}
	}
}
