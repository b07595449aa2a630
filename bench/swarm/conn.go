package swarm

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/token"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// followUp is what an action led to and what has to wait until all actions are done.
type followUp struct {
	kind    followKind
	attempt uint32
	id      uint64
	err     error
}

type followKind uint8

const (
	dialFailed followKind = iota
	dialDone
	writeFailed
	probe
	ack
	welcomed // by a translator, in place of the server
	renew    // the token
)

// perform carries out what client i's link wants done, and what that leads to.
func (l *loop) perform(i uint32, c *client) {
	for {
		for k := range l.out.Actions {
			switch a := &l.out.Actions[k]; a.Op {
			case link.Dial:
				l.dial(i, c, a)
			case link.Write:
				l.write(i, c, a)
			case link.Close:
				if s := l.find(i, c, a.Attempt); s != nil {
					l.close(i, s, false)
				}
			case link.Notify:
				l.notify(i, c, &a.Event)
			}
		}
		l.out.Reset()
		if len(l.after) == 0 {
			break
		}
		f := l.after[0]
		l.after = append(l.after[:0], l.after[1:]...)
		l.afterwards(i, c, f)
	}
	if next := l.second[i]; next != nil {
		// What is left of the two is the client's own.
		if c.attempt == 0 {
			c.socket = *next
			delete(l.second, i)
		} else if next.attempt == 0 {
			delete(l.second, i)
		}
	}
	l.arm(i, c)
}

// find returns the connection of an attempt, nil if it is gone. What it returns is valid
// until the next act.
func (l *loop) find(i uint32, c *client, attempt uint32) *socket {
	if attempt == 0 {
		return nil
	}
	if c.attempt == attempt {
		return &c.socket
	}
	if s := l.second[i]; s != nil && s.attempt == attempt {
		return s
	}
	return nil
}

func (l *loop) afterwards(i uint32, c *client, f followUp) {
	switch f.kind {
	case dialFailed:
		c.link.Disconnected(l.now, f.attempt, f.err, &l.out)
	case dialDone:
		if s := l.find(i, c, f.attempt); s != nil {
			l.established(c, s)
		}
	case writeFailed:
		l.readToEnd(i, c, f.attempt, f.err)
	case probe:
		c.link.Ping(l.now, &l.out)
	case ack:
		c.link.Ack(l.now, f.attempt, codec.AckOf(f.id), &l.out)
	case renew:
		_ = c.link.Renew(l.now, f.attempt, l.token(c), &l.out) // a token of the secret is not too long
	case welcomed:
		c.link.Received(l.now, f.attempt, l.foreign.Welcome(), &l.out)
	}
}

func (l *loop) dial(i uint32, c *client, a *link.Action) {
	l.counted.Attempts++
	if storm := l.swarm.storm.Load(); storm != nil && !storm.over.Load() && (storm.flood || c.arrival <= storm.t0) { // not the ramp of a later phase
		l.stormOf(i).Attempt(l.now - storm.t0)
	}
	fail := func(err error) {
		l.after = append(l.after, followUp{kind: dialFailed, attempt: a.Attempt, err: err})
	}
	to, err := l.swarm.destination(a.Addr)
	if err != nil {
		fail(err)
		return
	}
	if c.began == 0 {
		c.began = l.swarm.Now()
	}
	fd, done, err := to.dial(l.swarm.source(l.number(i), c.tenant))
	if err == nil {
		if err = l.pollerOf(i).Watch(fd, i, a.Attempt, !done, true); err != nil {
			epoll.Close(fd, true)
		}
	}
	if err != nil {
		fail(err)
		return
	}
	s := &c.socket
	if c.attempt != 0 { // make before break
		s = new(socket)
		l.second[i] = s
	}
	*s = socket{fd: int32(fd), attempt: a.Attempt, connecting: true}
	s.last.start = l.now // for servers that get no frame until the first PING, or none at all
	if done {
		l.after = append(l.after, followUp{kind: dialDone, attempt: a.Attempt})
	}
}

// destination is where a connect goes: the path of a unix socket, or an address.
type destination struct {
	path string
	addr netip.AddrPort
}

// destination reads what a link wants to connect to.
func (s *Swarm) destination(addr string) (to destination, err error) {
	if network, path := transport.Network(addr); network == "unix" {
		return destination{path: path}, nil
	}
	if to.addr, err = netip.ParseAddrPort(addr); err != nil {
		// Targets are resolved before the run; only a server's alternate can be a name.
		return to, noWay("alternate %q is not an IP address", addr)
	}
	if !to.addr.Addr().IsLoopback() && !s.cfg.AnyAddress {
		return to, noWay("alternate %s is not on this machine", addr)
	}
	return to, nil
}

// dial begins a connect.
func (to *destination) dial(from netip.Addr) (fd int, done bool, err error) {
	if to.path != "" {
		return epoll.DialUnix(to.path)
	}
	return epoll.Dial(to.addr, from)
}

// noWay is why a client does not go where a server sends it.
func noWay(format, addr string) error {
	return &link.FaultError{Fault: link.FaultPath, Err: fmt.Errorf(format, addr)}
}

// event deals with one readiness. Connections that were closed earlier in the batch are
// recognised by the attempt.
func (l *loop) event(r epoll.Readiness) {
	c := &l.clients[r.Client]
	s := l.find(r.Client, c, r.Attempt)
	if s == nil {
		return
	}
	if s.connecting {
		if !r.Writable && !r.Ended {
			return
		}
		l.connected(r.Client, c, s, r.Ended)
	} else if r.Writable {
		l.flush(r.Client, c, s)
	}
	if r.Readable || r.Ended {
		l.read(r.Client, c, r.Attempt, r.Ended)
	}
}

// connected ends a connect() that took its time.
func (l *loop) connected(i uint32, c *client, s *socket, ended bool) {
	attempt := s.attempt
	var err error
	if ended {
		// A reset comes after the handshake (before it, it is "refused"), and the server's
		// GOAWAY may be waiting in front of it.
		if err = epoll.Error(int(s.fd)); errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			err = nil
		}
	}
	if err == nil {
		err = l.pollerOf(i).Watch(int(s.fd), i, attempt, false, false)
	}
	if err != nil {
		l.close(i, s, true)
		c.link.Disconnected(l.now, attempt, err, &l.out)
	} else {
		l.established(c, s)
	}
	l.perform(i, c)
}

// established begins what a client does with its connection.
func (l *loop) established(c *client, s *socket) {
	s.connecting = false
	if l.lines != nil {
		l.begin(c, s)
	}
	if c.flags.has(flagHalfOpen) {
		l.stayHalfOpen(c)
	} else {
		c.link.Connected(l.now, s.attempt, l.token(c), &l.out)
	}
}

// tokenTTL is how long a client's token is good for. It is renewed before.
const tokenTTL = 24 * time.Hour

// token is made anew each time: nil if the nodes ask for none.
func (l *loop) token(c *client) []byte {
	if l.swarm.cfg.Secret == nil {
		return nil
	}
	return []byte(token.Mint(l.swarm.cfg.Secret, c.link.ID(), time.Now().Add(tokenTTL)))
}

func (l *loop) close(i uint32, s *socket, reset bool) {
	if l.lines != nil && !reset {
		l.lastWords(s)
	}
	epoll.Close(int(s.fd), reset)
	l.forget(i, s)
}

// forget drops what belongs to a connection that is over.
func (l *loop) forget(i uint32, s *socket) {
	key := connKey{i, s.attempt}
	delete(l.partial, key)
	delete(l.unsent, key)
	if l.lines != nil {
		l.lines.End(uint32(s.fd))
	}
	s.attempt, s.connecting = 0, false
}
