package reactor

import "github.com/stormwheel/stormwheel/codec"

// What a session may send is the same for all, but for clients whose grant has limits of its own:
// these lie apart, so that nobody else has room for them.

// Limits are those of one client. Zero is what all have, negative no bound.
type Limits struct {
	FrameRate      int // frames a second
	ByteRate       int // bytes a second
	UnsettledBytes int // of SENDs that are not settled, as it is told
	MaxFrame       int // bytes of the largest payload that it may send
}

// bounds are what a session may send.
type bounds struct {
	frames, bytes rate
	maxFrame      int // bytes of a payload
	unsettled     int // bytes, as it is told; 0: no bound
}

func newBounds(frameRate, byteRate, maxFrame, unsettled int) bounds {
	return bounds{
		frames:    newRate(frameRate, 0),
		bytes:     newRate(byteRate, 2*int64(maxFrame+codec.Overhead)),
		maxFrame:  maxFrame,
		unsettled: max(unsettled, 0),
	}
}

// boundsRef is where a session's bounds are; zero means that it has those of all.
type boundsRef uint32

// boundsTable has the bounds of those whose grant has some. Owned by the loop.
type boundsTable struct {
	all  []bounds
	free []boundsRef
}

func (t *boundsTable) put(b bounds) boundsRef {
	if n := len(t.free); n > 0 {
		ref := t.free[n-1]
		t.free = t.free[:n-1]
		t.all[ref-1] = b
		return ref
	}
	t.all = append(t.all, b)
	return boundsRef(len(t.all))
}

func (t *boundsTable) drop(ref boundsRef) {
	if ref != 0 {
		t.free = append(t.free, ref)
	}
}

func (t *boundsTable) inUse() int { return len(t.all) - len(t.free) }

// boundsOf are the session's, valid until another's are set.
func (r *Reactor) boundsOf(s *Session) *bounds {
	if s.extra == 0 {
		return &r.usual
	}
	if ref := r.extras.at(s.extra).bounds; ref != 0 {
		return &r.special.all[ref-1]
	}
	return &r.usual
}

// limit gives a client that is about to be welcomed the limits of its grant, if it has any. A frame
// is never larger than MaxFrame of all, nor smaller than a client may send before WELCOME: one may
// be under way, and a PING with a token must pass. A client may have one frame unsettled.
func (r *Reactor) limit(slot Slot, l *Limits) {
	if l == nil || *l == (Limits{}) {
		return
	}
	own := func(limit, usual, most int) int {
		if limit == 0 {
			return usual
		}
		return min(limit, most)
	}
	maxFrame := r.cfg.MaxFrame
	if l.MaxFrame > 0 {
		maxFrame = min(max(l.MaxFrame, codec.MaxPayloadBeforeAuth), maxFrame)
	}
	unsettled := own(l.UnsettledBytes, r.cfg.UnsettledBytes, 1<<32-1)
	if unsettled > 0 {
		unsettled = max(unsettled, maxFrame)
	}
	b := newBounds(own(l.FrameRate, r.cfg.MaxFrameRate, MaxRate), own(l.ByteRate, r.cfg.MaxByteRate, MaxRate), maxFrame, unsettled)
	r.extras.need(r.sessions.at(slot)).bounds = r.special.put(b)
}
