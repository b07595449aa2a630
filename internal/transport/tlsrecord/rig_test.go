package tlsrecord

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// end is one side of a connection, with its keys in hand so that it can also send what no layer
// would.
type end struct {
	*Layer
	slot transport.Slot
	from Keys
}

func keysOf(id uint16, seed byte) Keys {
	index, err := suiteIndex(id)
	if err != nil {
		panic(err)
	}
	size := suites[index].size
	return Keys{Suite: id, Client: bytes.Repeat([]byte{seed}, size), Server: bytes.Repeat([]byte{^seed}, size)}
}

func pair(t testing.TB, id uint16) (client, server end) {
	t.Helper()
	keys := keysOf(id, 7)
	client, server = end{New(true), 3, keys}, end{New(false), 5, keys}
	for _, e := range []end{client, server} {
		if err := e.begin(e.slot, keys); err != nil {
			t.Fatal(err)
		}
	}
	return client, server
}

// begin begins a connection.
func (l *Layer) begin(s transport.Slot, k Keys) error {
	p, err := Prepare(l.client, k, nil)
	if err == nil {
		l.Install(s, p)
	}
	return err
}

func (e end) conn() *conn {
	c, _ := e.find(e.slot)
	return c
}

func (e end) place() place {
	_, p := e.find(e.slot)
	return p
}

// key is that of a direction.
func (e end) key(d direction) []byte { return e.conn().of().keyOf(e.keys(e.place()), d) }

func (e end) seal(plain string) []byte { return e.Layer.Seal(e.slot, nil, []byte(plain)) }

// forge seals one record of any type and content, padded, as the next of this side.
func (e end) forge(kind byte, content []byte, padding int) []byte {
	c := e.conn()
	inner := append(append([]byte{}, content...), kind)
	inner = append(inner, make([]byte, padding)...)
	n := len(inner) + tagBytes
	record := []byte{typeData, 3, 3, byte(n >> 8), byte(n)}
	record = e.aead(c, e.place(), outgoing).Seal(record, c.nonce(outgoing, &e.nonce), inner, record)
	c.seq[outgoing]++
	return record
}

func (e end) open(wire []byte) (plain string, words []byte, err error) {
	var got []byte
	for {
		o, err := e.Open(e.slot, got, wire)
		got = o.Plain
		words = append(words, o.Words...)
		wire = wire[o.Used:]
		if err != nil || o.Need > len(wire) {
			return string(got), words, err
		}
	}
}

func wantAlert(t *testing.T, err error, want Alert) {
	t.Helper()
	var f *Fault
	if !errors.As(err, &f) || f.Alert != want {
		t.Errorf("%v, want the alert %v", err, want)
	}
}

// saysAlert checks what a side says at the end.
func saysAlert(t *testing.T, from, to end, want Alert) {
	t.Helper()
	_, _, err := to.open(from.Close(from.slot, nil))
	var r *Remote
	switch {
	case want == CloseNotify && err == transport.ErrEnd:
	case errors.As(err, &r) && r.Alert == want:
	default:
		t.Errorf("the other side hears %v, want %v", err, want)
	}
}
