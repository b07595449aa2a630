package tlsrecord

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// What a peer may do wrong after its handshake, after what BoringSSL's runner and tlsfuzzer try.
func TestWhatTLSDoesNotAllowEndsWithItsAlert(t *testing.T) {
	keyUpdate := func(ask byte) []byte { return []byte{messageKeyUpdate, 0, 0, 1, ask} }
	tests := []struct {
		name string
		wire func(from end) []byte
		want Alert
	}{
		{"a record in the clear", func(end) []byte { return []byte{typeMessage, 3, 3, 0, 1, 0} }, UnexpectedMessage},
		{"an alert in the clear", func(end) []byte { return []byte{typeAlert, 3, 3, 0, 2, 1, 0} }, UnexpectedMessage},
		{"change_cipher_spec after Finished", func(end) []byte { return []byte{typeChange, 3, 3, 0, 1, 1} }, UnexpectedMessage},
		{"a first byte of nothing", func(end) []byte { return []byte{0} }, UnexpectedMessage},
		{"the length of too long a record, before it came", func(end) []byte { return []byte{typeData, 3, 3, 0x41, 0x01} }, RecordOverflow},
		{"the longest length", func(end) []byte { return []byte{typeData, 3, 3, 0xff, 0xff} }, RecordOverflow},
		{"too much content", func(e end) []byte { return e.forge(typeData, make([]byte, maxPlain+1), 0) }, RecordOverflow},
		{"too much with its padding", func(e end) []byte { return e.forge(typeData, make([]byte, maxPlain-5), 6) }, RecordOverflow},
		{"an empty record", func(end) []byte { return []byte{typeData, 3, 3, 0, 0} }, BadRecordMAC},
		{"a record shorter than a tag", func(end) []byte { return append([]byte{typeData, 3, 3, 0, 15}, make([]byte, 15)...) }, BadRecordMAC},
		{"padding only", func(e end) []byte { return e.forge(0, nil, 10) }, UnexpectedMessage},
		{"padding only, the longest", func(e end) []byte { return e.forge(0, nil, maxPlain) }, UnexpectedMessage},
		{"nothing inside", func(e end) []byte { return e.forge(0, nil, 0) }, UnexpectedMessage},
		{"change_cipher_spec inside", func(e end) []byte { return e.forge(typeChange, []byte{1}, 0) }, UnexpectedMessage},
		{"an unknown type inside", func(e end) []byte { return e.forge(99, []byte{1}, 0) }, UnexpectedMessage},
		{"a bit of the tag", func(e end) []byte { b := e.seal("x"); b[len(b)-1] ^= 1; return b }, BadRecordMAC},
		{"a bit of the content", func(e end) []byte { b := e.seal("x"); b[headerBytes] ^= 128; return b }, BadRecordMAC},
		{"a bit of the version", func(e end) []byte { b := e.seal("x"); b[2] ^= 1; return b }, BadRecordMAC},
		{"a record twice", func(e end) []byte { b := e.seal("x"); return append(b, b...) }, BadRecordMAC},
		{"a record left out", func(e end) []byte { e.seal("x"); return e.seal("y") }, BadRecordMAC},
		{"an empty alert", func(e end) []byte { return e.forge(typeAlert, nil, 0) }, UnexpectedMessage},
		{"an alert of padding", func(e end) []byte { return e.forge(typeAlert, nil, 9) }, UnexpectedMessage},
		{"half an alert", func(e end) []byte { return e.forge(typeAlert, []byte{1}, 0) }, DecodeError},
		{"two alerts in one record", func(e end) []byte { return e.forge(typeAlert, []byte{1, 90, 1, 0}, 0) }, DecodeError},
		{"an empty handshake record", func(e end) []byte { return e.forge(typeMessage, nil, 0) }, UnexpectedMessage},
		{"a ClientHello after the handshake", func(e end) []byte { return e.forge(typeMessage, []byte{1, 0, 0, 0}, 0) }, UnexpectedMessage},
		{"a Finished after the handshake", func(e end) []byte { return e.forge(typeMessage, []byte{20, 0, 0, 32}, 0) }, UnexpectedMessage},
		{"a CertificateRequest", func(e end) []byte { return e.forge(typeMessage, []byte{13, 0, 0, 3, 0, 0, 0}, 0) }, UnexpectedMessage},
		{"end_of_early_data", func(e end) []byte { return e.forge(typeMessage, []byte{5, 0, 0, 0}, 0) }, UnexpectedMessage},
		{"a KeyUpdate that is empty", func(e end) []byte { return e.forge(typeMessage, []byte{messageKeyUpdate, 0, 0, 0}, 0) }, DecodeError},
		{"a KeyUpdate that is long", func(e end) []byte { return e.forge(typeMessage, []byte{messageKeyUpdate, 0, 0, 2, 0, 0}, 0) }, DecodeError},
		{"a KeyUpdate of the longest length", func(e end) []byte { return e.forge(typeMessage, []byte{messageKeyUpdate, 255, 255, 255}, 0) }, DecodeError},
		{"a KeyUpdate that asks for 2", func(e end) []byte { return e.forge(typeMessage, keyUpdate(2), 0) }, IllegalParameter},
		{"two KeyUpdates in one record", func(e end) []byte { return e.forge(typeMessage, append(keyUpdate(0), keyUpdate(0)...), 0) }, UnexpectedMessage},
		{"data within a KeyUpdate", func(e end) []byte {
			return append(e.forge(typeMessage, keyUpdate(0)[:3], 0), e.seal("x")...)
		}, UnexpectedMessage},
		{"an alert within a KeyUpdate", func(e end) []byte {
			return append(e.forge(typeMessage, keyUpdate(0)[:3], 0), e.forge(typeAlert, []byte{1, 0}, 0)...)
		}, UnexpectedMessage},
		{"data under the old key after a KeyUpdate", func(e end) []byte {
			return append(e.forge(typeMessage, keyUpdate(0), 0), e.seal("x")...)
		}, BadRecordMAC},
		{"empty records without end", func(e end) []byte { return repeat(17, func() []byte { return e.forge(typeData, nil, 0) }) }, UnexpectedMessage},
		{"empty records with padding", func(e end) []byte { return repeat(17, func() []byte { return e.forge(typeData, nil, 200) }) }, UnexpectedMessage},
		{"warnings without end", func(e end) []byte {
			return repeat(17, func() []byte { return e.forge(typeAlert, []byte{levelWarning, userCanceled}, 0) })
		}, UnexpectedMessage},
	}
	for _, id := range allSuites {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				client, server := pair(t, id)
				hello := client.seal("hello")
				got, _, err := server.open(append(hello, tt.wire(client)...))
				wantAlert(t, err, tt.want)
				if want := "hello"; got[:min(len(got), 5)] != want {
					t.Errorf("%q came before the error, want %q", got, want)
				}
				if n := len(server.seal("x")); n != 0 {
					t.Errorf("%d bytes of data before the alert", n)
				}
				saysAlert(t, server, client, tt.want)
			})
		}
	}
}

func repeat(n int, f func() []byte) (all []byte) {
	for range n {
		all = append(all, f()...)
	}
	return all
}

// A ticket is for clients.
func TestAServerTakesNoTicket(t *testing.T) {
	client, server := pair(t, allSuites[0])
	_, _, err := server.open(client.forge(typeMessage, []byte{messageTicket, 0, 0, 1, 0}, 0))
	wantAlert(t, err, UnexpectedMessage)
}

func TestAlertsOfThePeer(t *testing.T) {
	for _, tt := range []struct {
		level, alert byte
		want         error
	}{
		{levelWarning, 0, transport.ErrEnd},
		{levelFatal, 0, transport.ErrEnd}, // the level says nothing in TLS 1.3
		{levelFatal, 40, &Remote{40}},
		{levelWarning, 40, &Remote{40}},
		{77, 255, &Remote{255}},
		{levelWarning, userCanceled, nil},
		{levelFatal, userCanceled, nil},
	} {
		client, server := pair(t, allSuites[0])
		_, _, err := server.open(client.forge(typeAlert, []byte{tt.level, tt.alert}, 3))
		var remote, want *Remote
		same := err == tt.want
		if errors.As(tt.want, &want) {
			same = errors.As(err, &remote) && *remote == *want
		}
		if !same {
			t.Errorf("alert %d of level %d: %v, want %v", tt.alert, tt.level, err, tt.want)
		}
		if said := len(server.seal("x")) + len(server.Close(server.slot, nil)); remote != nil != (said == 0) {
			t.Errorf("after alert %d of level %d there are %d bytes to say", tt.alert, tt.level, said)
		}
	}
}

// What comes behind close_notify is not looked at, and ours is said.
func TestNothingIsOpenedBehindCloseNotify(t *testing.T) {
	client, server := pair(t, allSuites[0])
	wire := append(client.seal("a"), client.Close(client.slot, nil)...)
	got, _, err := server.open(append(wire, client.seal("b")...))
	if got != "a" || !errors.Is(err, transport.ErrEnd) {
		t.Errorf("%q, %v", got, err)
	}
	saysAlert(t, server, client, CloseNotify)
}

func TestContentSetsTheCountOfUselessRecordsBack(t *testing.T) {
	client, server := pair(t, allSuites[0])
	for range 100 {
		wire := repeat(maxUseless, func() []byte { return client.forge(typeData, nil, 1) })
		if got, _, err := server.open(append(wire, client.seal("x")...)); got != "x" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// All that a key may have sealed is sealed; nobody comes there, but a number that began anew
// would give the key away.
func TestRecordNumbersDoNotBeginAnew(t *testing.T) {
	client, server := pair(t, allSuites[0])
	client.conn().seq[outgoing] = math.MaxUint64
	server.conn().seq[incoming] = math.MaxUint64
	_, _, err := server.open(client.forge(typeData, []byte("x"), 0))
	wantAlert(t, err, InternalError)
}

func TestHeldCountsHalfAMessage(t *testing.T) {
	client, server := pair(t, allSuites[0])
	for i, b := range []byte{messageKeyUpdate, 0, 0, 1} {
		if _, _, err := server.open(client.forge(typeMessage, []byte{b}, 0)); err != nil {
			t.Fatal(err)
		}
		if held := server.Held(server.slot); held != i+1 {
			t.Errorf("%d bytes held, want %d", held, i+1)
		}
	}
	if _, _, err := server.open(client.forge(typeMessage, []byte{0}, 0)); err != nil || server.Held(server.slot) != 0 {
		t.Errorf("%v, %d held", err, server.Held(server.slot))
	}
	client.Layer.update(client.conn(), client.place(), outgoing)
	if got, _, err := server.open(client.seal("x")); got != "x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, _, err := server.open(client.forge(typeMessage, []byte{messageKeyUpdate}, 0)); err != nil || server.Held(server.slot) != 1 {
		t.Errorf("%v, %d held", err, server.Held(server.slot))
	}
	server.End(server.slot)
	if len(server.parts) != 0 {
		t.Error("half a message outlives its connection")
	}
}

// Tickets, whole, in pieces, several in a record, larger than a record, and one that is too large.
func TestTicketsComeWhole(t *testing.T) {
	client, server := pair(t, allSuites[0])
	var got [][]byte
	client.OnTicket(func(s transport.Slot, message []byte) {
		if s != client.slot {
			t.Errorf("a ticket for slot %d", s)
		}
		got = append(got, bytes.Clone(message))
	})
	sizes := []int{1, 3, 200, 40_000, 65_000}
	var all []byte
	for _, size := range sizes {
		all = append(all, ticketOf(size)...)
	}
	for _, piece := range []int{1 << 14, 1000, 7} {
		got = nil
		for b := all; len(b) > 0; {
			n := min(piece, len(b))
			if _, _, err := client.open(server.forge(typeMessage, b[:n], 0)); err != nil {
				t.Fatal(err)
			}
			b = b[n:]
		}
		client.open(server.seal("x"))
		if len(got) != len(sizes) || !bytes.Equal(bytes.Join(got, nil), all) {
			t.Errorf("%d tickets in pieces of %d, want %d", len(got), piece, len(sizes))
		}
	}
	_, _, err := client.open(server.forge(typeMessage, []byte{messageTicket, 1, 0, 1}, 0))
	wantAlert(t, err, InternalError)
}

func TestTicketsWithoutEndAreAFault(t *testing.T) {
	client, server := pair(t, allSuites[0])
	_, _, err := client.open(repeat(maxUseless+1, func() []byte {
		return server.forge(typeMessage, ticketOf(1), 0)
	}))
	wantAlert(t, err, UnexpectedMessage)
}

// ticketOf is a NewSessionTicket whose ticket has so many bytes.
func ticketOf(size int) []byte {
	b := make([]byte, 8) // its lifetime, and what is added to its age
	b = append(b, 2, 7, 7, byte(size>>8), byte(size))
	b = append(append(b, bytes.Repeat([]byte{byte(size)}, size)...), 0, 8, 0, 42, 0, 4, 0, 0, 0, 0)
	return append([]byte{messageTicket, byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b...)
}

// A KeyUpdate that asks for one is not answered when a fault came behind it.
func TestAFaultIsAnsweredByItsAlertAlone(t *testing.T) {
	client, server := pair(t, allSuites[0])
	wire := client.update(1)
	o, err := server.Open(server.slot, nil, append(wire, 0))
	wantAlert(t, err, UnexpectedMessage)
	if len(o.Words) != 0 {
		t.Errorf("%d bytes besides", len(o.Words))
	}
	saysAlert(t, server, client, UnexpectedMessage)
}

// What is no NewSessionTicket is no condition of anything, but a fault: RFC 8446, sections 4.6.1 and 6.2.
func TestATicketThatCannotBeReadIsAFault(t *testing.T) {
	for name, change := range map[string]func(b []byte) []byte{
		"nothing":               func([]byte) []byte { return nil },
		"short":                 func(b []byte) []byte { return b[:len(b)-1] },
		"long":                  func(b []byte) []byte { return append(b, 0) },
		"no ticket":             func([]byte) []byte { return ticketOf(0)[messageHeader:] },
		"half an extension":     func(b []byte) []byte { b[len(b)-5] = 5; return b },
		"half a lifetime":       func(b []byte) []byte { return b[:3] },
		"a nonce that is short": func(b []byte) []byte { b[8] = 200; return b },
	} {
		client, server := pair(t, allSuites[0])
		client.OnTicket(func(transport.Slot, []byte) { t.Errorf("%s: it is handed on", name) })
		b := change(ticketOf(3)[messageHeader:])
		_, _, err := client.open(server.forge(typeMessage, append([]byte{messageTicket, 0, 0, byte(len(b))}, b...), 0))
		if wantAlert(t, err, DecodeError); t.Failed() {
			t.Fatal(name)
		}
	}
}

// After close_notify nothing is said: RFC 8446, section 6.1.
func TestNothingIsSealedBehindCloseNotify(t *testing.T) {
	client, server := pair(t, allSuites[0])
	if len(client.Close(client.slot, nil)) == 0 {
		t.Error("no close_notify")
	}
	if n := len(client.seal("x")) + len(client.Close(client.slot, nil)); n != 0 {
		t.Errorf("%d bytes behind it", n)
	}
	o, err := client.Open(client.slot, nil, append(server.seal("x"), server.forge(typeMessage, []byte{messageKeyUpdate, 0, 0, 1, 1}, 0)...))
	if err != nil || string(o.Plain) != "x" || len(o.Words) != 0 {
		t.Errorf("%q, %d bytes of an answer to a KeyUpdate, %v", o.Plain, len(o.Words), err)
	}
}
