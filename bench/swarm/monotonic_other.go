//go:build !linux

package swarm

import (
	"time"
)

var processStart = time.Now()

// Monotonic serves one process only; workers are for Linux.
func Monotonic() time.Duration { return time.Since(processStart) }
