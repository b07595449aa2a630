//go:build !linux

package machine

// Read reads the limits of this process; those of the machine are not known here.
func Read() Limits {
	l := NoLimits()
	l.Descriptors = descriptorLimit()
	return l
}
