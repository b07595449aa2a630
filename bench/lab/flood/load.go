package flood

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Load is the load average of the machine in the last minute, where the system tells.
func Load() (load float64, ok bool) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, false
	}
	_, err = fmt.Sscan(string(text), &load)
	return load, err == nil
}

// Sleeps is how often a thread of this process has waited for something.
func Sleeps() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with these arguments
	return u.Nvcsw
}

// Waited is how long threads of this process that could run have waited for a processor, all together,
// where the system tells: 0 elsewhere. Those that have ended do not count.
func Waited() (all time.Duration) {
	threads, _ := filepath.Glob("/proc/self/task/*/schedstat")
	for _, name := range threads {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		var ran, waited int64 // nanoseconds
		if _, err := fmt.Sscan(string(text), &ran, &waited); err == nil {
			all += time.Duration(waited)
		}
	}
	return all
}

// CPU is the processor time that this process has used.
func CPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with these arguments
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
