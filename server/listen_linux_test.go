package server

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
)

// leaveTimeWait has another server, with SO_REUSEADDR and without SO_REUSEPORT as most are,
// close a connection first, and returns the address that it has left.
func leaveTimeWait(t *testing.T) string {
	t.Helper()
	var plain net.ListenConfig
	plain.SetMultipathTCP(false)
	l, err := plain.Listen(t.Context(), "tcp", freePort(t))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 3 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		a, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Fatalf("%d bytes, want the end", n)
		}
		c.Close()
	}
	return l.Addr().String()
}

// Connections of another server that are in TIME_WAIT keep no node from its port, and two
// nodes are kept from sharing it all the same.
func TestAPortInTimeWaitIsFreeForOneNode(t *testing.T) {
	addr := leaveTimeWait(t)
	claim, err := claimAddr(addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := claimAddr(addr); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the address is claimed twice: %v", err)
	}
	claim.release()

	node := func() *Server {
		s, err := New(Config{Listen: addr, Loops: 4})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			_ = s.Stop(ctx) // the error of Start
		})
		return s
	}
	if err := node().Start(); err != nil {
		t.Errorf("start on a port in TIME_WAIT: %v", err)
	}
	if err := node().Start(); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the second node on one port: %v", err)
	}
}

// What the claim listens with for a moment is an ordinary socket: an MPTCP one does not know
// the zone of its address.
func TestAClaimKeepsTheZone(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			ip, ok := a.(*net.IPNet)
			if !ok || ip.IP.To4() != nil || !ip.IP.IsLinkLocalUnicast() {
				continue
			}
			claim, err := claimAddr(net.JoinHostPort(ip.IP.String()+"%"+i.Name, "0"))
			if err != nil {
				t.Fatal(err)
			}
			defer claim.release()
			if host, _, err := net.SplitHostPort(claim.addr); err != nil || host != ip.IP.String()+"%"+i.Name {
				t.Errorf("claimed %s, want the zone %s", claim.addr, i.Name)
			}
			return
		}
	}
	t.Skip("no interface has a link-local address")
}
