package websocket

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// ClientConfig says what a client asks for.
type ClientConfig struct {
	Host string // of the Host field: host or host:port
	Path string // with its query; "" is "/"

	// Seed is where keys and masks come from. RFC 6455 wants it to be unpredictable, so that what a
	// page has a browser send cannot be chosen as it goes over the wire.
	Seed [32]byte
}

// Client is the client's side, of the connections of a loop.
type Client struct {
	side
	cfg  ClientConfig
	rand *rand.ChaCha8
}

// NewClient returns a client's side without a connection.
func NewClient(cfg ClientConfig) *Client {
	if cfg.Path == "" {
		cfg.Path = "/"
	}
	c := &Client{cfg: cfg, rand: rand.NewChaCha8(cfg.Seed)}
	c.side = newSide(func() uint32 { return uint32(c.rand.Uint64()) })
	return c
}

var (
	_ transport.Stage = (*Client)(nil)

	errAnswer = errors.New("websocket: the answer is not that of a WebSocket server")
)

// StatusError is of a server that answers with another status than 101.
type StatusError struct{ Status string }

func (e *StatusError) Error() string {
	return fmt.Sprintf("websocket: the server answers %q", e.Status)
}

// Begin asks for the upgrade.
func (d *Client) Begin(s transport.Slot, dst []byte) []byte {
	var key [16]byte
	binary.LittleEndian.PutUint64(key[:], d.rand.Uint64())
	binary.LittleEndian.PutUint64(key[8:], d.rand.Uint64())
	p := &pending{key: base64.StdEncoding.EncodeToString(key[:])}
	d.pending[s] = p
	return fmt.Appendf(dst, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n", d.cfg.Path, d.cfg.Host, p.key, Protocol)
}

// Open takes the answer, and then frames. A node that refuses a connection before it has read of it
// says so in plain frames, or in an answer that has those as its body.
func (d *Client) Open(s transport.Slot, plain, wire []byte) (o transport.Opened, err error) {
	o.Plain = plain
	d.words = d.words[:0]
	t := d.states.at(s)
	if !t.is(open) {
		if len(wire) > 0 && wire[0] != 'H' {
			d.refused(s, t, &o)
			return o, nil
		}
		if err = d.handshake(s, t, &o, wire); err != nil {
			*t |= silent
			d.release(s)
		}
		if err != nil || !t.is(open) {
			return o, err
		}
	}
	return o, d.openFrames(s, &o, wire)
}

// refused is over: what comes is the refusal, and nothing that is said is heard.
func (d *Client) refused(s transport.Slot, t *state, o *transport.Opened) {
	*t |= silent
	d.release(s)
	o.Over = true
}

// handshake takes the answer, if it is all here.
func (d *Client) handshake(s transport.Slot, t *state, o *transport.Opened, wire []byte) error {
	head, size, ok := cutHead(wire)
	switch {
	case !ok:
		return errAnswer
	case size == 0:
		o.Need = len(wire) + 1
		return nil
	}
	o.Used = size
	line, fields, _ := strings.Cut(head, "\r\n")
	status, ok := strings.CutPrefix(line, "HTTP/1.1 ")
	if !ok {
		return errAnswer
	}
	var a answer
	if !eachField(fields, a.field) {
		return errAnswer
	}
	switch {
	case !strings.HasPrefix(status, "101 ") && status != "101":
		if a.frames {
			d.refused(s, t, o)
			return nil
		}
		return &StatusError{status}
	case !a.upgrade, !a.connection, a.extended, a.accepts != 1, a.accept != acceptOf(d.pending[s].key),
		a.protocols > 1, a.protocols == 1 && a.protocol != Protocol:
		return errAnswer
	}
	*t |= open
	d.words = d.seal(d.words, d.release(s))
	o.Words = d.words
	return nil
}

// answer is what of an answer decides about it.
type answer struct {
	upgrade, connection, extended bool
	accepts, protocols            int
	accept, protocol              string
	frames                        bool
}

func (a *answer) field(name, value string) bool {
	switch name {
	case "upgrade":
		a.upgrade = strings.EqualFold(value, "websocket")
	case "connection":
		a.connection = a.connection || hasToken(value, "upgrade")
	case "sec-websocket-accept":
		a.accept = value
		a.accepts++
	case "sec-websocket-protocol":
		a.protocol = value
		a.protocols++
	case "sec-websocket-extensions":
		a.extended = a.extended || value != ""
	case "content-type":
		a.frames = value == framesType
	}
	return true
}

// Close appends the close frame. Nobody is told of an end within the handshake.
func (d *Client) Close(s transport.Slot, dst []byte, code codec.Code) []byte {
	t := d.states.at(s)
	if !t.is(open) {
		*t |= silent
		d.release(s)
		return dst
	}
	return d.closeFrame(t, dst, code)
}

// Addr knows nothing.
func (d *Client) Addr(transport.Slot) netip.Addr { return netip.Addr{} }
