package entry

import "github.com/stormwheel/stormwheel/internal/transport"

// state is what is kept of a connection: how far it is, what is true of it, and its listener.
type state uint16

// phase is how far a connection is.
type phase uint16

const (
	asking   phase = iota // its first byte has not come
	plainly               // frames
	upgraded              // HTTP, and then a WebSocket
	secured               // TLS
	ended                 // it was closed before, or speaks plainly where there is only TLS

	phases = 7 // the bits of a phase
)

const (
	trusted   state = 8 << iota // its peer is
	awaits                      // a PROXY header may come, or must
	hasHeader                   // one has come
	direct                      // it has TLS, and frames within
)

const listenerShift = 8

// of is the state of a connection that came by a listener.
func (p phase) of(listener int) state { return state(p) | state(listener)<<listenerShift }

func (t state) is(f state) bool { return t&f != 0 }

func (t state) phase() phase { return phase(t & phases) }

func (t state) listener() int { return int(t >> listenerShift) }

func (t *state) enter(p phase) { *t = *t&^phases | state(p) }

// within is the state in TLS of a connection that had this one outside.
func (t state) within(mode ProxyMode) state {
	t.enter(asking)
	if !t.is(hasHeader) && (mode == ProxyRequired || mode == ProxyOptional && t.is(trusted)) {
		t |= awaits
	}
	return t
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
