//go:build !linux

package bench

import "time"

var processStart = time.Now()

// monotonic serves one process only; workers are for Linux.
func monotonic() time.Duration { return time.Since(processStart) }
