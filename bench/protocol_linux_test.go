package bench

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

// The protocol and the password must reach the worker processes.
func TestWorkersSpeakTheProtocol(t *testing.T) {
	benchtest.LeavesNothing(t)
	flags := make(chan byte, 100)
	f := &benchtest.Node{Meet: func(c *net.TCPConn, _ int) bool {
		b := make([]byte, 512)
		if n, _ := io.ReadAtLeast(c, b, 12); n >= 12 {
			flags <- b[9]
		}
		c.Write([]byte{0x20, 2, 0, 0})
		for _, err := c.Read(b); err == nil; _, err = c.Read(b) {
			c.Write([]byte{0xd0, 0}) // PINGRESP
		}
		return true
	}}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.Serve(l)
	defer f.Stop()
	r, err := Run(t.Context(), Config{Scenario: "hold", Targets: []string{f.Addr()}, Protocol: "mqtt", Username: "u", Password: "p",
		Conns: 20, Rate: 2000, Heartbeat: 10 * time.Second, Duration: 100 * time.Millisecond, Workers: 2, LateLimit: time.Minute}, View{})
	if err != nil || r.Verdict != result.Pass {
		t.Fatalf("verdict %v, %v", r, err)
	}
	close(flags)
	n := 0
	for got := range flags {
		n++
		if want := byte(0xc2); got != want {
			t.Fatalf("CONNECT with flags %#x, want %#x", got, want)
		}
	}
	if n != 20 {
		t.Errorf("%d CONNECTs, want 20", n)
	}
}
