package cluster

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/stormwheel/stormwheel/internal/peer"
)

// Config says what a Node is. The zero value of a field means its default.
type Config struct {
	// Node is the node's name: that of server.Config.Node, and different from all others'. It is 1 to 64 bytes without
	// spaces, control characters, ".", "*" and ">".
	Node string
	// Bus is by what the nodes reach each other. It stays the caller's, who closes it after the Node.
	Bus Bus
	// Advertise is the address at which clients find this node, "host:port", as others tell it to theirs.
	// Default: none, until Advertise is called; the node is nobody's alternate.
	Advertise string
	// Version is that of the software, told to others for people. At most 64 bytes. Default: none.
	Version string

	// Replace has a login end the sessions that the same client id has at other nodes, as server.Replace does for those of one
	// node: which server.Config.Duplicates should be, too. Default: sessions of one id stand beside each other.
	Replace bool
	// Stay has the node hand no clients over when another has joined. Default: it hands its surplus over.
	Stay bool
	// OwnAlternates and OwnRate leave server.Config.Alternates and FailoverRate as they are. Default: the live
	// nodes say what they are.
	OwnAlternates, OwnRate bool

	// HomesAbove is above how many live nodes, this one included, logins are told to homes only, which tell who follows a
	// user (Follow); below three quarters of it they are told to all again. All nodes should have the same. Default 16;
	// negative: to all, always.
	HomesAbove int

	// Announce is how often the node says that it is there, and Alive how long another may say nothing before it
	// is taken to be gone, if the Bus does not know better. Default 1 s and 3 s.
	Announce, Alive time.Duration

	// Logger is told who comes and goes, one line each. Default: nobody.
	Logger *slog.Logger
}

// Validate returns one sentence that names the first field that makes no sense.
func (c Config) Validate() error {
	if err := peer.ValidNode(c.Node); err != nil {
		return fmt.Errorf("cluster: Node %.100q: %w", c.Node, err)
	}
	if c.Bus == nil {
		return errors.New("cluster: Bus is missing")
	}
	if len(c.Version) > peer.MaxVersion {
		return fmt.Errorf("cluster: Version has %d bytes, at most %d are allowed", len(c.Version), peer.MaxVersion)
	}
	if c.Announce < 0 || c.Alive < 0 || c.Alive > 0 && c.Alive <= c.Announce {
		return fmt.Errorf("cluster: Alive (%v) must be longer than Announce (%v), and neither negative", c.Alive, c.Announce)
	}
	return validAddress(c.Advertise)
}

func validAddress(addr string) error {
	if addr == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || port == "" || len(addr) > peer.MaxAddress {
		return fmt.Errorf("cluster: Advertise %.100q is not host:port", addr)
	}
	return nil
}

func (c Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return c.Logger
}
