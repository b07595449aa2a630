package benchtest

import (
	"bufio"
	"errors"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/freeport"
)

// Node is a server by the book, a goroutine a connection, whose misbehaviour is set
// by fields before it listens.
type Node struct {
	Name       string
	Terms      codec.Terms
	Alternates string

	// Meet deals with the n-th connection (from 1) instead of the book. It reports
	// whether it did; the connection is closed then.
	Meet func(c *net.TCPConn, n int) bool
	// EvictAfter is the silence after which a client is closed; 0: the timeout of terms.
	EvictAfter time.Duration
	Farewell   bool // a GOAWAY precedes an eviction
	NoPong     bool
	Dumb       atomic.Bool   // no PONG from now on
	Delay      time.Duration // of every PONG
	// Every is how often it publishes; 0: it does not. Answer, if any, is told of each SEND and says what
	// goes back; default: its ACK.
	Every  time.Duration
	Answer func(number uint64, body []byte) []byte
	Late   time.Duration                 // after which that goes back
	Skip   func(publication uint64) bool // says which publications it forgets; nil: none

	l        net.Listener
	Accepted atomic.Int64
	mu       sync.Mutex
	open     map[net.Conn]bool
	served   sync.WaitGroup
}

// ShortTerms are the terms of a Node that says none: a client beats often, and none is evicted because the
// machine is busy.
var ShortTerms = codec.Terms{Interval: 200 * time.Millisecond, Timeout: 20 * time.Second, Window: 300 * time.Millisecond}

// Evicting are ShortTerms of a node whose evictions are what a test is about.
var Evicting = codec.Terms{Interval: ShortTerms.Interval, Timeout: 2 * time.Second, Window: ShortTerms.Window}

// FreeAddr is an address at which nobody listens, and that no connecting client is given.
func FreeAddr(t *testing.T) string {
	t.Helper()
	addrs, err := freeport.Loopback(1)
	if err != nil {
		t.Fatal(err)
	}
	return addrs[0]
}

// Start has a node listen on a free port of 127.0.0.1 until the test is over; when it has stopped, nobody else does.
func Start(t *testing.T, f *Node) *Node {
	t.Helper()
	l, err := net.Listen("tcp4", FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	f.Serve(l)
	t.Cleanup(f.Stop)
	return f
}

// Addr is where it listens.
func (f *Node) Addr() string { return f.l.Addr().String() }

// Serve takes connections from l, until Stop.
func (f *Node) Serve(l net.Listener) {
	f.l, f.open = l, map[net.Conn]bool{}
	if f.Terms == (codec.Terms{}) {
		f.Terms = ShortTerms
	}
	f.served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.open[c] = true
			f.mu.Unlock()
			f.served.Go(func() {
				f.talk(c.(*net.TCPConn), int(f.Accepted.Add(1)))
				c.Close()
				f.mu.Lock()
				delete(f.open, c)
				f.mu.Unlock()
			})
		}
	})
}

// Conns is how many connections it has.
func (f *Node) Conns() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.open)
}

// Stop closes the listener and all connections, and waits for their ends.
func (f *Node) Stop() {
	f.l.Close()
	f.mu.Lock()
	for c := range f.open {
		c.Close()
	}
	f.mu.Unlock()
	f.served.Wait()
}

// drain tells all to go, rate a second, and returns when they have gone. A rude one closes
// instead.
func (f *Node) drain(rate float64, rude bool) {
	f.l.Close()
	f.mu.Lock()
	all := slices.Collect(maps.Keys(f.open))
	f.mu.Unlock()
	for _, c := range all {
		if rude {
			c.Close()
		}
		_, _ = c.Write(GoAway(codec.CodeDraining))
		time.Sleep(time.Duration(float64(time.Second) / rate))
	}
	for f.Conns() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// Welcome is the frame.
func (f *Node) Welcome() []byte {
	b, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: codec.ProtocolVersion, Terms: f.Terms,
		ServerTime: time.Now(), Node: []byte(f.Name), Alternates: []byte(f.Alternates)})
	if err != nil {
		panic(err)
	}
	return b
}

// GoAway is the frame, with nothing but a code.
func GoAway(code codec.Code) []byte {
	b, err := codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: code})
	if err != nil {
		panic(err)
	}
	return b
}

func (f *Node) talk(c *net.TCPConn, n int) {
	if f.Meet != nil && f.Meet(c, n) {
		return
	}
	patience := f.EvictAfter
	if patience == 0 {
		patience = f.Terms.Timeout
	}
	r := bufio.NewReader(c)
	for {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		frame, err := ReadFrame(r)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if f.Farewell {
				_, _ = c.Write(GoAway(codec.CodeHeartbeatTimeout))
			}
			return
		}
		if err != nil {
			return
		}
		switch frame.Type {
		case codec.Hello:
			var first uint64 // that is due from now on: who is welcomed waits for it, however late we are then
			if f.Every > 0 {
				first = payload.Schedule(f.Every).Number(payload.Monotonic()) + 1
			}
			if _, err = c.Write(f.Welcome()); f.Every > 0 {
				go f.publish(c, first)
			}
		case codec.Ping:
			token, _, _ := codec.ParsePing(frame.Payload)
			if !f.NoPong && !f.Dumb.Load() {
				time.Sleep(f.Delay)
				_, err = c.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: f.Terms}))
			}
		case codec.Send:
			number, body, _ := codec.ParseMessage(frame.Payload)
			answer := codec.AppendAck(nil, codec.AckOf(number))
			if f.Answer != nil {
				answer = f.Answer(number, body)
			}
			if f.Late > 0 {
				time.AfterFunc(f.Late, func() { c.Write(answer) })
			} else {
				_, err = c.Write(answer)
			}
		case codec.Bye:
			return
		}
		if err != nil {
			return
		}
	}
}

// publish sends a client the publications of the schedule, from the first on, until it has gone.
func (f *Node) publish(c net.Conn, first uint64) {
	s, body := payload.Schedule(f.Every), make([]byte, payload.HeaderLen)
	for n := first; ; n++ {
		time.Sleep(s.Due(n) - payload.Monotonic())
		if f.Skip != nil && f.Skip(n) {
			continue
		}
		payload.Put(body, s.Publication(n))
		if _, err := c.Write(codec.AppendDeliver(nil, 0, body)); err != nil {
			return
		}
	}
}

// ReadFrame reads one frame; its payload is its own.
func ReadFrame(r *bufio.Reader) (codec.Frame, error) {
	size := codec.HeaderLen
	for {
		b, err := r.Peek(size)
		if err != nil {
			return codec.Frame{}, err
		}
		f, need, err := codec.Decode(b, codec.MaxPayload)
		if errors.Is(err, codec.ErrIncomplete) {
			size = need
			continue
		}
		if err != nil {
			return codec.Frame{}, err
		}
		f.Payload = append([]byte(nil), f.Payload...)
		_, err = r.Discard(need)
		return f, err
	}
}

// Drop closes all connections, and goes on.
func (f *Node) Drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.open {
		c.Close()
	}
}
