package siege

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// Target is a node, and what of its configuration peers must know to misbehave and to judge how
// they are ended. Its fields are set before the first peer comes; after that any goroutine may
// use it.
type Target struct {
	Addr string // host and port, or "unix:" and a path

	HelloTimeout, PartialTimeout time.Duration // the node's own, for who is slow
	FrameRate                    int           // frames a second that the node takes of a client, for who says too much

	// Token makes a token that admits the id until then. Nil is for a node that wants none.
	Token func(id string, until time.Time) string

	// Stage makes the peers' side of what the node has between its sockets and frames. Nil is for
	// plain TCP.
	Stage func() transport.Stage

	Patience time.Duration // bounds every wait of a peer; default 30 s

	serial atomic.Int64 // so that ids differ
}

const defaultPatience = 30 * time.Second

func (t *Target) patience() time.Duration {
	if t.Patience > 0 {
		return t.Patience
	}
	return defaultPatience
}

func (t *Target) token(id string, until time.Time) string {
	if t.Token == nil {
		return ""
	}
	return t.Token(id, until)
}

// Peer returns a peer that has not connected yet, with an id of its own that begins with kind.
func (t *Target) Peer(kind string) *Peer {
	return &Peer{target: t, ID: fmt.Sprint(strings.ReplaceAll(kind, " ", "-"), "-", t.serial.Add(1))}
}

// home is where well-behaved clients come from, so that a limit of an address is the enemies'
// alone; they come from 127.0.0.1.
var home = net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
