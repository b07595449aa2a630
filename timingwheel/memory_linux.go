package timingwheel

import (
	"fmt"
	"syscall"
	"unsafe"
)

// mapZeroed returns a zeroed T from outside the Go heap: the collector neither
// scans it nor counts it, so GOGC doesn't multiply it. The kernel gives the
// pages at first use. T must have no pointers.
func mapZeroed[T any]() (*T, error) {
	var zero T
	b, err := syscall.Mmap(-1, 0, int(unsafe.Sizeof(zero)),
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("timingwheel: map %d bytes: %w", unsafe.Sizeof(zero), err)
	}
	return (*T)(unsafe.Pointer(unsafe.SliceData(b))), nil
}

// unmap gives back what mapZeroed returned.
func unmap[T any](t *T) error {
	b := unsafe.Slice((*byte)(unsafe.Pointer(t)), unsafe.Sizeof(*t))
	if err := syscall.Munmap(b); err != nil {
		return fmt.Errorf("timingwheel: unmap: %w", err)
	}
	return nil
}
