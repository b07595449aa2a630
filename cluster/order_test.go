package cluster_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// welcome reads the first frame of a connection.
func welcome(t *testing.T, conn net.Conn) codec.WelcomeMessage {
	t.Helper()
	all := make([]byte, 4096)
	for n := 0; ; {
		f, _, err := codec.Decode(all[:n], codec.MaxPayload)
		if err == nil {
			m, err := codec.ParseWelcome(f.Payload)
			if f.Type != codec.Welcome || err != nil {
				t.Fatalf("a frame of type %v: %v", f.Type, err)
			}
			m.ReturnPass = append([]byte(nil), m.ReturnPass...)
			return m
		}
		more, err := conn.Read(all[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += more
	}
}

// goneWith is the code with which a connection ends.
func goneWith(t *testing.T, conn net.Conn) (code codec.Code) {
	t.Helper()
	all, _ := io.ReadAll(conn)
	for f, size, err := codec.Decode(all, codec.MaxPayload); err == nil; f, size, err = codec.Decode(all, codec.MaxPayload) {
		all = all[size:]
		if m, err := codec.ParseGoAway(f.Payload); f.Type == codec.GoAway && err == nil {
			code = m.Code
		}
	}
	return code
}

// Who has come to the other side of a split, where a clock is an hour behind, stays there when the nodes meet: the
// return pass tells the node how late its login must be.
func TestReturnPassBringsTheStampOverASplit(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	known := func(_ *cluster.Config, s *server.Config) {
		s.ClusterSecrets = [][]byte{[]byte("a secret of the cluster, 32 bytes")}
	}
	net.Split([]string{"a"}, []string{"b"})
	ahead := func(c *cluster.Config, s *server.Config) {
		known(c, s)
		c.SetSkew(time.Hour)
	}
	a, b := join(t, &net, "a", ahead), join(t, &net, "b", known)
	old := say(t, a.srv.Addr(), &codec.HelloMessage{ClientID: []byte("alice")})
	pass := welcome(t, old).ReturnPass
	now := say(t, b.srv.Addr(), &codec.HelloMessage{ClientID: []byte("alice"), ReturnPass: pass})
	welcome(t, now)
	net.Heal()
	see(t, a, b)
	if code := goneWith(t, old); code != codec.CodeReplaced {
		t.Errorf("what it had before ends with %v, want replaced", code)
	}
	until(t, "it is at b alone", func() bool { return a.srv.Stats().Sessions == 0 && b.srv.Stats().Sessions == 1 })
	if n := b.Status().Counts.Replaced; n != 0 {
		t.Errorf("b has ended %d sessions", n)
	}
}

// A HELLO that is read late, when its client has long come to another node, has its own session ended.
func TestHelloReadLateElsewhereIsSuperseded(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	a, b := join(t, &net, "a", nil), join(t, &net, "b", nil)
	see(t, a, b)
	hello(t, a.srv.Addr(), "alice", 7, 2)
	until(t, "b knows of it", func() bool { return b.has("login a alice alice") })
	late := hello(t, b.srv.Addr(), "alice", 7, 1)
	if code := goneWith(t, late); code != codec.CodeSuperseded {
		t.Errorf("the earlier attempt ends with %v, want superseded", code)
	}
	until(t, "a has the client's", func() bool { return a.srv.Stats().Sessions == 1 })
	if n := a.Status().Counts; n.Superseded+n.Replaced != 0 {
		t.Errorf("a has ended %d sessions as superseded, %d as replaced", n.Superseded, n.Replaced)
	}
}
