package bench

import "syscall"

// childAttributes: the kernel kills the child if we go first, and Ctrl-C at the terminal,
// which goes to the whole foreground group, is ours alone to act on.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
