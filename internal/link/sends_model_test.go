package link

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// world is one link and the nodes that it talks to, over a network that is slow, and cuts
// connections with all that is on its way.
type world struct {
	t      *testing.T
	random *rand.Rand
	l      Link
	out    Out
	now    time.Duration
	calm   bool // no faults any more

	conns map[uint32]*wire
	nodes modelNodes

	bodies  map[uint64]byte   // of the numbers that Send gave
	settled map[uint64]string // what the caller was told of them
	low     uint64            // all numbers up to it are settled
	settles int
	again   int // SENDs that were written a second time
	written map[uint64]bool
}

// modelNodes are the application behind all nodes: it decides once about each message, and
// says the same again.
type modelNodes struct {
	body    map[uint64]byte
	refused map[uint64]bool
	asked   map[uint64]bool // it wants a reply
}

func (w *world) settle(n uint64, how string) {
	if w.settled[n] != "" {
		w.t.Fatalf("%d is %s after it was %s", n, how, w.settled[n])
	}
	if _, ok := w.bodies[n]; !ok && !(how == "acked" || how == "nacked" || how == "replied") {
		w.t.Fatalf("%d is %s and was never sent", n, how)
	}
	w.settled[n] = how
	w.settles++
	for _, c := range w.conns {
		delete(c.unanswered, n) // also where it went again, and is answered by the connection that it left
	}
}

func (w *world) notified(e *Event) {
	for n := e.ID; n <= e.Last && n != 0; n++ {
		switch e.Kind {
		case Acked:
			if _, ok := w.nodes.body[n]; !ok || w.nodes.refused[n] {
				w.t.Fatalf("%d is acknowledged, and no node has it", n)
			}
			w.settle(n, "acked")
		case Nacked:
			if !w.nodes.refused[n] {
				w.t.Fatalf("%d is refused, and no node has refused it", n)
			}
			w.settle(n, "nacked")
		case GivenUp:
			w.settle(n, "given up")
		}
	}
	if e.Kind == Replied {
		if !w.nodes.asked[e.ID] || len(e.Body) != 1 || e.Body[0] != w.nodes.body[e.ID] {
			w.t.Fatalf("%d is replied to with %q", e.ID, e.Body)
		}
		w.settle(e.ID, "replied")
	}
}

// node reads what has come to a node, and answers some of what it has to.
func (w *world) node(c *wire, b []byte) {
	for len(b) > 0 {
		f, size, err := codec.Decode(b, codec.MaxPayload)
		if err != nil {
			w.t.Fatal(err)
		}
		b = b[size:]
		switch f.Type {
		case codec.Hello:
			c.welcomed = true
			if w.random.IntN(2) == 0 {
				c.limits = codec.Limits{Unsettled: uint32(w.random.IntN(400)), UnsettledBytes: uint32(w.random.IntN(3) * 400),
					Frames: 200, FrameBurst: 400}
			}
			w.push(&c.down, frame(codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: codec.ProtocolVersion,
				Terms: codec.Terms{Interval: time.Second, Timeout: 5 * time.Second, Window: time.Second}, Limits: c.limits})))
		case codec.Ping:
			token, number, _ := codec.ParsePing(f.Payload)
			w.push(&c.down, codec.AppendPong(nil, codec.PongMessage{Token: token,
				Terms: codec.Terms{Interval: time.Second, Timeout: 5 * time.Second, Window: time.Second, Number: number}}))
		case codec.Send:
			n, body, _ := codec.ParseMessage(f.Payload)
			if n == 0 {
				continue
			}
			asked := f.Flags == codec.FlagWantsReply
			if old, ok := w.nodes.body[n]; ok && (old != body[0] || w.nodes.asked[n] != asked) {
				w.t.Fatalf("%d names two messages", n)
			} else if !ok {
				w.nodes.body[n] = body[0]
				w.nodes.refused[n] = w.random.IntN(8) == 0
				w.nodes.asked[n] = asked
			}
			c.unread[n] = true
		}
	}
	if c.welcomed && (w.calm || w.random.IntN(3) == 0) {
		w.answer(c)
	}
}

// answer settles some of what came by a connection, in any order, by ranges that hold more.
func (w *world) answer(c *wire) {
	for n := range c.unread {
		if !w.calm && w.random.IntN(4) == 0 {
			continue
		}
		delete(c.unread, n)
		if w.nodes.refused[n] {
			w.push(&c.down, frame(codec.AppendNack(nil, &codec.NackMessage{Number: n, Code: codec.NackRefused})))
			continue
		}
		if w.random.IntN(3) > 0 && (w.nodes.asked[n] || w.random.IntN(20) == 0) {
			w.push(&c.down, codec.AppendReply(nil, codec.Deliver, n, []byte{w.nodes.body[n]}))
			continue
		}
		first, last := n, n
		for last-first < 50 && w.random.IntN(4) > 0 && c.unread[last+1] && !w.nodes.refused[last+1] {
			last++
			delete(c.unread, last)
		}
		w.push(&c.down, codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: first, Last: last}}))
	}
	if !w.calm && w.random.IntN(20) == 0 { // nonsense settles nothing
		w.push(&c.down, codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: 1 << 40, Last: 1 << 63}}))
		w.push(&c.down, codec.AppendAck(nil, codec.AckOf(0)))
		w.push(&c.down, codec.AppendReply(nil, codec.Deliver, 1<<50, []byte("nonsense")))
	}
}

// step is one moment.
func (w *world) step() {
	w.now += time.Duration(1 + w.random.Int64N(int64(20*time.Millisecond)))
	w.arrive()
	for a, c := range w.conns {
		if st := w.l.find(a); st != nil && st.state < StateHandshaking {
			if !w.calm && w.random.IntN(4) == 0 {
				delete(w.conns, a)
				w.l.Disconnected(w.now, a, errReset, &w.out)
			} else {
				w.l.Connected(w.now, a, nil, &w.out)
			}
			w.act()
		} else if !w.calm && w.random.IntN(150) == 0 { // cut, with what is on its way
			delete(w.conns, a)
			w.l.Disconnected(w.now, a, errReset, &w.out)
			w.act()
		} else if !w.calm && c.welcomed && !c.draining && w.random.IntN(100) == 0 {
			c.draining = true
			w.push(&c.down, frame(codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeDraining})))
		} else if !w.calm && c.welcomed && w.random.IntN(10) == 0 {
			w.answer(c)
		}
	}
	for range w.random.IntN(6) {
		if !w.calm {
			w.send()
		}
	}
	if w.now >= w.l.Deadline() {
		for a, c := range w.conns {
			if w.l.Asks(w.now, a) {
				untaken := 0
				for _, p := range c.up {
					untaken += len(p.b)
				}
				w.l.Flow(w.now, a, Flow{Untaken: untaken})
			}
		}
		w.l.Tick(w.now, &w.out)
		w.act()
	}
}

func (w *world) send() {
	switch w.random.IntN(12) {
	case 0:
		_ = w.l.Post(w.now, []byte("post"), &w.out) // whatever becomes of it
	case 1:
		if n := w.l.sends; n != nil && n.last > 0 {
			number := n.last - w.random.Uint64N(min(n.last, 300))
			if w.l.GiveUp(w.now, number, &w.out) {
				w.settle(number, "taken back")
			}
		}
	default:
		body := make([]byte, 1+w.random.IntN(100))
		body[0] = byte(w.random.Uint32())
		send := w.l.Send
		if w.random.IntN(4) == 0 {
			send = w.l.Request
		}
		number, err := send(w.now, body, &w.out)
		if err == nil {
			if number != uint64(len(w.bodies)+1) {
				w.t.Fatalf("number %d after %d", number, len(w.bodies))
			}
			w.bodies[number] = body[0]
		} else if !errors.Is(err, ErrFull) && !errors.Is(err, ErrPaced) && !errors.Is(err, ErrNotReady) {
			w.t.Fatal(err)
		}
	}
	w.act()
}

// The promise: whatever the network does, each message is settled once at its caller, and
// none is acknowledged that no node has.
func TestEverySendIsSettledOnce(t *testing.T) {
	seeds := 1500
	if testing.Short() || underRace { // there it takes ten times as long
		seeds = 200
	}
	total := world{}
	outcomes := map[string]int{}
	for seed := range seeds {
		for _, once := range []bool{false, true} {
			if once && seed%4 > 0 {
				continue
			}
			t.Run(fmt.Sprint(seed, once), func(t *testing.T) {
				w := newWorld(t, uint64(seed), once)
				for range 400 {
					w.step()
				}
				w.calm = true
				for range 20000 {
					if w.step(); len(w.settled) == len(w.bodies) {
						break
					}
				}
				if len(w.settled) != len(w.bodies) || w.l.Unsettled() != 0 {
					t.Fatalf("%d of %d are settled, %d are kept", len(w.settled), len(w.bodies), w.l.Unsettled())
				}
				for n := range w.bodies {
					outcomes[w.settled[n]]++
				}
				total.again += w.again
				total.settles += w.settles
			})
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("%d messages settled, %d sent again: %v", total.settles, total.again, outcomes)
	if outcomes["acked"] == 0 || outcomes["nacked"] == 0 || outcomes["replied"] == 0 || outcomes["given up"] == 0 || outcomes["taken back"] == 0 || total.again == 0 {
		t.Errorf("not all is tried: %v, %d sent again", outcomes, total.again)
	}
}

func newWorld(t *testing.T, seed uint64, once bool) *world {
	cfg := &Config{Endpoints: twoNodes, AtMostOnce: once}
	cfg.Fill()
	w := &world{t: t, random: rand.New(rand.NewPCG(seed, 1)), now: time.Hour, conns: map[uint32]*wire{},
		nodes:  modelNodes{map[uint64]byte{}, map[uint64]bool{}, map[uint64]bool{}},
		bodies: map[uint64]byte{}, settled: map[uint64]string{}, written: map[uint64]bool{}}
	w.l.Init(cfg, 1, seed)
	w.l.Start(w.now, &w.out)
	w.act()
	return w
}
