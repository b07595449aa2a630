package bench

import "golang.org/x/sys/unix"

// withoutPreemption has the calling thread, and the children that it forks, not preempt
// others when they wake. It returns what undoes that for the thread.
func withoutPreemption() func() {
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
