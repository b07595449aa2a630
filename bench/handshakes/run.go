package handshakes

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/tally"
)

// Config says where, and how.
type Config struct {
	Targets []netip.AddrPort // in turn
	Sources []netip.Addr     // local addresses, in turn; none: the kernel chooses
	TLS     *tls.Config
	Resume  bool   // with a ticket, which is fetched before
	Open    int    // at a time
	Most    int    // no more in all; 0: no bound
	Meter   *Meter // is told of each; nil: nobody
}

// Seen is what became of them.
type Seen struct {
	Ended, Resumed, Failed int
	Took                   time.Duration
	Latency                *tally.Hist // from the ClientHello until the client may speak
	Err                    error       // of the first that failed
}

// patience is how long one may take.
const patience = 10 * time.Second

// errNoTicket says that no session can be resumed.
var errNoTicket = errors.New("the server gave no ticket")

// run is one under way.
type run struct {
	Config
	made atomic.Int64

	mu   sync.Mutex
	seen Seen // guarded by mu
}

// Run makes handshakes for so long, or until Most are made or ctx ends, and returns when those under way have
// ended. The error says that none can be made as asked for.
func Run(ctx context.Context, c Config, length time.Duration) (Seen, error) {
	c.TLS = c.TLS.Clone()
	c.TLS.ClientSessionCache = nil
	if c.TLS.ServerName == "" { // tickets are kept by it, else by the address, which differs
		c.TLS.ServerName = "localhost"
	}
	if c.Resume {
		c.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		if err := c.fetchTicket(ctx); err != nil {
			return Seen{}, err
		}
	}
	r := &run{Config: c, seen: Seen{Latency: tally.NewHist()}}
	until, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	began := time.Now()
	var workers sync.WaitGroup
	for range c.Open {
		workers.Go(func() { r.work(until) })
	}
	workers.Wait()
	r.seen.Took = time.Since(began)
	return r.seen, nil
}

// work makes one after the other. Those that have begun end.
func (r *run) work(until context.Context) {
	own := Seen{Latency: tally.NewHist()}
	for until.Err() == nil {
		n := r.made.Add(1)
		if r.Most > 0 && n > int64(r.Most) {
			break
		}
		took, resumed, err := r.one(int(n))
		if r.Meter != nil {
			r.Meter.note(took, err)
		}
		switch {
		case err == nil:
			own.Latency.Record(took)
			own.Ended++
			if resumed {
				own.Resumed++
			}
		default:
			own.Failed++
			if own.Err == nil {
				own.Err = err
			}
			select { // a server that refuses is not asked as fast as it can
			case <-until.Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.Ended += own.Ended
	r.seen.Resumed += own.Resumed
	r.seen.Failed += own.Failed
	r.seen.Latency.Add(own.Latency)
	if r.seen.Err == nil {
		r.seen.Err = own.Err
	}
}

// one makes a handshake, and ends its connection when the server has.
func (r *run) one(n int) (took time.Duration, resumed bool, err error) {
	c, err := r.dial(n)
	if err != nil {
		return 0, false, err
	}
	defer c.Close()
	began := time.Now()
	if err := c.Handshake(); err != nil {
		return 0, false, err
	}
	took = time.Since(began)
	// The server has not heard our Finished yet: close_notify is behind it, and is answered.
	if err := c.CloseWrite(); err != nil {
		return 0, false, err
	}
	_, _ = io.Copy(io.Discard, c.NetConn())
	return took, c.ConnectionState().DidResume, nil
}

func (c *Config) dial(n int) (*tls.Conn, error) {
	d := net.Dialer{Timeout: patience}
	if len(c.Sources) > 0 {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.Sources[n%len(c.Sources)], 0))
	}
	nc, err := d.Dial("tcp", c.Targets[n%len(c.Targets)].String())
	if err != nil {
		return nil, err
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	return tls.Client(nc, c.TLS), nil
}

// fetchTicket makes full handshakes until there is a ticket.
func (c *Config) fetchTicket(ctx context.Context) error {
	got := &noted{ClientSessionCache: c.TLS.ClientSessionCache}
	seed := *c
	seed.TLS = c.TLS.Clone()
	seed.TLS.ClientSessionCache = got
	for range 3 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		conn, err := seed.dial(0)
		if err != nil {
			return err
		}
		if err = conn.Handshake(); err == nil {
			err = conn.CloseWrite()
		}
		if err == nil {
			_, _ = conn.Read(make([]byte, 1)) // the ticket comes before the end
		}
		_ = conn.Close()
		switch {
		case err != nil:
			return err
		case got.put.Load():
			return nil
		}
	}
	return errNoTicket
}

// noted is a cache that notes that a ticket came.
type noted struct {
	tls.ClientSessionCache
	put atomic.Bool
}

func (n *noted) Put(key string, state *tls.ClientSessionState) {
	n.put.Store(n.put.Load() || state != nil)
	n.ClientSessionCache.Put(key, state)
}
