package tlsrecord

import (
	"math"
	"testing"
)

// A record of data that comes alone is opened the short way. Everything else takes the long one, and has lost nothing by
// the attempt: two servers of the same connection, of which one is asked for the short way first, hear and say the same.
func TestTheShortWayIsForARecordOfDataAlone(t *testing.T) {
	for what, tt := range map[string]struct {
		before, wire func(from end) []byte
		short        bool
	}{
		"data":               {nil, func(e end) []byte { return e.seal("x") }, true},
		"the longest data":   {nil, func(e end) []byte { return e.seal(string(make([]byte, maxWhole-headerBytes-1-tagBytes))) }, true},
		"behind data":        {func(e end) []byte { return e.seal("x") }, func(e end) []byte { return e.seal("y") }, true},
		"behind a KeyUpdate": {func(e end) []byte { return e.update(1) }, func(e end) []byte { return e.seal("y") }, true},
		"behind empty records": {func(e end) []byte { return repeat(maxUseless, func() []byte { return e.forge(typeData, nil, 0) }) },
			func(e end) []byte { return e.seal("y") }, true},

		"longer data":               {nil, func(e end) []byte { return e.seal(string(make([]byte, maxWhole-headerBytes-tagBytes))) }, false},
		"data with padding":         {nil, func(e end) []byte { return e.forge(typeData, []byte("x"), 1) }, false},
		"empty data":                {nil, func(e end) []byte { return e.forge(typeData, nil, 0) }, false},
		"padding only":              {nil, func(e end) []byte { return e.forge(0, nil, 3) }, false},
		"nothing inside":            {nil, func(e end) []byte { return e.forge(0, nil, 0) }, false},
		"close_notify":              {nil, func(e end) []byte { return e.forge(typeAlert, []byte{1, 0}, 0) }, false},
		"a KeyUpdate":               {nil, func(e end) []byte { return e.update(1) }, false},
		"another type":              {nil, func(e end) []byte { return e.forge(99, []byte("x"), 0) }, false},
		"two records":               {nil, func(e end) []byte { return append(e.seal("x"), e.seal("y")...) }, false},
		"a record and a header":     {nil, func(e end) []byte { return append(e.seal("x"), typeData, 3, 3) }, false},
		"less than a record":        {nil, func(e end) []byte { b := e.seal("x"); return b[:len(b)-1] }, false},
		"a header":                  {nil, func(e end) []byte { return e.seal("x")[:headerBytes] }, false},
		"less than a header":        {nil, func(e end) []byte { return e.seal("x")[:headerBytes-1] }, false},
		"nothing":                   {nil, func(end) []byte { return nil }, false},
		"an empty record":           {nil, func(end) []byte { return []byte{typeData, 3, 3, 0, 0} }, false},
		"shorter than a tag":        {nil, func(end) []byte { return append([]byte{typeData, 3, 3, 0, 15}, make([]byte, 15)...) }, false},
		"a record in the clear":     {nil, func(end) []byte { return []byte{typeMessage, 3, 3, 0, 1, 0} }, false},
		"a bit of the tag":          {nil, func(e end) []byte { b := e.seal("x"); b[len(b)-1] ^= 1; return b }, false},
		"a bit of the version":      {nil, func(e end) []byte { b := e.seal("x"); b[2] ^= 1; return b }, false},
		"a record that is left out": {nil, func(e end) []byte { e.seal("x"); return e.seal("y") }, false},
		"data within a KeyUpdate": {func(e end) []byte { return e.forge(typeMessage, []byte{messageKeyUpdate, 0}, 0) },
			func(e end) []byte { return e.seal("x") }, false},
	} {
		for _, id := range allSuites {
			t.Run(what, func(t *testing.T) {
				client, server := pair(t, id)
				_, twin := pair(t, id)
				if tt.before != nil {
					wire := tt.before(client)
					server.open(wire)
					twin.open(wire)
				}
				wire := tt.wire(client)
				plain, ok := server.Whole(server.slot, nil, wire)
				if ok != tt.short || !ok && len(plain) > 0 {
					t.Fatalf("it opens to %q, %v", plain, ok)
				}
				got, words, err := string(plain), "", error(nil)
				if !ok {
					var b []byte
					got, b, err = server.open(wire)
					words = string(b)
				}
				want, b, wantErr := twin.open(wire)
				if got != want || words != string(b) || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
					t.Errorf("%q, %d bytes to say, %v; by the long way %q, %d bytes, %v", got, len(words), err, want, len(b), wantErr)
				}
				one, other := *server.conn(), *twin.conn()
				one.kept, one.used, other.kept, other.used = 0, 0, 0, 0
				if one != other || server.Held(server.slot) != twin.Held(twin.slot) {
					t.Errorf("%+v; by the long way %+v", one, other)
				}
			})
		}
	}
}

// Who has no keys, and whose numbers are at an end, has no short way.
func TestTheShortWayNeedsAKeyAndANumber(t *testing.T) {
	client, server := pair(t, allSuites[0])
	if plain, ok := server.Whole(server.slot+1, nil, client.seal("x")); ok {
		t.Errorf("without keys it opens to %q", plain)
	}
	client.conn().seq[outgoing], server.conn().seq[incoming] = math.MaxUint64, math.MaxUint64
	if plain, ok := server.Whole(server.slot, nil, client.forge(typeData, []byte("x"), 0)); ok {
		t.Errorf("the last number opens to %q", plain)
	}
}

// Data counts for the KeyUpdates that its sender may send, by both ways.
func TestDataOfTheShortWayCountsForKeyUpdates(t *testing.T) {
	client, server := pair(t, allSuites[0])
	server.conn().updates = 0
	for range recordsAnUpdate {
		if _, ok := server.Whole(server.slot, nil, client.seal("x")); !ok {
			t.Fatal("it does not open")
		}
	}
	if n := server.conn().updates; n != 1 {
		t.Errorf("%d KeyUpdates after %d records, want 1", n, recordsAnUpdate)
	}
}
