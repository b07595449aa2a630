package machine

import "os"

// Descriptors returns how many this process may have, and how many it has.
func Descriptors() (limit, used int) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return int(descriptorLimit()), assumedDescriptors
	}
	return int(descriptorLimit()), len(entries)
}
