// Package loopback tells requests that were addressed to this machine from those that were not.
package loopback

import (
	"net"
	"net/netip"
	"strings"
)

// Host says whether a request's Host names the machine itself: localhost or a loopback address, with a port
// or without. That of a page in an operator's browser whose name was made to lead here does not.
func Host(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
