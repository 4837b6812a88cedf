package run

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// LockName is the file that locks a directory. It is there only while a process works in
// the directory, or after that process was killed, and is no part of the contents.
const LockName = ".herd.lock"

// Lock keeps other processes from a directory. The system releases it when the process
// dies, however it dies (except where lock_other.go applies).
type Lock struct{ file *os.File }

// InUse reports that another process works in a directory.
type InUse struct {
	Dir    string
	Holder string // "process 4711 on box"; "another process" if it is unknown
}

func (e *InUse) Error() string {
	return fmt.Sprintf("%s is in use by %s (%s): wait until it ends, or choose another directory", e.Dir, e.Holder, filepath.Join(e.Dir, LockName))
}

// errLocked is what openLocked returns if another process holds the lock.
var errLocked = errors.New("locked")

// LockDir locks a directory. The error is an *InUse if another process holds the lock. On a
// file system without locks, LockDir succeeds and keeps nobody away.
func LockDir(dir string) (*Lock, error) {
	path := filepath.Join(dir, LockName)
	for {
		f, err := openLocked(path)
		if errors.Is(err, errLocked) {
			return nil, &InUse{dir, holderOf(path)}
		}
		if err != nil {
			return nil, err
		}
		// The process that held the lock before removes the file when it ends: there may be
		// another file at path since this one was opened.
		if isAt(f, path) {
			sign(f)
			return &Lock{f}, nil
		}
		f.Close()
	}
}

// isAt reports whether f is the file at path.
func isAt(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}

// sign writes who holds the lock into its file. The lock does not depend on it.
func sign(f *os.File) {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	if f.Truncate(0) == nil {
		fmt.Fprintf(f, "%d %q\n", os.Getpid(), host)
	}
}

// holderOf reads what sign wrote.
func holderOf(path string) string {
	const unknown, most = "another process", 512
	f, err := os.Open(path)
	if err != nil {
		return unknown
	}
	defer f.Close()
	var pid int
	var host string
	if _, err := fmt.Fscanf(io.LimitReader(f, most), "%d %q", &pid, &host); err != nil {
		return unknown
	}
	return fmt.Sprintf("process %d on %s", pid, host)
}
