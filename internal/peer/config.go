package peer

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/codec"
)

// Config is what a machine is told once. The zero value of a duration or a bound means its default.
type Config struct {
	Node    string // this node's name, see ValidNode
	Epoch   uint64 // random, drawn at the start of the process; not 0
	Seed    uint64 // random: what the machine draws follows from it
	Address string // where clients find this node, "host:port"; empty: it is nobody's alternate
	Version string // of the software, for people

	// Replace has a login end the older ones of the same client id on all nodes. Without it, logins are
	// told, and end nobody.
	Replace bool

	Announce time.Duration // between two announcements. Default 1 s
	Alive    time.Duration // a peer that is silent for longer is down. Default 3 s
	Batch    time.Duration // how long a claim may wait for others. Default 1 ms; negative: not at all
	Settle   time.Duration // how long a peer must be up before clients are moved to it. Default 5 s

	// LogBytes bounds the claims that are kept for peers which missed them. Beyond it a peer gets all
	// live sessions. Default 1 MiB.
	LogBytes int
	// MaxPeers bounds the peers that are known, dead ones included. Of the dead, the one that was silent for
	// longest is forgotten first; one more live peer is not listened to. Default 1,024.
	MaxPeers int
	// ListPace is the least time between two questions to a peer for its sessions, of which an answer
	// has some 64 KiB. Default 10 ms.
	ListPace time.Duration
	// HomesAbove is above how many live nodes, this one included, logins are told to homes only. Below three quarters of it
	// they are told to all again. Default 16; negative: to all, always.
	HomesAbove int
	// LaneBytes bounds what is told a home, or by one, and has not come there. Beyond it all is told anew. Default 1 MiB.
	LaneBytes int
	// Stay has the node hand over no clients when a peer has joined.
	Stay bool
}

// Bounds of what is sent.
const (
	MaxNode    = codec.MaxNode // bytes of a node's name
	MaxAddress = 255           // bytes of an address
	MaxVersion = 64            // bytes of a version
	// MaxMessage is the most bytes of a message on the bus.
	MaxMessage = 1 << 20
	// MaxBody is the most bytes of a hub's message.
	MaxBody = MaxMessage - 128
)

func (c Config) withDefaults() Config {
	setDefault(&c.Announce, time.Second)
	setDefault(&c.Alive, 3*time.Second)
	setDefault(&c.Batch, time.Millisecond)
	setDefault(&c.Settle, 5*time.Second)
	setDefault(&c.LogBytes, 1<<20)
	setDefault(&c.MaxPeers, 1024)
	setDefault(&c.ListPace, 10*time.Millisecond)
	setDefault(&c.HomesAbove, 16)
	setDefault(&c.LaneBytes, 1<<20)
	c.Batch = max(c.Batch, 0)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// ErrNode is returned for a name that no node of a cluster can have.
var ErrNode = errors.New("a node of a cluster is named by 1 to 64 bytes without spaces, control characters, '.', '*' and '>'")

// ValidNode says whether a node can have that name: it is a token of a NATS subject.
func ValidNode(name string) error {
	if name == "" || len(name) > MaxNode || strings.ContainsFunc(name, func(r rune) bool { return !inNode(r) }) {
		return ErrNode
	}
	return nil
}

// inNode says whether a node's name may have a rune.
func inNode(r rune) bool {
	return r != '.' && r != '*' && r != '>' && r != utf8.RuneError && !unicode.IsSpace(r) && !unicode.IsControl(r)
}
