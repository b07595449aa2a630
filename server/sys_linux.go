package server

import (
	"os"

	"golang.org/x/sys/unix"
)

// unreadBytes asks the kernel how much a socket has received that nobody has read.
func unreadBytes(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// descriptors returns the process's limit and how many are in use.
func descriptors() (limit, used int) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return descriptorLimit(), assumedDescriptors
	}
	return descriptorLimit(), len(entries)
}
