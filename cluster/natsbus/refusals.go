//go:build !nonats

package natsbus

import (
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// refusals are the peers with which there is no connection, and why, as far as the server says so. There is no
// other way to know: it tells nobody but its log. Embedded's tests see that it still says so in these words.
type refusals struct {
	node  string // this one's name
	plain bool   // it has neither secret nor certificates
	ports map[string]bool
	log   *slog.Logger
	began time.Time

	lock  sync.Mutex
	last  map[Refusal]*told
	taken chan error // has one, when another node of this one's name was met
}

// told is when something was heard last, and when operators were told of it.
type told struct {
	heard, at time.Time
	over      bool // the peer was reached since
}

const (
	// tellTime is how often operators are told of the same.
	tellTime = time.Minute
	// quietTime is how long after the start nobody wonders why others do not listen.
	quietTime = 10 * time.Second
	// maxRefusals bounds how many are kept: ports and hosts of strangers have no end.
	maxRefusals = 256
)

func newRefusals(cfg Config) *refusals {
	r := &refusals{node: cfg.Node, plain: cfg.TLS == nil && len(cfg.Secrets) == 0, ports: make(map[string]bool), log: cfg.Logger,
		began: time.Now(), last: make(map[Refusal]*told), taken: make(chan error, 1)}
	for _, addr := range append(slices.Clone(cfg.Peers), cfg.Listen) {
		if _, port, err := net.SplitHostPort(strings.TrimPrefix(addr, dnsPrefix)); err == nil {
			r.ports[port] = true
		}
	}
	return r
}

// What is wrong with a peer, as operators are told.
const (
	whySecret    = "one does not believe the other: they have different secrets, or certificates of different authorities"
	whyPlain     = "it has no secret and no certificates, which this node has"
	whyEncrypted = "it has a secret, or certificates, and this node has neither"
	whyName      = "it is of a cluster with another --cluster-name"
	whyTwin      = "it has the name of this node"
)

// hear notes what the server said, if it is about a peer that is not let in or does not let this node in.
func (r *refusals) hear(text string, now time.Time) {
	if addr, said, _ := strings.Cut(text, " - rid:"); strings.HasSuffix(said, " - Route connection created") {
		r.reached(addr)
		return
	}
	why, at := r.meaning(text)
	if why == "" {
		return
	}
	if why == whyTwin {
		select {
		case r.taken <- fmt.Errorf("natsbus: another node has the name %q, and is connected already: %s; each needs a name of its own", r.node, at):
		default:
		}
	}
	unreached := strings.HasPrefix(why, unreachable)
	if unreached && now.Sub(r.began) < quietTime {
		return
	}
	if r.note(Refusal{at, why}, now) {
		r.log.Warn("cluster: no connection with a peer", "peer", at, "why", why)
	}
}

// unreachable begins what is told of a peer that does not answer.
const unreachable = "it cannot be reached"

// meaning is what a line of the server's means, and with which peer: "ADDR - rid:1 - ...", or "...: dial tcp ADDR: ...".
func (r *refusals) meaning(text string) (why, peer string) {
	if _, err, ok := strings.Cut(text, "Error trying to connect to route"); ok {
		_, err, _ = strings.Cut(err, "): ")
		_, rest, _ := strings.Cut(err, "dial tcp ")
		addr, reason, dialed := strings.Cut(rest, ": ")
		if !dialed { // its name has no address
			addr, reason = "", err
		}
		return unreachable + ": " + reason, addr
	}
	addr, rest, ok := strings.Cut(text, " - rid:")
	if !ok {
		return "", ""
	}
	_, rest, _ = strings.Cut(rest, " - ")
	return r.refusal(rest), r.peer(addr)
}

func (r *refusals) refusal(said string) string {
	closed, isEnd := strings.CutPrefix(said, "Router connection closed: ")
	switch {
	case strings.HasPrefix(said, "TLS route handshake error") && strings.Contains(said, "first record does not look like"):
		return whyPlain
	case strings.HasPrefix(said, "TLS route handshake error") && strings.Contains(said, "certificate"):
		return whySecret
	case r.plain && slices.Contains([]string{"Authentication Failure", "Read Error", "Write Error", "Client Closed"}, closed):
		return whyEncrypted // it ended the connection, or spoke TLS, before it said who it is
	case closed == "Cluster Name Conflict":
		return whyName
	case closed == "Duplicate Server Name", isEnd && strings.HasSuffix(closed, "Client Closed - Remote: "+r.node):
		return whyTwin
	}
	return ""
}

// peer is how a peer is called: by its address, if that is one at which it listens, else by its host.
func (r *refusals) peer(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || r.ports[port] {
		return addr
	}
	return host
}

// reached notes that a peer answers. It may be refused for another reason all the same.
func (r *refusals) reached(addr string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	for k, t := range r.last {
		if k.Peer == addr && strings.HasPrefix(k.Why, unreachable) {
			t.over = true
		}
	}
}

// note tells whether operators are to be told.
func (r *refusals) note(what Refusal, now time.Time) bool {
	r.lock.Lock()
	defer r.lock.Unlock()
	for k, t := range r.last {
		if now.Sub(t.heard) > tellTime {
			delete(r.last, k)
		}
	}
	t := r.last[what]
	if t == nil {
		if len(r.last) >= maxRefusals {
			return false
		}
		t = new(told)
		r.last[what] = t
	}
	t.heard, t.over = now, false
	if !t.at.IsZero() && now.Sub(t.at) < tellTime {
		return false
	}
	t.at = now
	return true
}

// now are those of the last minute that are not over, by peer.
func (r *refusals) now() (all []Refusal) {
	r.lock.Lock()
	defer r.lock.Unlock()
	for k, t := range r.last {
		if !t.over && time.Since(t.heard) <= tellTime {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b Refusal) int { return strings.Compare(a.Peer+" "+a.Why, b.Peer+" "+b.Why) })
	return all
}
