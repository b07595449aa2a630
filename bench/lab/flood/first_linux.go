package flood

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// First has all threads of this process go before every other that is not in the hands of the kernel's
// real-time scheduler, as on processors of their own, and of those that are before the ones of a lower rank: 1 is
// the lowest. A process without the right to do so stays as it is.
func First(rank uint32) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, e := range entries {
		if tid, err := strconv.Atoi(e.Name()); err == nil { // new threads inherit it
			_ = unix.SchedSetAttr(tid, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: rank}, 0)
		}
	}
}
