//go:build !linux

package timingwheel

// mapZeroed returns a zeroed T. It has no pointers, so the collector counts it
// but doesn't scan it.
func mapZeroed[T any]() (*T, error) { return new(T), nil }

// unmap leaves it to the collector.
func unmap[T any](*T) error { return nil }
