package peers

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Pin keeps this process, and whatever it starts from now on, on the processors first to
// first+count-1.
func Pin(first, count int) error {
	var set unix.CPUSet
	for cpu := range count {
		set.Set(first + cpu)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads { // new ones inherit it
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil {
			return fmt.Errorf("processors %d to %d: %w", first, first+count-1, err)
		}
	}
	runtime.GOMAXPROCS(count)
	return nil
}
