package entry

import (
	"fmt"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// Who speaks plainly where there is only TLS is told so in his own words: an alert of TLS says nothing to
// him.

var (
	errPlain = fmt.Errorf("%w: the peer speaks without TLS", transport.ErrHandshake)

	plainGoAway = mustGoAway(codec.GoAwayMessage{Code: codec.CodeProtocolError, Reason: []byte(speaksTLS)})
	plainHTTP   = []byte(fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"+
		"Connection: close\r\n\r\n%s\n", len(speaksTLS)+1, speaksTLS))
)

const speaksTLS = "this port speaks TLS"

func mustGoAway(m codec.GoAwayMessage) []byte {
	b, err := codec.AppendGoAway(nil, &m)
	if err != nil {
		panic("entry: " + err.Error()) // only if the reason were too long
	}
	return b
}

// plainAnswer is for who begins with such a byte, nil if nothing can be told.
func plainAnswer(first byte) []byte {
	switch {
	case first == codec.Magic:
		return plainGoAway
	case first >= 'A' && first <= 'Z':
		return plainHTTP
	}
	return nil
}
