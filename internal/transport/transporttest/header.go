package transporttest

import (
	"errors"
	"net/netip"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// Header is a stage that is over once it has read who speaks, as that of a proxy's header is: the
// letter H and an IPv4 address.
type Header struct {
	From netip.Addr // what a client says; zero for the server's side

	addrs map[transport.Slot]netip.Addr
}

const headerBytes = 5

var errHeader = errors.New("transporttest: no header")

// Begin says the header, from a client.
func (h *Header) Begin(s transport.Slot, dst []byte) []byte {
	if h.From.IsValid() {
		from := h.From.As4()
		dst = append(append(dst, 'H'), from[:]...)
	}
	return dst
}

// Open reads the header.
func (h *Header) Open(s transport.Slot, plain, wire []byte) (transport.Opened, error) {
	o := transport.Opened{Plain: plain, Over: true}
	switch {
	case h.From.IsValid(): // nothing comes back but frames
	case wire[0] != 'H':
		return transport.Opened{Plain: plain}, errHeader
	case len(wire) < headerBytes:
		o.Over, o.Need = false, headerBytes
	default:
		if h.addrs == nil {
			h.addrs = make(map[transport.Slot]netip.Addr)
		}
		h.addrs[s] = netip.AddrFrom4([4]byte(wire[1:headerBytes]))
		o.Used = headerBytes
	}
	return o, nil
}

// Seal changes nothing.
func (h *Header) Seal(_ transport.Slot, dst, plain []byte) []byte { return append(dst, plain...) }

// Close says nothing.
func (h *Header) Close(_ transport.Slot, dst []byte, _ codec.Code) []byte { return dst }

// Held is nothing.
func (h *Header) Held(transport.Slot) int { return 0 }

// Addr is what the header said.
func (h *Header) Addr(s transport.Slot) netip.Addr { return h.addrs[s] }

// End forgets a connection.
func (h *Header) End(s transport.Slot) { delete(h.addrs, s) }
