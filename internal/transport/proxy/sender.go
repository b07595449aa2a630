package proxy

import (
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// Sender is the side of who connects, as a balancer does: a header, and then what another stage
// says, or nothing but frames.
type Sender struct {
	header func(dst []byte) []byte
	inner  transport.Stage
}

// NewSender returns a stage that begins each connection with what header appends. A nil inner is for
// plain frames.
func NewSender(header func(dst []byte) []byte, inner transport.Stage) *Sender {
	return &Sender{header, inner}
}

var _ transport.Stage = (*Sender)(nil)

// Begin says the header.
func (p *Sender) Begin(s transport.Slot, dst []byte) []byte {
	dst = p.header(dst)
	if p.inner != nil {
		dst = p.inner.Begin(s, dst)
	}
	return dst
}

// Open is the other stage's: nothing answers a header.
func (p *Sender) Open(s transport.Slot, plain, wire []byte) (transport.Opened, error) {
	if p.inner != nil {
		return p.inner.Open(s, plain, wire)
	}
	return transport.Opened{Plain: plain, Over: true}, nil
}

// Seal is the other stage's.
func (p *Sender) Seal(s transport.Slot, dst, plain []byte) []byte {
	if p.inner != nil {
		return p.inner.Seal(s, dst, plain)
	}
	return append(dst, plain...)
}

// Close is the other stage's.
func (p *Sender) Close(s transport.Slot, dst []byte, code codec.Code) []byte {
	if p.inner != nil {
		return p.inner.Close(s, dst, code)
	}
	return dst
}

// Held is the other stage's.
func (p *Sender) Held(s transport.Slot) int {
	if p.inner != nil {
		return p.inner.Held(s)
	}
	return 0
}

// Tick tells the other stage the time.
func (p *Sender) Tick(now time.Duration) { transport.Tick(p.inner, now) }

// Addr knows nothing.
func (p *Sender) Addr(transport.Slot) netip.Addr { return netip.Addr{} }

// End forgets a connection.
func (p *Sender) End(s transport.Slot) {
	if p.inner != nil {
		p.inner.End(s)
	}
}
