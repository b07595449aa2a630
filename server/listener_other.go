//go:build !linux

package server

// findListener finds none: the accept queue stays as long as gnet made it.
func findListener(int) int { return -1 }

func setListenBacklog(int, int) error { return nil }
