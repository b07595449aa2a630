package server_test

import (
	"slices"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// The number that a login is given travels with its client, to any node of the cluster, and nobody but a node can give it.
func TestStampTravelsInTheReturnPass(t *testing.T) {
	secret := [][]byte{[]byte("a secret of the cluster, 32 bytes")}
	var after, opened []uint64
	handler := func(stamp uint64) server.Handler {
		return server.Handler{
			Stamp: func(known uint64) uint64 {
				after = append(after, known)
				stamp++
				return stamp
			},
			Opened: func(s *server.Session) { opened = append(opened, s.Stamp()) },
		}
	}
	var pass []byte
	withNode(t, server.Config{ClusterSecrets: secret, Handler: handler(100)}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		back := c.Return()
		pass = back.ExpectWelcome().ReturnPass
	})
	withNode(t, server.Config{ClusterSecrets: secret, Handler: handler(50)}, func(t *testing.T, n *servertest.Node) {
		show := func(id string, pass []byte) {
			c := n.Dial()
			c.Hello(codec.HelloMessage{ClientID: []byte(id), ReturnPass: pass})
			c.ExpectWelcome()
		}
		show("alice", pass)
		show("bob", pass)
		forged := slices.Clone(pass)
		forged[len(forged)-17] ^= 1 // of the stamp
		show("alice", forged)
	})
	if want := []uint64{0, 101, 102, 0, 0}; !slices.Equal(after, want) {
		t.Errorf("clients were known to have %v, want %v", after, want)
	}
	if want := []uint64{101, 102, 51, 52, 53}; !slices.Equal(opened, want) {
		t.Errorf("sessions have %v, want %v", opened, want)
	}
}
