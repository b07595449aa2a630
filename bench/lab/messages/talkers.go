package messages

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// window is how many messages of one talker are open at most.
const window = 64

// sendsAtOnce is how many messages are sent, where so many are due, before what has come is read.
const sendsAtOnce = 16

// talkers are clients that send to users and acknowledge what they get. Owned by one goroutine.
type talkers struct {
	poller  *epoll.Poller
	all     []talker
	buf     []byte
	content []byte
	body    []byte
	stuck   []int // with more to write than the kernel took

	welcomed int
	open     int
	done     int // messages that were acknowledged, since the latest reset
	refused  int
	took     []time.Duration         // of those
	late     []time.Duration         // how long after each was due it was written, where there is a pace
	settled  func(client int)        // one of its messages is; may send
	to       func(client int) string // whom the next message is for
	failure  error
}

type talker struct {
	fd     int
	rest   []byte // of a frame
	out    []byte
	number uint64
	open   int
	sent   [window]time.Time // by number
}

// joinTalkers has n clients be at the targets in turn.
func joinTalkers(targets []string, n int, prefix string) (*talkers, error) {
	addrs := make([]netip.AddrPort, len(targets))
	for i, target := range targets {
		var err error
		if addrs[i], err = netip.ParseAddrPort(target); err != nil {
			return nil, err
		}
	}
	var err error
	t := &talkers{all: make([]talker, n), buf: make([]byte, 256<<10), content: make([]byte, contentSize)}
	if t.poller, err = epoll.Open(); err != nil {
		return nil, err
	}
	for i := range t.all {
		c := &t.all[i]
		if c.fd, _, err = epoll.Dial(addrs[i%len(addrs)], netip.Addr{}); err != nil {
			return nil, err
		}
		hello, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: codec.ProtocolVersion, MaxVersion: codec.ProtocolVersion,
			ClientID: fmt.Append(nil, prefix, i), Incarnation: uint64(i) + 1})
		if err != nil {
			return nil, err
		}
		if err := flood.Say(c.fd, hello); err != nil {
			return nil, err
		}
		if err := t.poller.Watch(c.fd, uint32(i), 1, false, true); err != nil {
			return nil, err
		}
		if i%256 == 255 || i == n-1 { // the accept queue has room for these
			for until := time.Now().Add(20 * time.Second); t.welcomed <= i; {
				if err := t.turn(time.Millisecond); err != nil || time.Now().After(until) {
					return nil, errors.Join(err, fmt.Errorf("%d of %d clients are welcome", t.welcomed, n))
				}
			}
		}
	}
	return t, nil
}

// turn reads what has come, waiting so long for it at most.
func (t *talkers) turn(wait time.Duration) error {
	if err := t.poller.Await(wait); err != nil {
		return err
	}
	for stuck := t.stuck; len(stuck) > 0; stuck = stuck[1:] {
		t.stuck = t.stuck[1:]
		t.flush(stuck[0])
	}
	events, err := t.poller.Wait(0)
	if err != nil {
		return err
	}
	for i := range events {
		if r := t.poller.At(i); !r.Woken {
			t.read(int(r.Client))
		}
	}
	return t.failure
}

func (t *talkers) read(client int) {
	c := &t.all[client]
	n, blocked, _ := epoll.Read(c.fd, t.buf)
	if blocked {
		return
	}
	if n <= 0 {
		t.failure = errors.New("the node has closed a connection")
		return
	}
	now := time.Now()
	in := t.buf[:n]
	if len(c.rest) > 0 {
		c.rest = append(c.rest, in...)
		in = c.rest
	}
	var acks codec.Range
	for {
		f, size, err := codec.Decode(in, codec.MaxPayload)
		if errors.Is(err, codec.ErrIncomplete) {
			break
		}
		if err != nil {
			t.failure = err
			return
		}
		in = in[size:]
		t.take(client, f, now, &acks)
	}
	c.rest = append(c.rest[:0], in...)
	if acks.Last > 0 {
		c.out = codec.AppendAck(c.out, codec.AckMessage{Range: acks})
	}
	t.flush(client)
}

// take handles a frame. acks are the deliveries that are acknowledged together.
func (t *talkers) take(client int, f codec.Frame, now time.Time, acks *codec.Range) {
	c := &t.all[client]
	switch f.Type {
	case codec.Welcome:
		t.welcomed++
	case codec.GoAway:
		t.failure = errors.New("the node has sent a client away")
	case codec.Deliver:
		number, _, err := codec.ParseMessage(f.Payload)
		switch {
		case err != nil:
			t.failure = err
		case number == acks.Last+1 && acks.Last > 0:
			acks.Last = number
		case number > 0:
			if acks.Last > 0 {
				c.out = codec.AppendAck(c.out, codec.AckMessage{Range: *acks})
			}
			*acks = codec.Range{First: number, Last: number}
		}
	case codec.Ack:
		m, _ := codec.ParseAck(f.Payload)
		for n := m.First; n <= m.Last; n++ {
			t.took = append(t.took, now.Sub(c.sent[n%window]))
			t.done++
			t.settle(client)
		}
	case codec.Nack:
		t.refused++
		t.settle(client)
	}
}

func (t *talkers) settle(client int) {
	t.all[client].open--
	t.open--
	if t.settled != nil {
		t.settled(client)
	}
}

// send has a client send a message that was due at a time. It goes out with the next flush.
func (t *talkers) send(client int, due time.Time) {
	c := &t.all[client]
	c.number++
	c.sent[c.number%window] = due
	c.open++
	t.open++
	t.body, _ = envelope.Append(t.body[:0], &envelope.Envelope{Kind: envelope.ToUser, User: []byte(t.to(client)), Content: t.content})
	c.out = codec.AppendSend(c.out, c.number, t.body)
}

func (t *talkers) flush(client int) {
	c := &t.all[client]
	if len(c.out) == 0 {
		return
	}
	n, _, err := epoll.Write(c.fd, c.out)
	if err != nil {
		t.failure = err
	}
	if c.out = append(c.out[:0], c.out[max(n, 0):]...); len(c.out) > 0 {
		t.stuck = append(t.stuck, client)
	}
}

// flow has every client keep so many messages open for a while: each that is settled is followed by another.
func (t *talkers) flow(depth int, d time.Duration, begins, ends func()) error {
	began := time.Now()
	t.settled = func(client int) {
		if time.Since(began) < d {
			t.send(client, time.Now())
		}
	}
	begins()
	for client := range t.all {
		for range depth {
			t.send(client, time.Now())
		}
		t.flush(client)
	}
	for time.Since(began) < d {
		if err := t.turn(time.Millisecond); err != nil {
			return err
		}
	}
	ends()
	return t.rest()
}

// pace sends so many messages a second for a while, evenly, each from a client at random, and counts how long
// each took since it was due.
func (t *talkers) pace(rate float64, d time.Duration, begins, ends func()) error {
	t.settled = nil
	began := time.Now()
	begins()
	for sent := 0; ; {
		due := time.Duration(float64(sent) / rate * float64(time.Second))
		now := time.Since(began)
		if now >= d {
			break
		}
		if client, ok := t.withRoom(); ok && now >= due { // else it goes out later, and its time counts
			t.send(client, began.Add(due))
			t.flush(client)
			t.late = append(t.late, now-due)
			if sent++; sent%sendsAtOnce != 0 {
				continue
			}
			due = now
		}
		if err := t.turn(min(due-now, time.Millisecond)); err != nil {
			return err
		}
	}
	ends()
	return t.rest()
}

// withRoom is a client at random that may have another message open.
func (t *talkers) withRoom() (client int, ok bool) {
	for range 10 {
		if client = rand.N(len(t.all)); t.all[client].open < window-1 {
			return client, true
		}
	}
	return 0, false
}

// rest waits until all is settled, which does not count.
func (t *talkers) rest() error {
	t.settled = nil
	for until := time.Now().Add(20 * time.Second); t.open > 0; {
		if time.Now().After(until) {
			return fmt.Errorf("%d messages have no answer", t.open)
		}
		if err := t.turn(time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
