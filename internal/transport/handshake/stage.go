package handshake

import (
	"crypto/tls"
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/tlsrecord"
)

// Stage is one side of TLS for a loop's connections.
type Stage struct {
	layer *tlsrecord.Layer
	under map[transport.Slot]*under // whose handshakes are under way, or have failed

	// The server's side.
	config *Config
	peer   func(transport.Slot) Peer
	states map[transport.Slot]*tls.ConnectionState // that nobody has asked for
	older  map[transport.Slot]*handshake           // of TLS 1.2, that have ended well

	keepStates bool

	// The client's side.
	dial *tls.Config
	now  func() time.Duration
	kept map[transport.Slot]*kept // that wait for a ticket
}

// Peer is what a server's side is told of a connection before its handshake.
type Peer struct {
	Addr  netip.Addr // for the bounds of an address; the zero Addr has none
	Terms int        // which of the Config's configurations it is shown: 0 is NewConfig's
}

// NewServer returns the server's side. nil tells of no peer.
func NewServer(c *Config, peer func(transport.Slot) Peer) *Stage {
	if peer == nil {
		peer = func(transport.Slot) Peer { return Peer{} }
	}
	return &Stage{
		layer: tlsrecord.New(false), under: make(map[transport.Slot]*under),
		config: c, peer: peer, states: make(map[transport.Slot]*tls.ConnectionState),
		older: make(map[transport.Slot]*handshake),
	}
}

// Begin begins a connection. A client says its ClientHello.
func (t *Stage) Begin(s transport.Slot, dst []byte) []byte {
	if t.dial == nil {
		return dst
	}
	u := t.beginning(s)
	u.h = t.newHandshake(s)
	r := u.h.step(nil)
	u.fail(r.err)
	return append(dst, r.words...)
}

// beginning is what is kept of a connection until its handshake has ended.
func (t *Stage) beginning(s transport.Slot) *under {
	u := t.under[s]
	if u == nil {
		u = new(under)
		t.under[s] = u
	}
	return u
}

// Open goes on with the handshake, or opens records.
func (t *Stage) Open(s transport.Slot, plain, wire []byte) (transport.Opened, error) {
	if t.layer.Has(s) {
		t.letGo(s)
		return t.layer.Open(s, plain, wire)
	}
	if h := t.olderOf(s); h != nil {
		return h.openOlder(plain, wire)
	}
	o, err := t.goOn(s, t.beginning(s), wire)
	o.Plain = plain
	if err != nil || t.under[s] != nil {
		return o, err
	}
	words, used := o.Words, o.Used // it has ended well: what follows are records
	o, err = t.Open(s, plain, wire[used:])
	o.Words, o.Used = append(words, o.Words...), o.Used+used
	return o, err
}

// Whole opens a record that came alone.
func (t *Stage) Whole(s transport.Slot, plain, wire []byte) (opened []byte, ok bool) {
	if len(t.kept) > 0 { // Open lets go of some
		return plain, false
	}
	return t.layer.Whole(s, plain, wire)
}

// Seal makes records; until the handshake has ended they are kept.
func (t *Stage) Seal(s transport.Slot, dst, plain []byte) []byte {
	if t.layer.Has(s) {
		return t.layer.Seal(s, dst, plain)
	}
	if h := t.olderOf(s); h != nil {
		return h.sealOlder(dst, plain)
	}
	if u := t.beginning(s); u.err == nil {
		u.early = append(u.early, plain...)
	}
	return dst
}

// Close says close_notify, or the alert of an error. Before the handshake has ended it says
// nothing: crypto/tls has.
func (t *Stage) Close(s transport.Slot, dst []byte, _ codec.Code) []byte {
	if t.layer.Has(s) {
		return t.layer.Close(s, dst)
	}
	if h := t.olderOf(s); h != nil {
		return h.closeOlder(dst)
	}
	u := t.beginning(s)
	t.abandon(u)
	u.fail(errGivenUp)
	return dst
}

// Held counts what was to be sealed before the handshake's end, and half messages after it.
func (t *Stage) Held(s transport.Slot) int {
	if u := t.under[s]; u != nil {
		return len(u.early)
	}
	return t.layer.Held(s)
}

// Addr knows nothing.
func (t *Stage) Addr(transport.Slot) netip.Addr { return netip.Addr{} }

// Tick tells the time, of any origin, some times a second (tlsrecord.Layer.Tick).
func (t *Stage) Tick(now time.Duration) { t.layer.Tick(now) }

// KeepStates has State tell what handshakes have told.
func (t *Stage) KeepStates() { t.keepStates = true }

// State returns what the handshake has told about a peer, once; nil before its end.
func (t *Stage) State(s transport.Slot) *tls.ConnectionState {
	state := t.states[s]
	delete(t.states, s)
	return state
}

// End forgets a connection.
func (t *Stage) End(s transport.Slot) {
	if u := t.under[s]; u != nil {
		t.abandon(u)
		delete(t.under, s)
	}
	if h := t.olderOf(s); h != nil {
		delete(t.older, s)
		t.config.leaveOlder(h)
	}
	delete(t.states, s)
	delete(t.kept, s)
	t.layer.End(s)
}

func (t *Stage) abandon(u *under) {
	if u.h == nil {
		return
	}
	u.h.abandon()
	if t.config != nil {
		t.config.room.leave(u.h)
		t.config.leaveOlder(u.h)
	}
	u.h = nil
}

// Connections says how many have begun to speak and not ended.
func (t *Stage) Connections() int { return len(t.under) + len(t.older) + t.layer.Connections() }
