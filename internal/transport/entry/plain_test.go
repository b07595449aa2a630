package entry

import (
	"errors"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// Who speaks plainly at a port of TLS reads in his own words what is wrong.
func TestWhoSpeaksPlainlyIsToldOfTLS(t *testing.T) {
	server, _ := tlsConfigs(t)
	for says, want := range map[string]string{
		string(codec.AppendPing(nil, 1, 0)): string(plainGoAway),
		"GET / HTTP/1.1\r\n":                "HTTP/1.1 400 Bad Request\r\n",
		"\x00hello":                         "\x15\x03\x03", // an alert of TLS, which has nothing better to say
	} {
		e := New(Config{Listeners: []Rules{{TLSPlain: true, TLSWebSocket: true}}, TLS: server()})
		e.Arrive(1, 0, stranger)
		o, err := e.Open(1, nil, []byte(says))
		if !strings.HasPrefix(string(o.Words), want) {
			t.Errorf("%q is answered %q", says, o.Words)
		}
		if !errors.Is(err, transport.ErrHandshake) {
			t.Errorf("%q: %v", says, err)
		}
		if b := e.Close(1, nil, codec.CodeProtocolError); len(b) != 0 {
			t.Errorf("%q: behind it comes %q", says, b)
		}
		e.End(1)
	}
}
