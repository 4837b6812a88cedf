//go:build linux || darwin || freebsd

package disk

import "golang.org/x/sys/unix"

// freeSpace returns the number of bytes that an ordinary user can still write.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(max(s.Bavail, 0)) * uint64(s.Bsize), nil // FreeBSD's Bavail may be negative
}
