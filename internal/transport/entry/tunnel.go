package entry

import (
	"net/netip"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// tunnel is TLS with a second entry within it, where the question what a connection speaks comes
// anew. When that has found frames, only TLS is left.
type tunnel struct {
	tls    transport.Stage
	within *Stage
	lines  *transport.Lines // of within
	plain  []byte           // of TLS, for within
	words  []byte
}

func newTunnel(cfg Config) *tunnel {
	c := Config{WebSocket: cfg.WebSocket, HeaderRead: cfg.HeaderRead}
	for _, r := range cfg.Listeners {
		r.Plain, r.WebSocket = r.TLSPlain, r.TLSWebSocket
		r.TLSPlain, r.TLSWebSocket = false, false
		c.Listeners = append(c.Listeners, r)
	}
	within := New(c)
	return &tunnel{tls: cfg.TLS, within: within, lines: transport.NewLines(within)}
}

// begin begins a connection of which the entry knows so much.
func (e *tunnel) begin(s transport.Slot, t state) {
	*e.within.states.at(s) = t.within(e.within.cfg.Listeners[t.listener()].Proxy)
	e.tls.Begin(s, nil)
	e.lines.Begin(s)
}

// bare says whether only TLS is left of it.
func (e *tunnel) bare(s transport.Slot) bool { return e.within.states.at(s).phase() == plainly }

func (e *tunnel) Begin(_ transport.Slot, dst []byte) []byte { return dst }

func (e *tunnel) Open(s transport.Slot, plain, wire []byte) (transport.Opened, error) {
	if e.bare(s) {
		return e.tls.Open(s, plain, wire)
	}
	o, err := e.tls.Open(s, e.plain[:0], wire)
	e.plain, o.Plain = o.Plain, plain
	if len(e.plain) == 0 {
		return o, err
	}
	in, within := e.lines.Receive(s, e.plain)
	o.Plain = append(plain, in.Plain...)
	o.Frames += in.Frames
	if len(in.Words) > 0 {
		e.words = e.tls.Seal(s, append(e.words[:0], o.Words...), in.Words)
		o.Words = e.words
	}
	e.lines.Keep(s, nil)
	if within != nil {
		err = within // it came first
	}
	return o, err
}

func (e *tunnel) Seal(s transport.Slot, dst, plain []byte) []byte {
	if !e.bare(s) {
		plain = e.lines.Seal(s, plain)
	}
	return e.tls.Seal(s, dst, plain)
}

func (e *tunnel) Close(s transport.Slot, dst []byte, code codec.Code) []byte {
	if !e.bare(s) {
		dst = e.tls.Seal(s, dst, e.lines.Close(s, code))
	}
	return e.tls.Close(s, dst, code)
}

func (e *tunnel) Held(s transport.Slot) int { return e.tls.Held(s) + e.lines.Held(s) }

func (e *tunnel) Addr(s transport.Slot) netip.Addr { return e.within.Addr(s) }

func (e *tunnel) End(s transport.Slot) {
	e.tls.End(s)
	e.lines.End(s)
}
