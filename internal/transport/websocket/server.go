package websocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// ServerConfig says what a server answers.
type ServerConfig struct {
	Path    string   // where a WebSocket is; "" is "/"
	Origins []string // of pages, as "https://example.com"; none: the host that is asked; "*": any

	// Ready says what GET /healthz answers; nil: yes.
	Ready func() bool
	// Trusted says whose X-Forwarded-For is believed, and passed over; nil: nobody's.
	Trusted func(netip.Addr) bool
}

// Server is the server's side, of the connections of a loop.
type Server struct {
	side
	cfg   ServerConfig
	addrs map[transport.Slot]netip.Addr // of those that a proxy has told
}

// NewServer returns a server's side without a connection.
func NewServer(cfg ServerConfig) *Server {
	if cfg.Path == "" {
		cfg.Path = "/"
	}
	return &Server{side: newSide(nil), cfg: cfg, addrs: make(map[transport.Slot]netip.Addr)}
}

var (
	_ transport.Stage = (*Server)(nil)
	_ transport.Quick = (*Server)(nil)

	errRequest = errors.New("websocket: not a request for a WebSocket")
)

// Begin says nothing.
func (d *Server) Begin(_ transport.Slot, dst []byte) []byte { return dst }

// Believe has what the connection's peer, a proxy, tells in X-Forwarded-For be believed.
func (d *Server) Believe(s transport.Slot) { *d.states.at(s) |= believed }

// Open answers the request, and then takes frames.
func (d *Server) Open(s transport.Slot, plain, wire []byte) (o transport.Opened, err error) {
	o.Plain = plain
	d.words = d.words[:0]
	t := d.states.at(s)
	if !t.is(open) {
		if err = d.handshake(s, t, &o, wire); err != nil || !t.is(open) {
			return o, err
		}
	}
	return o, d.openFrames(s, &o, wire)
}

// Whole opens a short message that is alone, and in one frame.
func (d *Server) Whole(s transport.Slot, plain, wire []byte) (opened []byte, ok bool) {
	const head = 6 // with a mask
	if len(wire) <= head || wire[0] != finBit|opBinary || wire[1] != maskBit|byte(len(wire)-head) || len(wire)-head > maxControl {
		return plain, false
	}
	if t := *d.states.at(s); t&(open|fragmented|parted|closing|silent) != open {
		return plain, false
	}
	begins := len(plain)
	plain = append(plain, wire[head:]...)
	mask(plain[begins:], binary.LittleEndian.Uint32(wire[2:]))
	return plain, true
}

// handshake takes a request, if it is all here.
func (d *Server) handshake(s transport.Slot, t *state, o *transport.Opened, wire []byte) error {
	head, size, ok := cutHead(wire)
	ok = ok && mayBeRequest(wire)
	if size == 0 && ok {
		o.Need = len(wire) + 1
		return nil
	}
	o.Used = len(wire)
	if !ok {
		return d.answer(s, t, o, 400, "", "this is no HTTP request of 4 KiB at most\n", false)
	}
	r, ok := parseRequest(head)
	if !ok || r.body {
		return d.answer(s, t, o, 400, "", "bad request\n", false)
	}
	if status, fields, text := d.judge(&r); status != 101 {
		err := d.answer(s, t, o, status, fields, text, r.method == "HEAD")
		if status == 403 {
			err = fmt.Errorf("%w: %.100q", err, r.origin)
		}
		return err
	}
	if t.is(believed) {
		if addr := r.client(d.cfg.Trusted); addr.IsValid() {
			d.addrs[s] = addr
		}
	}
	o.Used = size
	*t |= open
	d.words = appendAccept(d.words, &r)
	d.words = d.seal(d.words, d.release(s))
	o.Words = d.words
	return nil
}

// mayBeRequest says whether bytes begin as a request does: with a method, and a first line that names
// HTTP, as that of a PROXY header does not.
func mayBeRequest(b []byte) bool {
	if line, _, whole := bytes.Cut(b[:min(len(b), maxHead)], []byte("\r\n")); whole && !bytes.Contains(line, []byte(" HTTP/1.")) {
		return false
	}
	for i, c := range b[:min(len(b), longestMethod+1)] {
		if c == ' ' {
			return i > 0
		}
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return len(b) <= longestMethod
}

const longestMethod = 16

// judge says what the answer to a request is: 101 if a WebSocket is to begin.
func (d *Server) judge(r *request) (status int, fields, text string) {
	const upgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	path := r.path()
	reads := r.method == "GET" || r.method == "HEAD"
	switch {
	case !reads:
		return 405, "Allow: GET, HEAD\r\n", "only GET\n"
	case path == "/healthz" && (d.cfg.Ready == nil || d.cfg.Ready()):
		return 200, "", "ready\n"
	case path == "/healthz":
		return 503, "", "not ready\n"
	case path == "/" && !r.wantsUpgrade():
		return 200, "", "This is a Stormwheel node. Clients come by WebSocket at " + d.cfg.Path + ", subprotocol " + Protocol + ".\n"
	case path != d.cfg.Path:
		return 404, "", "not found\n"
	case r.method != "GET":
		return 405, "Allow: GET\r\n", "only GET\n"
	case !r.wantsUpgrade(), r.versions == 1 && r.version != "13":
		return 426, upgrade, "a WebSocket of version 13 is here\n"
	case r.minor != '1', !r.upgrade, !r.connection, r.versions == 0, !r.goodKey(), r.offers && !r.offered:
		return 400, "", "bad upgrade\n"
	case !r.fromPage(d.cfg.Origins):
		return 403, "", "this origin is not allowed\n"
	}
	return 101, "", ""
}

// answer ends the connection with an answer.
func (d *Server) answer(s transport.Slot, t *state, o *transport.Opened, status int, fields, text string, head bool) error {
	d.release(s)
	*t |= silent
	d.words = appendAnswer(d.words, status, fields, plainText, []byte(text), head)
	o.Words = d.words
	if status == 200 || status == 503 {
		return transport.ErrAnswered
	}
	return fmt.Errorf("%w: answered %d, %s", errRequest, status, strings.TrimSuffix(text, "\n"))
}

// Close appends the close frame. Who is refused within the handshake is answered with all that it
// would have been told.
func (d *Server) Close(s transport.Slot, dst []byte, code codec.Code) []byte {
	t := d.states.at(s)
	if t.is(open) || t.is(silent) {
		return d.closeFrame(t, dst, code)
	}
	*t |= silent
	return appendRefusal(dst, d.release(s), code)
}

// Addr is where the client is, if a trusted proxy has told.
func (d *Server) Addr(s transport.Slot) netip.Addr { return d.addrs[s] }

// End forgets a connection.
func (d *Server) End(s transport.Slot) {
	d.side.End(s)
	delete(d.addrs, s)
}
