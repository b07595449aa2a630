//go:build !linux

package payload

import (
	"time"
)

var processStart = time.Now()

// Monotonic serves one process only; workers are for Linux.
func Monotonic() time.Duration { return time.Since(processStart) }
