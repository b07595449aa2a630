package freeport

import (
	"net/netip"
	"testing"

	"github.com/stormwheel/stormwheel/internal/machine"
)

// A node that starts late would find its port taken by whoever asked for any.
func TestPortsAreBelowThoseOfEverybody(t *testing.T) {
	if first := machine.FirstLocalPort(); first < 20_000 {
		t.Skipf("net.ipv4.ip_local_port_range begins at %d: no port is nobody's", first)
	}
	addrs, err := Loopback(64)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, a := range addrs {
		port := netip.MustParseAddrPort(a).Port()
		if seen[a] || int(port) >= machine.FirstLocalPort() {
			t.Errorf("%s is twice there, or in the range that begins at %d", a, machine.FirstLocalPort())
		}
		seen[a] = true
	}
}
