package natsbus

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/stormwheel/stormwheel/cluster"
)

// Bus is a node's cluster.Bus. Make it by New; any goroutine may use it.
type Bus struct {
	cfg    Config
	prefix string // of subjects
	conn   *nats.Conn
	node   *node // the server within; nil: there is none
	out    *out
	in     *in
	watch  watcher
	errors atomic.Uint64 // NATS messages that nats.go did not take
	most   atomic.Int64  // bytes that a NATS message may have: nats.go's answer waits for its writes

	mu     sync.Mutex // one Subscribe at a time
	closed sync.Once
	sent   chan struct{} // closed when the writer has ended
}

// watcher tells when a node is gone.
type watcher interface {
	watch(node string, lost func()) (stop func())
	close()
}

// closeTime bounds how long Close waits until what was published has left.
const closeTime = time.Second

// New starts the node's server, or connects to Config.Servers. Peers need not be there. The error names a field
// of cfg that makes no sense, says that Listen is taken, that nobody answers at Servers, or that its max_payload is below
// the 1 MiB that is NATS's default.
func New(cfg Config) (*Bus, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	b := &Bus{cfg: cfg, out: newOut(cfg.MaxQueued), in: newIn(cfg.MaxQueued), sent: make(chan struct{})}
	var err error
	if cfg.Servers == "" {
		err = b.embed()
	} else {
		err = b.connect(cfg.Servers, b.external()...)
		b.prefix = cfg.Name + "."
	}
	if err != nil {
		close(b.in.from)
		return nil, err
	}
	if b.node != nil {
		b.watch = b.node
	} else if b.watch, err = newProber(b.conn, b.prefix); err != nil {
		b.conn.Close()
		close(b.in.from)
		return nil, fmt.Errorf("natsbus: %w", err)
	}
	go b.write()
	return b, nil
}

// connect connects to servers as the Bus's connection.
func (b *Bus) connect(servers string, more ...nats.Option) (err error) {
	log := b.cfg.Logger
	options := append([]nats.Option{
		nats.Name(b.cfg.Node),
		nats.NoEcho(),
		nats.MaxReconnects(-1),
		nats.ReconnectBufSize(reconnectBytes),
		nats.FlusherTimeout(writeTime),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("NATS: connection lost", "err", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			b.most.Store(c.MaxPayload())
			log.Info("NATS: connected again", "server", c.ConnectedUrlRedacted())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrSlowConsumer) {
				b.in.losses.Add(1)
				return
			}
			log.Warn("NATS", "err", err)
		}),
	}, more...)
	if b.conn, err = nats.Connect(servers, options...); err != nil {
		return fmt.Errorf("natsbus: %s: %w", redacted(servers), err)
	}
	b.most.Store(b.conn.MaxPayload())
	if most := b.most.Load(); most < leastPayload {
		b.conn.Close()
		return fmt.Errorf("natsbus: a NATS with max_payload %d takes too little, it must be %d at least", most, leastPayload)
	}
	return nil
}

// redacted are addresses as they may be shown, without passwords.
func redacted(servers string) string {
	all := strings.Split(servers, ",")
	for i, one := range all {
		if u, err := url.Parse(strings.TrimSpace(one)); err == nil {
			all[i] = u.Redacted()
			if u.User != nil {
				if _, has := u.User.Password(); !has { // a token
					u.User = nil
					all[i] = u.String()
				}
			}
		}
	}
	return strings.Join(all, ",")
}

const (
	// leastPayload is NATS's default: what waits leaves together, and so do pieces of lists.
	leastPayload = 1 << 20
	// reconnectBytes is what may wait in nats.go while it connects again; what comes then is lost.
	reconnectBytes = 1 << 20
	// writeTime is how long a server may take nothing, before its connection is given up.
	writeTime = 2 * time.Second
	// pingTime is how often an existing NATS is asked whether it is there; the third ping that it does not
	// answer ends the connection.
	pingTime = time.Second
)

// external is how an existing NATS is reached.
func (b *Bus) external() []nats.Option {
	options := []nats.Option{
		nats.PingInterval(pingTime), nats.MaxPingsOutstanding(2),
		nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		nats.Timeout(5 * time.Second),
	}
	if b.cfg.Credentials != "" {
		options = append(options, nats.UserCredentials(b.cfg.Credentials))
	}
	if b.cfg.TLS != nil {
		options = append(options, nats.Secure(b.cfg.TLS.Clone()))
	} else if strings.Contains(b.cfg.Servers, "tls://") {
		options = append(options, nats.Secure(&tls.Config{MinVersion: tls.VersionTLS12}))
	}
	return options
}

// Publish implements cluster.Bus.
func (b *Bus) Publish(subject string, body []byte) error {
	if int64(len(body))+10 > b.most.Load() {
		return cluster.ErrTooBig
	}
	if err := b.out.put(subject, body); err != nil {
		return err
	}
	if b.node != nil {
		b.node.sends(subject)
	}
	return nil
}

// write has what was published leave.
func (b *Bus) write() {
	defer close(b.sent)
	var left []batch
	for range b.out.wake {
		left = b.writeAll(left)
	}
	b.writeAll(left)
}

func (b *Bus) writeAll(left []batch) []batch {
	left = b.out.take(left)
	for i := range left {
		if err := b.conn.Publish(b.prefix+left[i].subject, left[i].body); err != nil {
			b.errors.Add(1)
		}
	}
	return left
}

// Subscribe implements cluster.Bus.
func (b *Bus) Subscribe(subject string, f func(body []byte)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn.IsClosed() {
		return cluster.ErrClosed
	}
	if !b.in.add(b.prefix+subject, f) {
		return nil
	}
	if _, err := b.conn.ChanSubscribe(b.prefix+subject, b.in.from); err != nil {
		return fmt.Errorf("natsbus: %w", err)
	}
	return nil
}

// Watch implements cluster.Bus. A node that was killed is known to be gone after 10 to 30 ms, one that is frozen
// or cut off within a second; by Servers both after a second, if at all.
func (b *Bus) Watch(node string, lost func()) (stop func()) { return b.watch.watch(node, lost) }

// Stats are counts since the start.
type Stats struct {
	Lost   uint64 `json:"lost"`   // NATS messages that came and had no room
	Unsent uint64 `json:"unsent"` // that nats.go did not take, since there was no connection
	Routes int    `json:"routes"` // connections to other nodes, now; 0 with Servers
	// Refusals are peers of the last minute with which there is no connection. None with Servers.
	Refusals []Refusal `json:"refusals,omitempty"`
}

// Refusal is a peer with which a node has no connection.
type Refusal struct {
	Peer string `json:"peer"` // its address, or its host where it is not known at which port it listens
	Why  string `json:"why"`  // in words
}

// NameTaken has an error, once, when this node was refused, or has refused another, because both have one name. Who has only
// just started should end then: the other was there before. Never with Servers.
func (b *Bus) NameTaken() <-chan error {
	if b.node == nil {
		return nil
	}
	return b.node.nameTaken()
}

// Stats returns them.
func (b *Bus) Stats() Stats {
	st := Stats{Lost: b.in.losses.Load(), Unsent: b.errors.Load()}
	if b.node != nil {
		st.Routes, st.Refusals = b.node.routes(), b.node.refused()
	}
	return st
}

// Close implements cluster.Bus. It waits until nobody is called any more.
func (b *Bus) Close() error {
	b.closed.Do(func() {
		b.out.close()
		within(closeTime, b.sent)
		_ = b.conn.FlushTimeout(closeTime) // what cannot leave is lost
		b.watch.close()
		b.mu.Lock()
		b.conn.Close()
		b.mu.Unlock()
		b.in.close()
		if b.node != nil {
			b.node.shutdown()
		}
	})
	return nil
}

func within(d time.Duration, done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(d):
	}
}
