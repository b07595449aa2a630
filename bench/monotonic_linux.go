package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is a clock that all processes of this machine share.
func monotonic() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail with these arguments
	return time.Duration(t.Nano())
}
