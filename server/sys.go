package server

import (
	"math"

	"golang.org/x/sys/unix"
)

// assumedDescriptors stands for those in use where the system does not tell.
const assumedDescriptors = 64

// descriptorLimit is the soft limit, which the Go runtime has raised to the hard one.
func descriptorLimit() int {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 1024
	}
	return int(min(r.Cur, math.MaxInt32))
}

// canaryDescriptor opens a descriptor and closes it again, and returns its number.
func canaryDescriptor() (fd int, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, err
	}
	return fd, unix.Close(fd)
}
