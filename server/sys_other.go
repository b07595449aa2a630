//go:build !linux

package server

// unreadBytes is not known here; the held clock alone then protects from stalls.
func unreadBytes(int) int { return 0 }

// descriptors returns the process's limit and a guess at how many are in use.
func descriptors() (limit, used int) { return descriptorLimit(), assumedDescriptors }
