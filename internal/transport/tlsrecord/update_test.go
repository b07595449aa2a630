package tlsrecord

import (
	"bytes"
	"testing"
)

// update has a side send a KeyUpdate and go on to its next key.
func (e end) update(ask byte) []byte {
	b := e.forge(typeMessage, []byte{messageKeyUpdate, 0, 0, 1, ask}, 0)
	e.Layer.update(e.conn(), e.place(), outgoing)
	return b
}

func TestKeyUpdateOfThePeer(t *testing.T) {
	for _, id := range allSuites {
		client, server := pair(t, id)
		for i := range 20 {
			got, words, err := server.open(append(client.update(byte(i%2)), client.seal("x")...))
			if got != "x" || err != nil || len(words) > 0 != (i%2 == 1) {
				t.Fatalf("%d: %q, %d bytes of words, %v", i, got, len(words), err)
			}
			if got, _, err := client.open(append(words, server.seal("y")...)); got != "y" || err != nil {
				t.Fatalf("%d: %q, %v", i, got, err)
			}
		}
	}
}

// Many that ask at once get one answer.
func TestOneAnswerForAllKeyUpdatesThatCameAtOnce(t *testing.T) {
	client, server := pair(t, allSuites[0])
	wire := repeat(10, func() []byte { return client.update(1) })
	_, words, err := server.open(wire)
	if err != nil || len(words) != headerBytes+5+1+tagBytes {
		t.Fatalf("%d bytes of words, %v; want one KeyUpdate", len(words), err)
	}
	if got, _, err := client.open(append(words, server.seal("y")...)); got != "y" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
}

// 32 at once, and one more for every 64 records: each costs the work of a hundred records.
func TestAFloodOfKeyUpdatesIsAFault(t *testing.T) {
	client, server := pair(t, allSuites[0])
	for range maxUpdates {
		if _, _, err := server.open(append(client.update(1), client.seal("x")...)); err != nil {
			t.Fatal(err)
		}
	}
	for range recordsAnUpdate - 1 {
		server.open(client.seal("x"))
	}
	if _, _, err := server.open(client.update(0)); err != nil {
		t.Fatalf("%v after %d records", err, recordsAnUpdate)
	}
	_, _, err := server.open(append(client.seal("x"), client.update(0)...))
	wantAlert(t, err, UnexpectedMessage)

	client, server = pair(t, allSuites[0])
	_, _, err = server.open(repeat(maxUseless+1, func() []byte { return client.update(0) }))
	wantAlert(t, err, UnexpectedMessage)
}

// A peer that changes its key by the clock, between few records, is no flood.
func TestAPeerMayChangeItsKeyForEver(t *testing.T) {
	client, server := pair(t, allSuites[0])
	for i := range 10 * maxUpdates {
		for range 100 {
			if _, _, err := server.open(client.seal("x")); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := server.open(client.update(0)); err != nil {
			t.Fatalf("KeyUpdate %d: %v", i, err)
		}
	}
}

// Nothing is sent to who has said a fatal alert, a KeyUpdate that it asked for neither.
func TestNoAnswerToWhoHasEndedTheConnection(t *testing.T) {
	client, server := pair(t, allSuites[0])
	_, words, err := server.open(append(client.update(1), client.forge(typeAlert, []byte{levelFatal, byte(InternalError)}, 0)...))
	if err == nil || len(words) != 0 {
		t.Errorf("%d bytes of words, %v", len(words), err)
	}
}

// A key seals less than 2^24 records, whatever they are.
func TestOurOwnKeyUpdateComesInTime(t *testing.T) {
	for _, id := range allSuites {
		client, server := pair(t, id)
		for i := range 5 {
			server.conn().seq[outgoing], client.conn().seq[incoming] = maxSealed-2, maxSealed-2
			old := bytes.Clone(server.key(outgoing))
			for _, text := range []string{"a", "b"} {
				if got, _, err := client.open(server.seal(text)); got != text || err != nil {
					t.Fatalf("%q, %v", got, err)
				}
			}
			if !bytes.Equal(server.key(outgoing), old) {
				t.Fatal("the key changed early")
			}
			var wire []byte
			if i%2 == 0 {
				wire = server.seal("c")
			} else {
				wire = append(server.forgeUpdateAnswer(client), server.seal("c")...)
			}
			if got, _, err := client.open(wire); got != "c" || err != nil {
				t.Fatalf("%q, %v", got, err)
			}
			if bytes.Equal(server.key(outgoing), old) || server.conn().seq[outgoing] > 1 {
				t.Fatalf("the key is the old one, %d records", server.conn().seq[outgoing])
			}
		}
		server.conn().seq[outgoing], client.conn().seq[incoming] = maxSealed, maxSealed
		saysAlert(t, server, client, CloseNotify)
	}
}

// forgeUpdateAnswer has the peer ask for a KeyUpdate, and returns the answer.
func (e end) forgeUpdateAnswer(peer end) []byte {
	_, words, err := e.open(peer.update(1))
	if err != nil {
		panic(err)
	}
	return words
}
