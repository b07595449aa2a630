package client

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/netstage"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// conn is one attempt: from the dial to the end of its connection. Its goroutine dials
// and then reads; another writes while there is something to write.
type conn struct {
	attempt uint32             // never changes
	addr    string             // never changes
	ctx     context.Context    // ends with the attempt; never changes
	cancel  context.CancelFunc // never changes
	timeout time.Duration      // the link's for each of prepare and connect(); never changes

	// Guarded by Client.mu. Read is the reader's, Write the writer's; any goroutine may
	// set deadlines and close.
	nc     net.Conn        // nil before it is connected
	raw    syscall.RawConn // the socket under it; nil: none is to be seen
	hungUp bool            // the link has closed it: to be closed once all is written
	busy   bool            // the reader waits for the callbacks: nothing is read

	queued  []byte // to be written
	spare   []byte // the buffer that is not queued, for the next turn
	writing int    // bytes that the writer has in its hands
	piece   int    // of them, those of the Write under way
	written int64  // bytes that it has written
	writer  bool   // a writer runs
	failed  error  // of the first failed Write: nothing is written any more

	// Of the messages that came by it, those that wait for an answer.
	delivering uint64              // number of the one in the hands of Deliver, unless that has seen to it; or 0
	later      map[uint64]struct{} // the application answers them; nil until there was one
	acks       codec.AckMessage    // not yet given to the link, since a Write is under way; Last 0: none
	ahead      int                 // bytes of buffers that were left to callbacks; see await

	watch       *time.Timer // looks after the writer; nil before there was one
	moved       time.Time   // when it was last seen that bytes move
	carriedThen int64       // what had moved then

	partial atomic.Int64 // bytes that were read of a frame whose end is missing; any goroutine
}

// open starts an attempt. It needs mu.
func (c *Client) open(attempt uint32, addr string) {
	k := &conn{attempt: attempt, addr: addr, timeout: c.link.Info().ConnectTimeout}
	k.ctx, k.cancel = context.WithCancel(c.ctx)
	c.conns = append(c.conns, k)
	c.running.Go(func() { c.serve(k) })
}

// find returns the connection of an attempt, nil if the link has given it up. It needs
// mu, as the next three do.
func (c *Client) find(attempt uint32) *conn {
	for _, k := range c.conns {
		if k.attempt == attempt {
			return k
		}
	}
	return nil
}

// current is the session's connection, or the attempt to get one; nil without either.
func (c *Client) current() *conn { return c.find(c.link.Attempt()) }

func (c *Client) forget(k *conn) {
	c.conns = slices.DeleteFunc(c.conns, func(other *conn) bool { return other == k })
}

// wanted reports whether the link still knows of k.
func (c *Client) wanted(k *conn) bool { return slices.Contains(c.conns, k) }

// serve is the goroutine of a connection.
func (c *Client) serve(k *conn) {
	defer k.cancel()
	token, addrs, err := c.prepare(k)
	if err != nil {
		c.disconnected(k, err)
		return
	}
	nc, err := c.dial(k, addrs)
	if err != nil {
		c.disconnected(k, err)
		return
	}
	defer nc.Close()
	if stage := c.stageOf(k.addr); stage != nil {
		nc = netstage.New(nc, stage)
	}
	if c.connected(k, nc, token) {
		c.read(k)
	}
}

// prepare does what precedes connect(): it asks the application for the token and looks
// the name up. Together they get a little less time than the attempt has, so that their
// slowness is not taken for the endpoint's.
func (c *Client) prepare(k *conn) (token []byte, addrs []netip.AddrPort, err error) {
	ctx, cancel := context.WithTimeout(k.ctx, k.timeout*9/10)
	defer cancel()
	if token, err = c.askToken(ctx); err != nil {
		return nil, nil, err
	}
	if c.cfg.Dial == nil {
		addrs, err = resolve(ctx, k.addr)
	} else if err = c.dials.begin(ctx); err != nil {
		err = &link.FaultError{Fault: link.FaultHost, Err: fmt.Errorf("Dial: %w", err)}
	}
	return token, addrs, err
}

// resolve looks the addresses of a name up; there are none of an address, and of a unix socket.
func resolve(ctx context.Context, addr string) ([]netip.AddrPort, error) {
	if network, _ := transport.Network(addr); network == "unix" {
		return nil, nil
	}
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil, nil
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(ips) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	if err != nil {
		return nil, err
	}
	all := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		all[i] = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	}
	return all, nil
}

// dial makes one connect(): to the one of addrs that the link chooses, or without them to the
// endpoint.
func (c *Client) dial(k *conn, addrs []netip.AddrPort) (net.Conn, error) {
	c.mu.Lock()
	addr := c.link.Resolved(c.now(), k.attempt, addrs)
	c.act()
	c.mu.Unlock()
	if c.cfg.Dial != nil {
		return c.askDial(k.ctx, k.addr)
	}
	if addr == "" {
		return nil, context.Canceled // nobody waits for it
	}
	network, addr := transport.Network(addr)
	return c.cfg.dialer().DialContext(k.ctx, network, addr)
}

// connected reports whether the link still wants the connection.
func (c *Client) connected(k *conn, nc net.Conn, token []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.wanted(k) {
		return false
	}
	k.nc, k.raw = nc, rawConn(nc)
	c.link.Connected(c.now(), k.attempt, token, &c.out)
	c.act()
	return true
}

// disconnected tells the link that an attempt has ended, unless it was the link that
// ended it.
func (c *Client) disconnected(k *conn, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.wanted(k) {
		return
	}
	c.forget(k)
	if k.failed != nil {
		cause = k.failed
	}
	c.link.Disconnected(c.now(), k.attempt, cause, &c.out)
	c.act()
}

// firstRead is the size of a new read buffer in bytes. It grows to the largest frame that
// has come, as its bytes come, not as its header declares.
const firstRead = 4096

// read gives the link what the server sends until the connection ends.
func (c *Client) read(k *conn) {
	buf := make([]byte, firstRead)
	filled, need := 0, codec.HeaderLen
	for {
		n, err := k.nc.Read(buf[filled:])
		filled += n
		rest := buf[:filled]
		for len(rest) >= need {
			var consumed int
			var left bool
			consumed, need, left = c.received(k, rest, len(buf))
			rest = rest[consumed:]
			if left {
				next := make([]byte, max(len(buf), firstRead))
				rest = next[:copy(next, rest)]
				buf = next
			}
		}
		if err != nil {
			c.disconnected(k, err)
			return
		}
		filled = copy(buf, rest)
		k.partial.Store(int64(filled))
		if filled == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		}
	}
}

// received gives the link bytes and waits until what they brought is handled, or the buffer,
// which has size bytes, is left to the callbacks.
func (c *Client) received(k *conn, b []byte, size int) (consumed, need int, left bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushAcksBut(k) // what comes may have BYE said on the other connection
	consumed, need = c.link.Received(c.now(), k.attempt, b, &c.out)
	c.act()
	left = c.await(k, size)
	return consumed, need, left
}

// hangUp gives the attempt up. What is queued is written if that takes no longer than
// hangUpTimeout. It needs mu.
func (k *conn) hangUp() {
	k.hungUp = true
	k.cancel()
	if k.nc == nil {
		return
	}
	if !k.writer {
		k.nc.Close()
		return
	}
	k.nc.SetWriteDeadline(time.Now().Add(hangUpTimeout))
}
