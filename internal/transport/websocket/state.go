package websocket

import "github.com/stormwheel/stormwheel/internal/transport"

// state is what is kept of an open connection: eight flags, and in the rest the number of its half,
// or the code of the close frame that is to come.
type state uint32

const (
	open       state = 1 << iota // the handshake is over
	fragmented                   // a message has begun and not ended
	parted                       // rest is the number of a half
	closing                      // rest is the code with which it closes
	silent                       // nothing is sealed any more
	believed                     // what a proxy tells in the request is believed
)

const restShift = 8

func (t state) is(f state) bool { return t&f != 0 }

func (t state) rest() uint32 { return uint32(t >> restShift) }

// withRest replaces what rest is.
func (t state) withRest(f state, rest uint32) state {
	return t&(1<<restShift-1)&^(parted|closing) | f | state(rest)<<restShift
}

const (
	chunkBits = 12
	chunk     = 1 << chunkBits
)

// states is a slab that grows by chunks and never copies.
type states []*[chunk]state

func (t *states) at(s transport.Slot) *state {
	i := int(s >> chunkBits)
	for i >= len(*t) {
		*t = append(*t, nil)
	}
	if (*t)[i] == nil {
		(*t)[i] = new([chunk]state)
	}
	return &(*t)[i][s&(chunk-1)]
}

// half is a data frame of which a part has been opened.
type half struct {
	left uint64 // bytes of it that have not come
	mask uint32 // turned so that it begins with the next byte; 0: there is none, or it changes nothing
}

// halves is a list with holes.
type halves struct {
	all  []half
	free []uint32
}

func (h *halves) put(x half) (ref uint32) {
	if n := len(h.free); n > 0 {
		ref = h.free[n-1]
		h.free = h.free[:n-1]
		h.all[ref] = x
		return ref
	}
	h.all = append(h.all, x)
	return uint32(len(h.all) - 1)
}

func (h *halves) drop(ref uint32) { h.free = append(h.free, ref) }

// pending is a handshake that is not over.
type pending struct {
	early []byte // sealed before it was
	key   string // of a client: what the answer must be made of
}
