package child

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes: the kernel kills the child if we go first, and Ctrl-C at the terminal, which
// goes to the whole foreground group, is ours alone to act on.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// withoutPreemption has the calling thread, and the children that it forks, not preempt
// others when they wake. It returns what undoes that for the thread.
func withoutPreemption() (undo func()) {
	before, err := unix.SchedGetAttr(0, 0)
	if err != nil || before.Policy != unix.SCHED_NORMAL {
		return func() {} // somebody chose another policy
	}
	batch := *before
	batch.Policy = unix.SCHED_BATCH
	if unix.SchedSetAttr(0, &batch, 0) != nil {
		return func() {}
	}
	return func() { _ = unix.SchedSetAttr(0, before, 0) }
}

// withSlack has the calling thread, and the children that it forks, oversleep by up to slack. It
// returns what undoes that for the thread.
func withSlack(slack time.Duration) (undo func()) {
	before, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0) != nil {
		return func() {}
	}
	return func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(before), 0, 0, 0) }
}
