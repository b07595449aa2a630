package handshake

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/stormwheel/stormwheel/internal/transport/tlsrecord"
)

// ErrPanic is what a handshake ends with in which a callback of the configuration panicked.
var ErrPanic = errors.New("handshake: a callback panicked")

// What a handshake ends with besides what crypto/tls says.
var (
	errGivenUp   = errors.New("handshake: given up: too many handshakes wait")
	errEnded     = errors.New("handshake: a callback has ended its goroutine")
	errNoSecrets = errors.New("handshake: a handshake without TLS 1.3's secrets")
)

// handshake is one of crypto/tls. One goroutine at a time steps it.
type handshake struct {
	wire    wire
	conn    *tls.Conn
	secrets secrets
	addr    netip.Addr  // of the peer, as originOf counts it, for a server's bounds
	read    int         // bytes of records
	ticket  bool        // has come, for a client's cache
	older   atomic.Bool // has a place of TLS 1.2's

	begin func(*handshake) (*tls.Conn, error) // makes conn
	next  func() (struct{}, bool)             // runs it until it needs another record; false: it has ended; nil: it has not begun
	stop  func()
	err   error // when it has ended

	mu      sync.Mutex
	running bool // guarded by mu: a step is under way
	dead    bool // guarded by mu: nobody waits for it any more

	waitingRoom // of those that wait for their peers; guarded by its waiting
}

// start makes a handshake that has not run yet: it may wait for its turn with thousands of others, and costs
// next to nothing until then. conn makes crypto/tls's Server or Client.
func start(conn func(*handshake) (*tls.Conn, error)) *handshake {
	return &handshake{wire: wire{addr: tcpAddr(netip.Addr{})}, err: errEnded, begin: conn}
}

// coroutine makes what runs it.
func (h *handshake) coroutine() {
	h.next, h.stop = iter.Pull(func(yield func(struct{}) bool) {
		h.wire.more = func() bool { return yield(struct{}{}) }
		if h.err = h.run(); h.err != nil {
			h.secrets.clear()
		}
		h.wire.more = nil
	})
}

// run is the coroutine. What the embedder's callbacks panic with ends this handshake alone.
func (h *handshake) run() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	if h.conn, err = h.begin(h); err != nil {
		return err
	}
	return h.conn.Handshake()
}

// panicked is the error of what recover gave.
func panicked(p any) error { return fmt.Errorf("%w: %v\n%s", ErrPanic, p, debug.Stack()) }

// step is what a step brought.
type step struct {
	words []byte // to the peer
	used  int    // bytes of the records
	done  bool
	err   error
	conn  *tlsrecord.Prepared // if done; nil: crypto/tls goes on, by TLS 1.2
}

// step goes on with whole records, which it keeps.
func (h *handshake) step(records []byte) step {
	h.mu.Lock()
	if h.dead {
		h.mu.Unlock()
		return step{err: errGivenUp}
	}
	h.running = true
	h.mu.Unlock()
	if h.next == nil {
		h.coroutine()
	}
	h.wire.in = bytes.NewReader(records)
	said := len(h.wire.out)
	_, waits := h.next()
	r := step{words: slices.Clip(h.wire.out[said:]), used: len(records) - h.wire.in.Len(), done: !waits && h.err == nil}
	if !waits {
		r.err = h.err
	}
	h.mu.Lock()
	h.running = false
	dead := h.dead
	h.mu.Unlock()
	if dead {
		h.stop()
	}
	return r
}

// abandon ends a handshake for which nobody waits any more. Any goroutine may call it.
func (h *handshake) abandon() {
	h.mu.Lock()
	stop := !h.dead && !h.running && h.stop != nil
	h.dead = true
	h.mu.Unlock()
	if stop {
		h.stop()
	}
}

func (h *handshake) isDead() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dead
}

// prepare makes keys of what a handshake that is done has left; nil: it is one of TLS 1.2.
func (h *handshake) prepare(client bool) (*tlsrecord.Prepared, error) {
	state := h.conn.ConnectionState()
	if state.Version == tls.VersionTLS12 && !client {
		return nil, nil
	}
	k := tlsrecord.Keys{Suite: state.CipherSuite, Client: h.secrets.client, Server: h.secrets.server}
	if state.Version != tls.VersionTLS13 || len(k.Client) == 0 || len(k.Server) == 0 {
		return nil, errNoSecrets
	}
	defer h.secrets.clear()
	written := h.wire.out
	h.wire.out = nil
	return tlsrecord.Prepare(client, k, written)
}
