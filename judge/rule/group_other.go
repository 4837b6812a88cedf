//go:build !unix

package rule

import "os/exec"

// inGroup returns the function that kills a command. Here it cannot reach processes that the
// command has started; herd does not wait for their output.
func inGroup(cmd *exec.Cmd) (kill func() error) {
	return func() error { return cmd.Process.Kill() }
}
