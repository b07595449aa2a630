//go:build !linux

package server

import "net/netip"

// findListeners finds none: the accept queues stay as long as gnet made them.
func findListeners(int) []int { return nil }

func listenersAt(netip.AddrPort) []int { return nil }

func setListenBacklog(int, int) error { return nil }
