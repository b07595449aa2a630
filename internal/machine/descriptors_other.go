//go:build !linux

package machine

// Descriptors returns how many this process may have, and a guess at how many it has.
func Descriptors() (limit, used int) { return int(descriptorLimit()), assumedDescriptors }
