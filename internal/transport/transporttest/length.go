package transporttest

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// Length is a stage that is there to show what stages can do: each piece of plain bytes has two
// bytes of its length in front. Length zero is the closing words, and two bytes of the code follow.
//
// It begins with a handshake: a client says a letter, and only when the server has answered, after
// work that may run elsewhere, can either side seal.
type Length struct {
	client bool
	away   bool // the server's answer is worked on elsewhere

	lines map[transport.Slot]*lengthLine
	words []byte
}

type lengthLine struct {
	early  []byte // sealed before the handshake was over
	ready  bool
	asked  bool // the work is under way
	worked bool
}

// NewLength returns the client's side, or the server's. away has the server's handshake worked on
// by another goroutine.
func NewLength(client, away bool) *Length {
	return &Length{client: client, away: away, lines: make(map[transport.Slot]*lengthLine)}
}

const (
	greeting = 'L'
	maxPiece = 16 << 10
)

// What a peer may do wrong.
var (
	errGreeting = errors.New("transporttest: no greeting")
	errLength   = errors.New("transporttest: a piece is too long")
)

// Begin begins a connection; a client greets.
func (g *Length) Begin(s transport.Slot, dst []byte) []byte {
	g.lines[s] = new(lengthLine)
	if g.client {
		dst = append(dst, greeting)
	}
	return dst
}

// Open takes pieces that are whole.
func (g *Length) Open(s transport.Slot, plain, wire []byte) (o transport.Opened, err error) {
	n := g.lines[s]
	o.Plain = plain
	if !n.ready {
		if err := g.greet(n, &o, wire); err != nil || !n.ready {
			return o, err
		}
	}
	for {
		rest := wire[o.Used:]
		if len(rest) < 2 {
			o.Need = 2
			return o, nil
		}
		size := int(binary.BigEndian.Uint16(rest))
		switch {
		case size > maxPiece:
			return o, errLength
		case size == 0:
			size = 2 // a farewell: the protocol above has said it, too
			if len(rest) < 4 {
				o.Need = 4
				return o, nil
			}
		case len(rest) < 2+size:
			o.Need = 2 + size
			return o, nil
		default:
			o.Plain = append(o.Plain, rest[2:2+size]...)
		}
		o.Used += 2 + size
	}
}

// greet goes on with the handshake.
func (g *Length) greet(n *lengthLine, o *transport.Opened, wire []byte) error {
	if !n.asked {
		if len(wire) == 0 {
			return nil
		}
		if wire[0] != greeting {
			return errGreeting
		}
		o.Used = 1
		n.asked = true
		if g.away {
			o.Away = func() func() { return func() { n.worked = true } }
			return nil
		}
		n.worked = true
	}
	if !n.worked {
		return errGreeting // it was opened while the work was under way
	}
	n.ready = true
	g.words = g.early(n, g.words[:0])
	o.Words = g.words
	return nil
}

// early appends what ends the handshake, and what has waited for that.
func (g *Length) early(n *lengthLine, dst []byte) []byte {
	if !g.client {
		dst = append(dst, greeting)
	}
	dst = append(dst, n.early...)
	n.early = nil
	return dst
}

// Seal makes pieces.
func (g *Length) Seal(s transport.Slot, dst, plain []byte) []byte {
	n := g.lines[s]
	if !n.ready {
		n.early = seal(n.early, plain)
		return dst
	}
	return seal(dst, plain)
}

func seal(dst, plain []byte) []byte {
	for len(plain) > 0 {
		size := min(len(plain), maxPiece)
		dst = binary.BigEndian.AppendUint16(dst, uint16(size))
		dst = append(dst, plain[:size]...)
		plain = plain[size:]
	}
	return dst
}

// Close says the code. To who is refused in the handshake the server says all that it has to say.
func (g *Length) Close(s transport.Slot, dst []byte, code codec.Code) []byte {
	switch n := g.lines[s]; {
	case n.ready:
	case g.client:
		return dst
	default:
		dst = g.early(n, dst)
	}
	return binary.BigEndian.AppendUint16(append(dst, 0, 0), uint16(code))
}

// Held counts what waits for the handshake.
func (g *Length) Held(s transport.Slot) int { return len(g.lines[s].early) }

// Addr knows nothing.
func (g *Length) Addr(transport.Slot) netip.Addr { return netip.Addr{} }

// End forgets a connection.
func (g *Length) End(s transport.Slot) { delete(g.lines, s) }

// Connections says how many have begun and not ended.
func (g *Length) Connections() int { return len(g.lines) }
