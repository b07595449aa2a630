package entry

import (
	"errors"
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// ProxyMode says what a listener makes of PROXY headers.
type ProxyMode uint8

// The modes.
const (
	ProxyOff      ProxyMode = iota // there are none
	ProxyOptional                  // who is trusted may say one
	ProxyRequired                  // only who is trusted may come, with one
)

// Rules are those of a listener.
type Rules struct {
	Plain, WebSocket       bool // as they are
	TLSPlain, TLSWebSocket bool // within TLS
	Proxy                  ProxyMode
	Trusted                func(netip.Addr) bool // whose headers are believed; nil: nobody's
	TrustPeers             bool                  // everybody's who comes by it
}

func (r *Rules) tls() bool { return r.TLSPlain || r.TLSWebSocket }

// Config says how connections come in.
type Config struct {
	Listeners []Rules // at most MaxListeners
	WebSocket websocket.ServerConfig
	// TLS is what a connection has that begins with it; nil: there is none. What it opens, comes in
	// anew.
	TLS transport.Stage
	// HeaderRead is told of a connection from which no PROXY header is waited for any more.
	HeaderRead func(transport.Slot)
}

// MaxListeners is how many rules there may be.
const MaxListeners = 256

// Stage is that of all connections of a loop.
type Stage struct {
	cfg    Config
	ws     *websocket.Server
	secure *tunnel         // nil: there is no TLS
	short  transport.Quick // Config.TLS, if it is that
	states states
	early  map[transport.Slot][]byte     // sealed before it is known for whom
	told   map[transport.Slot]netip.Addr // by PROXY headers
}

// New returns a stage without a connection.
func New(cfg Config) *Stage {
	e := &Stage{cfg: cfg, ws: websocket.NewServer(cfg.WebSocket),
		early: make(map[transport.Slot][]byte), told: make(map[transport.Slot]netip.Addr)}
	if cfg.TLS != nil {
		e.secure = newTunnel(cfg)
		e.short, _ = cfg.TLS.(transport.Quick)
	}
	return e
}

var (
	_ transport.Stage = (*Stage)(nil)
	_ transport.Quick = (*Stage)(nil)

	errNoHeader = errors.New("entry: no PROXY header from a trusted address")
)

// Arrive is told of a connection before Begin: by which listener it comes, and who its peer is.
func (e *Stage) Arrive(s transport.Slot, listener int, from netip.Addr) {
	t := asking.of(listener)
	rules := &e.cfg.Listeners[listener]
	if rules.TrustPeers || rules.Trusted != nil && from.IsValid() && rules.Trusted(from.Unmap()) {
		t |= trusted
	}
	if rules.Proxy == ProxyRequired || rules.Proxy == ProxyOptional && t.is(trusted) {
		t |= awaits
	}
	*e.states.at(s) = t
}

// Awaits says whether a PROXY header may come still.
func (e *Stage) Awaits(s transport.Slot) bool { return e.states.at(s).is(awaits) }

// WebSocket says whether a connection is one.
func (e *Stage) WebSocket(s transport.Slot) bool {
	t := e.states.at(s)
	return t.phase() == upgraded || t.phase() == secured && e.secure.within.WebSocket(s)
}

// Secured says whether a connection has TLS.
func (e *Stage) Secured(s transport.Slot) bool { return e.states.at(s).phase() == secured }

// Listener is which one a connection came by.
func (e *Stage) Listener(s transport.Slot) int { return e.states.at(s).listener() }

// Begin says nothing.
func (e *Stage) Begin(_ transport.Slot, dst []byte) []byte { return dst }

// inner is the stage that has a connection, nil if none has.
func (e *Stage) inner(t state) transport.Stage {
	switch t.phase() {
	case upgraded:
		return e.ws
	case secured:
		return e.secure
	}
	return nil
}

// Open has the stage take what comes, or asks which one it is.
func (e *Stage) Open(s transport.Slot, plain, wire []byte) (o transport.Opened, err error) {
	t := e.states.at(s)
	switch t.phase() { // a heartbeat costs no interface
	case upgraded:
		return e.ws.Open(s, plain, wire)
	case secured:
		if t.is(direct) {
			return e.cfg.TLS.Open(s, plain, wire)
		}
		o, err = e.secure.Open(s, plain, wire)
		if e.secure.bare(s) {
			*t |= direct
		}
		return o, err
	}
	o.Plain = plain
	if t.is(awaits) {
		if err = e.header(s, t, &o, wire); err != nil || t.is(awaits) {
			return o, err
		}
	}
	used := o.Used
	if t.phase() == asking {
		if len(wire) == used {
			return o, nil
		}
		e.choose(s, t, wire[used])
		switch t.phase() {
		case plainly:
			o.Words, o.Over = e.early[s], true
			delete(e.early, s)
			return o, nil
		case ended:
			o.Words, o.Used = plainAnswer(wire[used]), len(wire)
			delete(e.early, s)
			return o, errPlain
		}
	}
	if inner := e.inner(*t); inner != nil {
		o, err = inner.Open(s, plain, wire[used:])
		o.Used += used
	}
	return o, err
}

// Whole is a WebSocket's, or that of TLS with frames within.
func (e *Stage) Whole(s transport.Slot, plain, wire []byte) (opened []byte, ok bool) {
	t := e.states.at(s)
	switch {
	case t.phase() == upgraded:
		return e.ws.Whole(s, plain, wire)
	case t.is(direct) && e.short != nil:
		return e.short.Whole(s, plain, wire)
	}
	return plain, false
}

// header takes a PROXY header, or finds that there is none.
func (e *Stage) header(s transport.Slot, t *state, o *transport.Opened, wire []byte) error {
	rules := &e.cfg.Listeners[t.listener()]
	required := rules.Proxy == ProxyRequired
	if !t.is(trusted) {
		return errNoHeader
	}
	if e.secure != nil && rules.tls() && len(wire) > 0 && wire[0] == tlsHandshake {
		*t &^= awaits // it may come within
		return nil
	}
	if yes, unsure := proxy.Begins(wire); !yes && !unsure {
		if required {
			return errNoHeader
		}
		e.headerRead(s, t)
		return nil
	}
	h, size, need, err := proxy.Parse(wire)
	switch {
	case err != nil:
		return err
	case need > 0:
		o.Need = need
		return nil
	}
	o.Used = size
	if h.Source.IsValid() {
		e.told[s] = h.Source.Addr().WithZone("")
	}
	*t |= hasHeader
	e.headerRead(s, t)
	return nil
}

func (e *Stage) headerRead(s transport.Slot, t *state) {
	*t &^= awaits
	if e.cfg.HeaderRead != nil {
		e.cfg.HeaderRead(s)
	}
}

// choose finds the stage by a first byte.
func (e *Stage) choose(s transport.Slot, t *state, first byte) {
	rules := &e.cfg.Listeners[t.listener()]
	switch {
	case rules.WebSocket && (first >= 'A' && first <= 'Z' && first != codec.Magic || !rules.Plain && !rules.tls()):
		t.enter(upgraded)
		e.ws.Begin(s, nil)
		if t.is(trusted) && !t.is(hasHeader) {
			e.ws.Believe(s)
		}
	case rules.tls() && e.secure != nil && !rules.Plain && plainAnswer(first) != nil:
		t.enter(ended)
		return
	case rules.tls() && e.secure != nil && (first == tlsHandshake || !rules.Plain):
		t.enter(secured)
		e.secure.begin(s, *t)
	default:
		t.enter(plainly)
		return
	}
	if early := e.early[s]; len(early) > 0 {
		e.inner(*t).Seal(s, nil, early) // it keeps it
		delete(e.early, s)
	}
}

const tlsHandshake = 0x16 // the type of a TLS record

// Seal is the stage's. What comes before there is one waits for it.
func (e *Stage) Seal(s transport.Slot, dst, plain []byte) []byte {
	t := e.states.at(s)
	switch t.phase() {
	case upgraded:
		return e.ws.Seal(s, dst, plain)
	case secured:
		if t.is(direct) {
			return e.cfg.TLS.Seal(s, dst, plain)
		}
		return e.secure.Seal(s, dst, plain)
	case plainly:
		return append(dst, plain...)
	case asking:
		if len(plain) > 0 {
			e.early[s] = append(e.early[s], plain...)
		}
	}
	return dst
}

// Close is the stage's. Who is refused before there is one is told in plain frames, unless there
// is only TLS.
func (e *Stage) Close(s transport.Slot, dst []byte, code codec.Code) []byte {
	t := e.states.at(s)
	if inner := e.inner(*t); inner != nil {
		return inner.Close(s, dst, code)
	}
	if t.phase() == asking {
		if rules := &e.cfg.Listeners[t.listener()]; rules.Plain || rules.WebSocket { // else nobody would believe it
			dst = append(dst, e.early[s]...)
		}
		delete(e.early, s)
		t.enter(ended)
	}
	return dst
}

// Held is the stage's.
func (e *Stage) Held(s transport.Slot) int {
	t := e.states.at(s)
	switch t.phase() {
	case upgraded:
		return e.ws.Held(s)
	case secured:
		if t.is(direct) {
			return e.cfg.TLS.Held(s)
		}
		return e.secure.Held(s)
	}
	return len(e.early[s])
}

// Addr is where the client is, if a header or a field has told.
func (e *Stage) Addr(s transport.Slot) netip.Addr {
	if len(e.told) > 0 {
		if addr, ok := e.told[s]; ok {
			return addr
		}
	}
	if inner := e.inner(*e.states.at(s)); inner != nil {
		return inner.Addr(s)
	}
	return netip.Addr{}
}

// Tick tells TLS the time.
func (e *Stage) Tick(now time.Duration) { transport.Tick(e.cfg.TLS, now) }

// End forgets a connection.
func (e *Stage) End(s transport.Slot) {
	t := e.states.at(s)
	if inner := e.inner(*t); inner != nil {
		inner.End(s)
	}
	*t = 0
	delete(e.early, s)
	delete(e.told, s)
}
