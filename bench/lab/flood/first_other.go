//go:build !linux

package flood

// First does nothing here.
func First(uint32) {}
