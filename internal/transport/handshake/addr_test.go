package handshake

import (
	"crypto/tls"
	"net/netip"
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// A host of IPv6 owns a /64, and is one address to the bounds; callbacks see which one it was.
func TestAHostOfIPv6IsOneAddress(t *testing.T) {
	config, err := NewConfig(&tls.Config{Certificates: []tls.Certificate{{}}})
	if err != nil {
		t.Fatal(err)
	}
	froms := []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2:1")}
	stage := NewServer(config, func(s transport.Slot) Peer { return Peer{Addr: froms[s]} })
	one, two := stage.newHandshake(0), stage.newHandshake(1)
	if one.next != nil {
		t.Error("a handshake that waits for its turn has a goroutine")
	}
	if one.addr != two.addr {
		t.Errorf("%v and %v count apart", one.addr, two.addr)
	}
	if got, want := one.wire.addr.String(), "[2001:db8::1]:0"; got != want {
		t.Errorf("a callback sees %v, want %v", got, want)
	}
}
