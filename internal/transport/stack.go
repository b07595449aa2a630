package transport

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Stack is a stage made of two: lower has the wire, and what it opens is the wire of upper, as a
// WebSocket is in TLS.
type Stack struct {
	lower Stage
	upper *Lines

	bare  map[Slot]bare // of connections that one of the two is over with
	mid   []byte        // opened by lower; of no connection
	words []byte
}

// bare says who is over with a connection.
type bare struct{ lower, upper bool }

// NewStack puts one stage upon another. Both are the stack's alone.
func NewStack(lower, upper Stage) *Stack {
	return &Stack{lower: lower, upper: NewLines(upper), bare: make(map[Slot]bare)}
}

var _ Stage = (*Stack)(nil)

// Begin begins both.
func (k *Stack) Begin(s Slot, dst []byte) []byte {
	dst = k.lower.Begin(s, dst)
	return k.down(s, dst, k.upper.Begin(s))
}

// down appends what goes to the socket for upper's bytes.
func (k *Stack) down(s Slot, dst, b []byte) []byte {
	if len(b) == 0 {
		return dst
	}
	if k.bare[s].lower {
		return append(dst, b...)
	}
	return k.lower.Seal(s, dst, b)
}

// Open opens with lower, and what that gives with upper.
func (k *Stack) Open(s Slot, plain, wire []byte) (Opened, error) {
	if cap(k.mid) > maxKept {
		k.mid = nil
	}
	o, lowerErr := k.below(s, wire)
	k.words = append(k.words[:0], o.Words...)
	mid := o.Plain
	k.mid = mid[:0]
	var upperErr error
	if k.bare[s].upper {
		plain = append(plain, mid...)
	} else if len(mid) > 0 || o.Away == nil {
		var in Received
		in, upperErr = k.upper.Receive(s, mid)
		plain = append(plain, in.Plain...)
		k.words = k.down(s, k.words, in.Words)
		o.Frames += in.Frames
		if k.upper.Keep(s, nil) {
			k.over(s, bare{upper: true})
		}
		o.Away = k.both(s, o.Away, in.Away)
	}
	b := k.bare[s]
	o.Plain, o.Words, o.Over = plain, k.words, b.lower && b.upper
	if upperErr != nil {
		return o, upperErr
	}
	return o, lowerErr
}

// below opens with lower, if that has something to do with the connection.
func (k *Stack) below(s Slot, wire []byte) (o Opened, err error) {
	if k.bare[s].lower {
		return Opened{Plain: append(k.mid[:0], wire...), Used: len(wire)}, nil
	}
	o, err = k.lower.Open(s, k.mid[:0], wire)
	if o.Over {
		k.over(s, bare{lower: true})
		o.Plain, o.Used = append(o.Plain, wire[o.Used:]...), len(wire)
	}
	return o, err
}

func (k *Stack) over(s Slot, who bare) {
	b := k.bare[s]
	k.bare[s] = bare{b.lower || who.lower, b.upper || who.upper}
}

// both is the work of the two, of which mostly one has some.
func (k *Stack) both(s Slot, lower, upper func() func()) func() func() {
	if upper == nil {
		return lower
	}
	return func() func() {
		var first func()
		if lower != nil {
			first = lower()
		}
		second := upper()
		return func() {
			if first != nil {
				first()
			}
			second()
			k.upper.Resume(s)
		}
	}
}

// Seal seals with upper and then with lower.
func (k *Stack) Seal(s Slot, dst, plain []byte) []byte {
	if !k.bare[s].upper {
		plain = k.upper.Seal(s, plain)
	}
	return k.down(s, dst, plain)
}

// Close appends upper's closing words, and lower's.
func (k *Stack) Close(s Slot, dst []byte, code codec.Code) []byte {
	if !k.bare[s].upper {
		dst = k.down(s, dst, k.upper.Close(s, code))
	}
	if !k.bare[s].lower {
		dst = k.lower.Close(s, dst, code)
	}
	return dst
}

// Held is what both keep.
func (k *Stack) Held(s Slot) (size int) {
	if !k.bare[s].upper {
		size = k.upper.Held(s)
	}
	if !k.bare[s].lower {
		size += k.lower.Held(s)
	}
	return size
}

// Tick tells the lower stage the time.
func (k *Stack) Tick(now time.Duration) { Tick(k.lower, now) }

// Addr is where the peer is, as the upper or the lower stage was told.
func (k *Stack) Addr(s Slot) netip.Addr { return cmp.Or(k.upper.Addr(s), k.lower.Addr(s)) }

// End forgets a connection.
func (k *Stack) End(s Slot) {
	k.upper.End(s)
	k.lower.End(s)
	delete(k.bare, s)
}
