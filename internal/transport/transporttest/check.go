package transporttest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// Kind is a kind of transport: its two sides, each for a loop of its own.
type Kind struct {
	Client, Server func() transport.Stage

	// Garbage is what a server's side takes for an error. Nil: it takes everything.
	Garbage []byte

	// Silent says that a server has no words which open to anything for who is refused in the
	// handshake.
	Silent bool
}

// Check is what every kind of transport must pass.
func Check(t *testing.T, k Kind) {
	t.Run("bytes come through, however they are cut", k.comesThrough)
	t.Run("a long message comes in short reads", k.longMessage)
	t.Run("what waits is counted, and nothing else", k.held)
	t.Run("nothing is opened while work is done elsewhere", k.away)
	t.Run("what is sealed too early is not lost", k.early)
	t.Run("closing words come last and open to nothing", k.closing)
	t.Run("garbage is an error", k.garbage)
	t.Run("connections do not mix", k.mixed)
	t.Run("no allocation", k.allocations)
}

// End is one side of one connection.
type End struct {
	t     *testing.T
	lines *transport.Lines
	slot  transport.Slot
	sent  []byte // went out and did not arrive
	got   []byte // plain
	err   error
	work  func() func() // that was asked for and not done
	over  bool
	wait  bool // work waits until it is told
	ended bool
}

func newEnd(t *testing.T, lines *transport.Lines, slot transport.Slot) *End {
	e := &End{t: t, lines: lines, slot: slot}
	e.sent = append(e.sent, lines.Begin(slot)...)
	t.Cleanup(e.end)
	return e
}

// end ends the connection at this side.
func (e *End) end() {
	if !e.ended {
		e.ended = true
		e.lines.End(e.slot)
	}
}

// receive lets bytes arrive.
func (e *End) receive(b []byte) {
	if e.over {
		e.got = append(e.got, b...)
		return
	}
	if plain, ok := e.lines.Whole(e.slot, b); ok {
		e.got = append(e.got, plain...)
		return
	}
	in, err := e.lines.Receive(e.slot, b)
	e.sent = append(e.sent, in.Words...)
	e.got = append(e.got, in.Plain...)
	e.over = e.lines.Keep(e.slot, nil)
	if !errors.Is(err, transport.ErrEnd) {
		e.err = errors.Join(e.err, err)
	}
	if in.Away != nil {
		e.work = in.Away
	}
	if !e.wait {
		e.finish()
	}
}

// finish does the work that was asked for.
func (e *End) finish() {
	if e.work == nil {
		return
	}
	then := e.work()
	e.work = nil
	then()
	e.lines.Resume(e.slot)
	e.receive(nil)
}

func (e *End) send(plain []byte) {
	if e.over {
		e.sent = append(e.sent, plain...)
		return
	}
	e.sent = append(e.sent, e.lines.Seal(e.slot, plain)...)
}

// exchange lets all arrive that went out, in reads of some bytes, until nobody has more to say.
func exchange(a, b *End, size int) {
	for len(a.sent)+len(b.sent) > 0 {
		for _, pair := range [][2]*End{{a, b}, {b, a}} {
			from, to := pair[0], pair[1]
			b := from.sent
			from.sent = nil
			for len(b) > 0 {
				n := min(size, len(b))
				read := bytes.Clone(b[:n]) // its own, so that who keeps it is found out
				to.receive(read)
				clear(read)
				b = b[n:]
			}
		}
	}
}

func (k Kind) pair(t *testing.T, slot transport.Slot) (client, server *End) {
	return newEnd(t, transport.NewLines(k.Client()), slot), newEnd(t, transport.NewLines(k.Server()), slot)
}

func (e *End) want(plain []byte) {
	e.t.Helper()
	if e.err != nil || !bytes.Equal(e.got, plain) {
		e.t.Fatalf("%d bytes arrived, %v; want %d", len(e.got), e.err, len(plain))
	}
	e.got = nil
	if held := e.lines.Held(e.slot); held != 0 {
		e.t.Fatalf("%d bytes are held when all has arrived", held)
	}
}

// text is that many bytes of which no two pieces are alike.
func text(size int) []byte {
	b := make([]byte, size)
	x := uint32(size)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func (k Kind) comesThrough(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7, 1 << 20} {
		client, server := k.pair(t, 5)
		exchange(client, server, size)
		var up, down []byte
		for i := range 20 {
			client.send(text(i * i))
			server.send(text(i * 3))
			up, down = append(up, text(i*i)...), append(down, text(i*3)...)
		}
		exchange(client, server, size)
		server.want(up)
		client.want(down)
	}
	for cut := range 60 { // one frame in two reads
		client, server := k.pair(t, 5)
		exchange(client, server, 1<<20)
		client.send(text(40))
		sent := client.sent
		client.sent = nil
		cut = min(cut, len(sent))
		server.receive(bytes.Clone(sent[:cut]))
		server.receive(bytes.Clone(sent[cut:]))
		server.want(text(40))
	}
}

func (k Kind) longMessage(t *testing.T) {
	client, server := k.pair(t, 0)
	exchange(client, server, 1<<20)
	client.send(text(100_000))
	exchange(client, server, 1000)
	server.want(text(100_000))
}

func (k Kind) held(t *testing.T) {
	client, server := k.pair(t, 9)
	exchange(client, server, 1<<20)
	client.send(text(1000))
	sent := client.sent
	client.sent = nil
	server.receive(sent[:len(sent)-1])
	if held := server.lines.Held(9); !server.over && held+len(server.got) < 999 {
		t.Errorf("%d bytes held of %d that came, %d opened", held, len(sent)-1, len(server.got))
	}
	server.receive(sent[len(sent)-1:])
	server.want(text(1000))
}

func (k Kind) away(t *testing.T) {
	client, server := k.pair(t, 2)
	server.wait = true
	client.send(text(10))
	for range 10 {
		exchange(client, server, 1)
		client.send(text(10))
		if server.work != nil && len(server.got) > 0 {
			t.Fatal("something was opened while work was to be done")
		}
		if n := len(client.sent); server.work != nil && n > 0 {
			before := server.lines.Waiting(2)
			exchange(client, server, 1)
			if waits := server.lines.Waiting(2); waits != before+n || server.lines.Held(2) < waits {
				t.Fatalf("%d bytes wait for the work, %d are held; want %d", waits, server.lines.Held(2), before+n)
			}
		}
	}
	for exchange(client, server, 1); server.work != nil; exchange(client, server, 1) {
		server.finish()
	}
	server.want(bytes.Repeat(text(10), 11))
	if waits := server.lines.Waiting(2); waits != 0 {
		t.Errorf("%d bytes wait for nothing", waits)
	}
}

func (k Kind) early(t *testing.T) {
	client, server := k.pair(t, 1)
	client.send(text(30))
	server.send(text(31))
	exchange(client, server, 1)
	server.want(text(30))
	client.want(text(31))
}

func (k Kind) closing(t *testing.T) {
	for _, refused := range []bool{true, false} {
		client, server := k.pair(t, 1)
		if !refused {
			exchange(client, server, 1<<20)
		}
		server.send(text(50))
		server.sent = append(server.sent, server.lines.Close(1, codec.CodeShutdown)...)
		if again := server.lines.Close(1, codec.CodeShutdown); len(again) != 0 {
			t.Errorf("the closing words were said again: %x", again)
		}
		sent := server.sent
		server.sent = nil
		for _, b := range sent {
			client.receive([]byte{b})
		}
		if !refused || !k.Silent {
			client.want(text(50))
		} else if len(client.got) > 0 {
			t.Errorf("%q came through without a handshake", client.got)
		}
		server.receive(text(100))
		if held := server.lines.Held(1); held != 0 || server.err != nil {
			t.Errorf("after the closing words: %d held, %v", held, server.err)
		}
		server.end()
		client.end()
	}
}

func (k Kind) garbage(t *testing.T) {
	if k.Garbage == nil {
		t.Skip("there is none")
	}
	_, server := k.pair(t, 4)
	for _, b := range k.Garbage {
		server.receive([]byte{b})
	}
	if server.err == nil || len(server.got) > 0 {
		t.Fatalf("garbage gave %d bytes and no error", len(server.got))
	}
	server.send(text(10)) // a farewell
	server.lines.Close(4, codec.CodeProtocolError)
	if held := server.lines.Held(4); held != 0 {
		t.Errorf("%d bytes are held after the end", held)
	}
	server.end()
}

func (k Kind) mixed(t *testing.T) {
	theirs, ours := transport.NewLines(k.Client()), transport.NewLines(k.Server())
	var clients, servers []*End
	for slot := range transport.Slot(50) {
		clients = append(clients, newEnd(t, theirs, slot))
		servers = append(servers, newEnd(t, ours, slot))
	}
	for round := range 3 {
		for i, c := range clients {
			if (i+round)%4 == 0 { // another's slot from now on
				c.end()
				servers[i].end()
				clients[i], servers[i] = newEnd(t, theirs, c.slot), newEnd(t, ours, c.slot)
			}
			clients[i].send(text(i + round))
		}
		for i, c := range clients { // one half frame each, then the other half
			exchange(c, servers[i], 1)
			servers[i].want(text(i + round))
		}
	}
}

func (k Kind) allocations(t *testing.T) {
	client, server := k.pair(t, 0)
	exchange(client, server, 1<<20)
	client.send(text(1))
	server.send(text(1))
	exchange(client, server, 1)
	if server.over || client.over {
		t.Skip("it is over")
	}
	ping := codec.AppendPing(nil, 1, 0)
	wire := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() {
		wire = append(wire[:0], client.lines.Seal(0, ping)...)
		for _, half := range [][]byte{wire[:len(wire)/2], wire[len(wire)/2:]} {
			in, _ := server.lines.Receive(0, half)
			server.lines.Keep(0, in.Plain[len(in.Plain):])
		}
	}); n != 0 {
		t.Errorf("%v allocations for a PING that comes in two halves", n)
	}
}
