package machine

import (
	"math"

	"golang.org/x/sys/unix"
)

// assumedDescriptors stands for those in use where the system does not tell.
const assumedDescriptors = 64

// descriptorLimit is the soft limit, which the Go runtime has raised to the hard one.
func descriptorLimit() int64 {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 1024
	}
	return int64(min(r.Cur, math.MaxInt32))
}
