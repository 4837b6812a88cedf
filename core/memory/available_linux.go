package memory

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// Available returns the number of bytes that the process can allocate without swapping: the
// kernel's MemAvailable, or what the control group leaves if that is less.
func Available() (bytes int64, known bool) {
	bytes, known = entry("/proc/meminfo", "MemAvailable:")
	if limit, ok := groupAvailable("/sys/fs/cgroup"); ok && (!known || limit < bytes) {
		bytes, known = limit, true
	}
	return bytes, known
}

// Resident returns the number of bytes that the process has in memory.
func Resident() (bytes int64, known bool) { return entry("/proc/self/status", "VmRSS:") }

// Peak returns the largest number of bytes that the process had in memory at once since it
// started, or since the last ResetPeak.
func Peak() (bytes int64, known bool) { return entry("/proc/self/status", "VmHWM:") }

// ResetPeak resets Peak to the present use of memory. If the system does not allow this,
// Peak stays as it is.
func ResetPeak() {
	const resetPeak = "5" // proc_pid_clear_refs(5)
	_ = os.WriteFile("/proc/self/clear_refs", []byte(resetPeak), 0)
}

// mapped returns the number of bytes of files, such as its code, that the process has in
// memory.
func mapped() int64 {
	bytes, _ := entry("/proc/self/status", "RssFile:")
	return bytes
}

// entry reads the number of a line such as "MemAvailable: N kB", in bytes.
func entry(path, name string) (bytes int64, known bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 2 && fields[0] == name {
			kB, err := strconv.ParseInt(fields[1], 10, 64)
			return kB << 10, err == nil
		}
	}
	return 0, false
}

// groupAvailable returns the bytes that a version 2 control group still allows: memory.max -
// memory.current, plus the page cache, which the kernel frees under pressure.
func groupAvailable(dir string) (int64, bool) {
	limit, ok := readInt(dir + "/memory.max")
	if !ok {
		return 0, false
	}
	current, ok := readInt(dir + "/memory.current")
	return max(0, limit-current+pageCache(dir+"/memory.stat")), ok
}

// pageCache returns the sum of inactive_file and active_file of memory.stat.
func pageCache(path string) (bytes int64) {
	b, _ := os.ReadFile(path)
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "inactive_file" || name == "active_file" {
			n, _ := strconv.ParseInt(value, 10, 64)
			bytes += n
		}
	}
	return bytes
}

func readInt(path string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil // "max" means no limit
}
