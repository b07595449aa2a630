package websocket

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/centrifugal/protocol"

	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/node"
)

// pinged are clients of a centrifuge node: they say that they are there, and from then on answer its pings. One
// goroutine has them all; it wakes when something comes, as links of package bench do.
type pinged struct {
	poller *epoll.Poller
	all    []member
	left   chan struct{} // closed to have them end
	ended  chan struct{} // closed when they have

	// Of the goroutine, until ended.
	joined   int
	gone     int
	answered int
	counts   []count
	buf      []byte
	err      error
}

// member is one of them.
type member struct {
	fd    int
	state int
}

// The states of a member: what it waits for.
const (
	upgrading = iota
	connecting
	staying
	over
)

// count is how many pings had been answered at a time.
type count struct {
	at       time.Time
	answered int
}

// countEvery is how often that is noted.
const countEvery = 10 * time.Millisecond

// joinTime is the longest until all have come, beside what their rate asks for.
const joinTime = 30 * time.Second

const request = "GET /?cf_protocol=protobuf HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// What a client says and hears in frames of WebSocket, whose mask is zero: the empty message, which is a byte in
// protobuf, is a ping of the node's, and its answer.
var (
	ping    = []byte{0x82, 1, 0}
	pong    = masked([]byte{0})
	connect = func() []byte {
		data, err := protocol.NewProtobufCommandEncoder().Encode(&protocol.Command{Id: 1, Connect: &protocol.ConnectRequest{}})
		if err != nil {
			panic(err) // it is always the same
		}
		return masked(data)
	}()
)

// masked is a short binary message of a client.
func masked(data []byte) []byte {
	return append([]byte{0x82, 0x80 | byte(len(data)), 0, 0, 0, 0}, data...)
}

// bring has clients come to a node at a rate, and returns when all are there.
func bring(ctx context.Context, target string, conns int, rate float64) (node.Crowd, error) {
	addr, err := netip.ParseAddrPort(target)
	if err != nil {
		return nil, err
	}
	p := &pinged{all: make([]member, 0, conns), left: make(chan struct{}), ended: make(chan struct{}), buf: make([]byte, 4096)}
	if p.poller, err = epoll.Open(); err != nil {
		return nil, err
	}
	there := make(chan struct{})
	go p.run(addr, rate, there)
	patience := time.NewTimer(joinTime + time.Duration(float64(conns)/rate*float64(time.Second)))
	defer patience.Stop()
	select {
	case <-there:
		return p, nil
	case <-p.ended:
		err = p.err
	case <-patience.C:
		err = fmt.Errorf("%d clients have not all come to a centrifuge node", conns)
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.Leave()
	return nil, err
}

// run is the goroutine. It closes there when all have come.
func (p *pinged) run(addr netip.AddrPort, rate float64, there chan<- struct{}) {
	defer close(p.ended)
	defer p.poller.Close()
	defer func() {
		for _, m := range p.all {
			if m.state != over {
				epoll.Close(m.fd, true)
			}
		}
	}()
	began := time.Now()
	for {
		select {
		case <-p.left:
			return
		default:
		}
		for due := int(time.Since(began).Seconds() * rate); len(p.all) < min(due, cap(p.all)); {
			if p.err = p.dial(addr); p.err != nil {
				return
			}
		}
		wait := countEvery
		if len(p.all) < cap(p.all) {
			wait = time.Millisecond
		}
		if p.err = p.turn(wait); p.err != nil {
			return
		}
		if there != nil && p.joined == cap(p.all) {
			close(there)
			there = nil
		}
	}
}

func (p *pinged) dial(addr netip.AddrPort) error {
	fd, _, err := epoll.Dial(addr, netip.Addr{})
	if err != nil {
		return err
	}
	p.all = append(p.all, member{fd: fd})
	if err := flood.Say(fd, []byte(request)); err != nil {
		return err
	}
	return p.poller.Watch(fd, uint32(len(p.all)-1), 1, false, true)
}

// turn waits for what comes, reads it and answers.
func (p *pinged) turn(wait time.Duration) error {
	events, err := p.poller.Wait(wait)
	if err != nil {
		return err
	}
	for i := range events {
		if r := p.poller.At(i); !r.Woken {
			p.hear(&p.all[r.Client])
		}
	}
	if now := time.Now(); len(p.counts) == 0 || now.Sub(p.counts[len(p.counts)-1].at) >= countEvery {
		p.counts = append(p.counts, count{now, p.answered})
	}
	return nil
}

// hear reads what one has been sent. An answer that the socket does not take is lost with its client, which the node
// then disconnects.
func (p *pinged) hear(m *member) {
	n, blocked, _ := epoll.Read(m.fd, p.buf)
	if n <= 0 {
		if !blocked {
			epoll.Close(m.fd, true)
			m.state = over
			p.gone++
		}
		return
	}
	in := p.buf[:n]
	switch m.state {
	case upgrading:
		if bytes.HasSuffix(in, []byte("\r\n\r\n")) {
			_, _, _ = epoll.Write(m.fd, connect)
			m.state = connecting
		}
	case connecting:
		m.state = staying
		p.joined++
	case staying:
		for range bytes.Count(in, ping) {
			_, _, _ = epoll.Write(m.fd, pong)
			p.answered++
		}
	}
}

// Leave is node.Crowd's.
func (p *pinged) Leave() {
	select {
	case <-p.left:
	default:
		close(p.left)
	}
	<-p.ended
}

// Tell is node.Crowd's: a heartbeat is a ping that is answered. How late clients are is nobody's to tell, who have no
// timers.
func (p *pinged) Tell(figures map[string]float64, from, to time.Time) (stayed int, err error) {
	p.Leave()
	if p.err != nil {
		return 0, p.err
	}
	if n := p.until(to) - p.until(from); n > 0 {
		figures["beats_s"] = float64(n) / to.Sub(from).Seconds()
	}
	return p.joined - p.gone, nil
}

// until is how many had been answered at a time.
func (p *pinged) until(at time.Time) (answered int) {
	for _, c := range p.counts {
		if c.at.After(at) {
			break
		}
		answered = c.answered
	}
	return answered
}
