package gate

import (
	"encoding/binary"
	"io"
	"net/netip"
	"sync/atomic"
	"time"
)

// Node is what the loops of a node share. Any goroutine may use it.
type Node struct {
	Epoch uint64 // random per start, so that old session ids match nothing
	Name  []byte // that clients see; set before a loop runs

	Conns    *Conns               // the first gate: places; set before a loop runs
	Silences Silences             // who has to go when too many are on their way in
	Budget   Budget               // bytes that wait for all clients
	Bulk     Publishing           // what was published and is not with all loops yet
	Memory   Memory               // what the process uses
	Queue    *Queue               // the second gate: whose turn it is
	Addrs    *Limiter[netip.Addr] // sessions and handshakes of an address (AddrKey)
	IDs      *Limiter[uint64]     // handshakes of a client id at an address (Seals.IDKey)
	Seals    *Seals               // tickets and return passes
	Roster   *Roster              // sessions by client id; nil: nobody asks for them
	Window   Window               // over which clients would return
	Load     Load                 // how much there is to do
	Drain    Drain                // the pace at which clients are handed over
	Senders  Senders              // what was taken of whom
	Unused   atomic.Int64         // slots of handshakes whose clients went without a HELLO
	Stopping atomic.Bool          // everybody is sent away
	Hurry    atomic.Bool          // and at once: loops have nothing better to do
}

// Config is what a node's gates go by.
type Config struct {
	Heartbeat, Tick time.Duration // how often clients speak, and how often the gates are looked at

	AdmitRate float64 // clients a second that may come in
	// HandshakeRate is how many TLS handshakes a second may begin; 0: AdmitRate's.
	HandshakeRate float64
	FailoverRate  float64 // clients a second that would find a place elsewhere
	AddrConns     int     // sessions of an address, 0: no bound
	AddrRate      float64 // handshakes a second of an address, 0: no bound
	IDRate        float64 // of a client id at an address, 0 or less: no bound

	Index      bool       // there is a roster, though Duplicates bounds nothing
	Duplicates Duplicates // what becomes of a login beyond MaxSameID
	MaxSameID  int        // sessions of a client id, unless they stand beside each other

	Secrets [][]byte // what the nodes of a cluster seal with, the first, and know each other by; none: a random one
}

// NewNode makes the gates of a node. Its randomness is all of random, which must not fail. Name
// and Conns are still to be set.
func NewNode(cfg Config, random io.Reader) *Node {
	n := &Node{
		Epoch: binary.BigEndian.Uint64(randomBytes(random, 8)),
		Queue: NewQueue(cfg.AdmitRate),
		Addrs: NewLimiter[netip.Addr](cfg.AddrConns, cfg.AddrRate, random),
		IDs:   NewLimiter[uint64](0, cfg.IDRate, random),
		Seals: NewSeals(cfg.Secrets, random),
	}
	if cfg.Index || cfg.Duplicates != StandBeside {
		n.Roster = NewRoster(n.Seals, cfg.Duplicates, cfg.MaxSameID)
	}
	n.Senders.begin(binary.BigEndian.Uint64(randomBytes(random, 8)))
	n.Load.begin(cfg.AdmitRate, cfg.Heartbeat, cfg.Tick)
	n.Load.SetHandshakes(cfg.HandshakeRate)
	n.Window.SetRate(cfg.FailoverRate)
	return n
}

// Tune has the gates go by cfg from now on, in its rates, the bounds of an address and a client id,
// and the secrets; FailoverRate is Window.SetRate's, and all else stays. It is for who calls
// Load.Observe.
func (n *Node) Tune(now time.Duration, cfg Config) {
	n.Load.SetCeiling(cfg.AdmitRate)
	n.Load.SetHandshakes(cfg.HandshakeRate)
	n.Queue.SetRate(now, n.Load.SlotRate())
	n.Addrs.SetBounds(now, cfg.AddrConns, cfg.AddrRate)
	n.IDs.SetBounds(now, 0, cfg.IDRate)
	n.Seals.SetSecrets(cfg.Secrets)
}

// Tidy forgets what nobody needs any more, about once a tick.
func (n *Node) Tidy(now time.Duration) {
	n.Addrs.Tidy(now)
	n.IDs.Tidy(now)
	n.Seals.Tidy(now)
	n.Senders.Tidy(now)
}

// WindowNow is the reconnect window of the connections that there are, at most limit.
func (n *Node) WindowNow(limit time.Duration) time.Duration {
	return n.Window.For(n.Conns.Open(), limit)
}

// NeedsRoom says which loop has to send its longest silent connection away, if any has to.
func (n *Node) NeedsRoom() (loop uint8, any bool) {
	if !n.Conns.Crowded() {
		return 0, false
	}
	return n.Silences.Oldest()
}

// randomBytes reads n bytes. A source of randomness that fails leaves nothing to go on with.
func randomBytes(random io.Reader, n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		panic("gate: no randomness: " + err.Error())
	}
	return b
}
