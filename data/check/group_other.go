//go:build !unix

package check

import "os/exec"

// inGroup returns what kills a command. Processes that it has started are not
// reached here; their output is not waited for.
func inGroup(cmd *exec.Cmd) (kill func() error) {
	return func() error { return cmd.Process.Kill() }
}
