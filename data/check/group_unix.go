//go:build unix

package check

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// inGroup gives a command that is not started yet a process group of its own and
// returns what kills all of it. The end of its context does so too.
func inGroup(cmd *exec.Cmd) (kill func() error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	kill = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
	cmd.Cancel = kill
	return kill
}
