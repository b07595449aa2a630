package payload

import (
	"time"

	"golang.org/x/sys/unix"
)

// Monotonic is a clock that all processes of this machine share.
func Monotonic() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail with these arguments
	return time.Duration(t.Nano())
}
