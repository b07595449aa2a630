package peers

import (
	"errors"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// desk answers frames, the same way for every Go server here but our own: HELLO with
// WELCOME, PING with PONG, no session, no credentials. Any goroutine may use it.
type desk struct {
	terms   codec.Terms
	welcome []byte
	buffers sync.Pool // of *[]byte
}

// newDesk tells clients no reconnect window: the peers know none.
func newDesk(t *Serve) (*desk, error) {
	terms := codec.Terms{Interval: t.Heartbeat, Timeout: t.Timeout}
	welcome, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: codec.ProtocolVersion,
		Terms: terms, ServerTime: time.Now(), Node: []byte(t.Kind)})
	if err != nil {
		return nil, err
	}
	return &desk{terms: terms, welcome: welcome,
		buffers: sync.Pool{New: func() any { return new(make([]byte, 0, 128)) }}}, nil
}

// answer appends to out what the whole frames at the start of b ask for, and tells how many
// bytes they took; a frame that is cut off stays. An error means that the stream is lost.
func (d *desk) answer(out, b []byte) (answers []byte, used int, err error) {
	for used < len(b) {
		f, size, err := codec.Decode(b[used:], codec.MaxPayload)
		if errors.Is(err, codec.ErrIncomplete) {
			break
		}
		if err != nil {
			return out, used, err
		}
		used += size
		switch f.Type {
		case codec.Hello:
			out = append(out, d.welcome...)
		case codec.Ping:
			token, _, err := codec.ParsePing(f.Payload)
			if err != nil {
				return out, used, err
			}
			out = codec.AppendPong(out, codec.PongMessage{Token: token, Terms: d.terms})
		}
	}
	return out, used, nil
}

// borrow gives an empty buffer for answers; giveBack takes it when they are written.
func (d *desk) borrow() *[]byte { return d.buffers.Get().(*[]byte) }

func (d *desk) giveBack(b *[]byte) {
	*b = (*b)[:0]
	d.buffers.Put(b)
}
