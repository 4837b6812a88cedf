//go:build unix

package rule

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// inGroup puts a command that has not started yet into its own process group. It returns the
// function that kills the whole group; the end of the command's context does so too.
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
