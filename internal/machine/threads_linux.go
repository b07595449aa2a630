package machine

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Hurry puts all threads of this process before others until the function that it returns
// is called; threads to come inherit it. All, because a loop that runs first still waits
// for the collector's threads. It leaves alone what somebody has niced, and does nothing
// where it may not.
func Hurry() (undo func()) {
	const ordinary, hurried = 0, -10
	if raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err != nil || raw != 20-ordinary {
		return func() {}
	}
	set := func(nice int) {
		ids, _ := ownThreads()
		for _, tid := range ids {
			_ = unix.Setpriority(unix.PRIO_PROCESS, tid, nice) // unprivileged: it stays as it was
		}
	}
	set(hurried)
	return func() { set(ordinary) }
}

// Pin keeps this process, and whatever it starts from now on, on the processors first to
// first+count-1. GOMAXPROCS is then count.
func Pin(first, count int) error {
	var set unix.CPUSet
	for cpu := range count {
		set.Set(first + cpu)
	}
	ids, err := ownThreads()
	if err != nil {
		return err
	}
	for _, tid := range ids { // new ones inherit it
		if err := unix.SchedSetaffinity(tid, &set); err != nil {
			return fmt.Errorf("processors %d to %d: %w", first, first+count-1, err)
		}
	}
	runtime.GOMAXPROCS(count)
	return nil
}

func ownThreads() (ids []int, err error) {
	entries, err := os.ReadDir("/proc/self/task")
	for _, e := range entries {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			ids = append(ids, tid)
		}
	}
	return ids, err
}
