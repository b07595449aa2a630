package websocket

import (
	"encoding/binary"
	"errors"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// side is what the two sides have in common: everything once the handshake is over.
type side struct {
	states  states
	halves  halves
	pending map[transport.Slot]*pending
	words   []byte

	nextMask func() uint32 // of a client's frames; nil: a server's, which have none
}

func newSide(nextMask func() uint32) side {
	return side{pending: make(map[transport.Slot]*pending), nextMask: nextMask}
}

func (d *side) client() bool { return d.nextMask != nil }

// Seal makes messages. What is said before the handshake is over waits for its end.
func (d *side) Seal(s transport.Slot, dst, plain []byte) []byte {
	switch t := d.states.at(s); {
	case t.is(silent):
		return dst
	case !t.is(open):
		d.keep(s, plain)
		return dst
	}
	return d.seal(dst, plain)
}

// openFrames takes what is here of frames.
func (d *side) openFrames(s transport.Slot, o *transport.Opened, wire []byte) error {
	t := d.states.at(s)
	if t.is(parted) {
		d.resume(t, o, wire)
	}
	for !t.is(parted) {
		rest := wire[o.Used:]
		h, need, err := parseHeader(rest, !d.client())
		if need > 0 {
			o.Need = need
			return nil
		}
		if err == nil && h.control() {
			if size := h.size + int(h.length); len(rest) < size {
				o.Need = size
				return nil
			}
			err = d.control(s, o, h, rest[h.size:h.size+int(h.length)])
			o.Used += h.size + int(h.length)
		} else if err == nil {
			if err = follows(t, h, o); err == nil {
				o.Used += h.size
				d.data(t, o, half{h.length, h.mask}, wire[o.Used:])
			}
		}
		if err != nil {
			d.fail(t, err)
			return err
		}
	}
	o.Need = 1
	return nil
}

// follows says whether a data frame may come now, and what comes after it.
func follows(t *state, h header, o *transport.Opened) error {
	switch {
	case h.opcode == opText:
		return errText
	case h.opcode == opContinuation && !t.is(fragmented):
		return errContinuation
	case h.opcode != opContinuation && t.is(fragmented):
		return errInterrupted
	}
	if *t |= fragmented; h.fin {
		*t &^= fragmented
	}
	if h.opcode == opContinuation || !h.fin || h.length == 0 {
		o.Frames++
	}
	return nil
}

// data opens what is here of a frame's payload.
func (d *side) data(t *state, o *transport.Opened, x half, b []byte) {
	if uint64(len(b)) > x.left {
		b = b[:x.left]
	}
	begins := len(o.Plain)
	o.Plain = append(o.Plain, b...)
	if x.mask != 0 {
		x.mask = mask(o.Plain[begins:], x.mask)
	}
	o.Used += len(b)
	if x.left -= uint64(len(b)); x.left > 0 {
		*t = t.withRest(parted, d.halves.put(x))
	}
}

// resume goes on with a frame of which a part was opened.
func (d *side) resume(t *state, o *transport.Opened, wire []byte) {
	x := d.halves.all[t.rest()]
	d.halves.drop(t.rest())
	*t = t.withRest(0, 0)
	d.data(t, o, x, wire)
}

// control takes a control frame.
func (d *side) control(s transport.Slot, o *transport.Opened, h header, payload []byte) error {
	o.Frames++
	var room [maxControl]byte
	b := room[:copy(room[:], payload)]
	mask(b, h.mask)
	switch h.opcode {
	case opPing:
		d.words = d.appendFrame(d.words, opPong, b)
		o.Words = d.words
	case opClose:
		code, err := parseClose(b)
		if err != nil {
			return err
		}
		t := d.states.at(s)
		*t = t.withRest(closing, uint32(code))
		return transport.ErrEnd
	}
	return nil
}

// fail remembers what is wrong for the close frame.
func (d *side) fail(t *state, err error) {
	if t.is(closing) {
		return // the peer has closed
	}
	var f *fault
	if errors.As(err, &f) {
		*t = t.withRest(closing, uint32(f.code))
	}
}

// maxMessage is the longest message of a server, in bytes. A browser shows a page no message before all of it has
// come: on a slow link a longer one would look like silence, and so would what stands behind it. So many bytes come
// in any time that a client still takes for progress (docs/PROTOCOL.md, rule 3).
const maxMessage = 4 << 10

// seal appends messages that hold plain: one of a client's, and as many of a server's as it takes.
func (d *side) seal(dst, plain []byte) []byte {
	for len(plain) > 0 {
		n := len(plain)
		if !d.client() {
			n = min(n, maxMessage)
		}
		dst = d.appendFrame(dst, opBinary, plain[:n])
		plain = plain[n:]
	}
	return dst
}

// appendFrame appends a whole message, or a control frame.
func (d *side) appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	if !d.client() {
		return append(appendHeader(dst, opcode, len(payload), 0), payload...)
	}
	m := d.nextMask()
	dst = appendHeader(dst, opcode, len(payload), maskBit)
	dst = binary.LittleEndian.AppendUint32(dst, m)
	begins := len(dst)
	dst = append(dst, payload...)
	mask(dst[begins:], m)
	return dst
}

// closeFrame appends the last frame: the peer's own code if it has closed, what is wrong with its
// frames, or the code.
func (d *side) closeFrame(t *state, dst []byte, code codec.Code) []byte {
	if t.is(silent) {
		return dst
	}
	*t |= silent
	told := CloseCode(code)
	if t.is(closing) {
		told = uint16(t.rest())
	}
	if told == closeNone {
		return d.appendFrame(dst, opClose, nil)
	}
	return d.appendFrame(dst, opClose, binary.BigEndian.AppendUint16(make([]byte, 0, 2), told))
}

// Held counts what waits for the handshake.
func (d *side) Held(s transport.Slot) int {
	if p := d.pending[s]; p != nil {
		return len(p.early)
	}
	return 0
}

// End forgets a connection.
func (d *side) End(s transport.Slot) {
	t := d.states.at(s)
	if t.is(parted) {
		d.halves.drop(t.rest())
	}
	*t = 0
	delete(d.pending, s)
}

// keep has what is sealed too early wait for the end of the handshake.
func (d *side) keep(s transport.Slot, plain []byte) {
	if len(plain) == 0 {
		return
	}
	p := d.pending[s]
	if p == nil {
		p = new(pending)
		d.pending[s] = p
	}
	p.early = append(p.early, plain...)
}

// release ends a handshake and returns what has waited for that.
func (d *side) release(s transport.Slot) (early []byte) {
	if p := d.pending[s]; p != nil {
		early = p.early
		delete(d.pending, s)
	}
	return early
}
