package transport

import (
	"net/netip"

	"github.com/stormwheel/stormwheel/codec"
)

// Stack is a stage within another, as a WebSocket is within TLS: what goes to the socket is the
// outer's, and what that opens is the inner's. The outer stage is never over, and the inner one has no
// work done elsewhere.
type Stack struct {
	outer Stage
	inner *Lines
	bare  map[Slot]struct{} // whose inner is over
	plain []byte            // of outer, for inner
	words []byte
}

// NewStack returns inner within outer.
func NewStack(outer, inner Stage) *Stack {
	return &Stack{outer: outer, inner: NewLines(inner), bare: make(map[Slot]struct{})}
}

var _ Stage = (*Stack)(nil)

// Begin says what outer says first, and then what inner does.
func (k *Stack) Begin(s Slot, dst []byte) []byte {
	dst = k.outer.Begin(s, dst)
	return k.outer.Seal(s, dst, k.inner.Begin(s))
}

func (k *Stack) isBare(s Slot) bool {
	if len(k.bare) == 0 {
		return false
	}
	_, bare := k.bare[s]
	return bare
}

// Open opens what came, and then that.
func (k *Stack) Open(s Slot, plain, wire []byte) (Opened, error) {
	if k.isBare(s) {
		return k.outer.Open(s, plain, wire)
	}
	o, err := k.outer.Open(s, k.plain[:0], wire)
	k.plain, o.Plain = o.Plain, plain
	if len(k.plain) == 0 {
		return o, err
	}
	in, failed := k.inner.Receive(s, k.plain)
	o.Plain = append(plain, in.Plain...)
	o.Frames += in.Frames
	if len(in.Words) > 0 {
		k.words = k.outer.Seal(s, append(k.words[:0], o.Words...), in.Words)
		o.Words = k.words
	}
	if k.inner.Keep(s, nil) {
		k.bare[s] = struct{}{}
	}
	if failed != nil {
		err = failed // it came first
	}
	return o, err
}

// Seal seals by inner, and that by outer.
func (k *Stack) Seal(s Slot, dst, plain []byte) []byte {
	if !k.isBare(s) {
		plain = k.inner.Seal(s, plain)
	}
	return k.outer.Seal(s, dst, plain)
}

// Close says inner's closing words, and then outer's.
func (k *Stack) Close(s Slot, dst []byte, code codec.Code) []byte {
	if !k.isBare(s) {
		dst = k.outer.Seal(s, dst, k.inner.Close(s, code))
	}
	return k.outer.Close(s, dst, code)
}

// Held is both's.
func (k *Stack) Held(s Slot) int { return k.outer.Held(s) + k.inner.Held(s) }

// Addr is what inner was told, or outer.
func (k *Stack) Addr(s Slot) netip.Addr {
	if a := k.inner.Addr(s); a.IsValid() {
		return a
	}
	return k.outer.Addr(s)
}

// End forgets a connection in both.
func (k *Stack) End(s Slot) {
	k.outer.End(s)
	k.inner.End(s)
	delete(k.bare, s)
}
