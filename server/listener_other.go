//go:build !linux

package server

// findListeners finds none: the accept queues stay as long as gnet made them.
func findListeners(int) []int { return nil }

func setListenBacklog(int, int) error { return nil }
