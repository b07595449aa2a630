package tlsrecord

import (
	"bytes"
	"crypto/cipher"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
)

var allSuites = []uint16{AES128GCM, AES256GCM, ChaCha20Poly1305}

// A connection is 48 bytes and its keys, without pointers.
func TestAConnectionIsSmallAndWithoutPointers(t *testing.T) {
	c := reflect.TypeFor[conn]()
	if c.Size() != 48 {
		t.Errorf("a connection is %d bytes, want 48", c.Size())
	}
	for _, f := range reflect.VisibleFields(c) {
		switch f.Type.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.String, reflect.Interface, reflect.Map, reflect.Func:
			t.Errorf("%s is a pointer", f.Name)
		}
	}
	for id, want := range map[uint16]int{AES128GCM: 96, ChaCha20Poly1305: 128, AES256GCM: 160} {
		_, server := pair(t, id)
		if n := len(server.keys(server.place())); n != want {
			t.Errorf("%x: the keys are %d bytes, want %d", id, n, want)
		}
	}
}

func TestRecordsOfEverySizeAndSuiteCutAnywhere(t *testing.T) {
	for _, id := range allSuites {
		client, server := pair(t, id)
		for _, size := range []int{1, 20, maxPlain - 1, maxPlain, maxPlain + 1, 3*maxPlain + 5} {
			text := strings.Repeat("x", size)
			if got, _, err := server.open(client.seal(text)); got != text || err != nil {
				t.Fatalf("%x: %d bytes came, %v; want %d", id, len(got), err, size)
			}
			if got, _, err := client.open(server.seal(text)); got != text || err != nil {
				t.Fatalf("%x: %d bytes came, %v; want %d", id, len(got), err, size)
			}
		}
		wire := client.seal("hello")
		for cut := range wire {
			o, err := server.Open(server.slot, nil, wire[:cut])
			if err != nil || o.Used != 0 || o.Need <= cut || o.Need > len(wire) {
				t.Fatalf("%d of %d bytes: %+v, %v", cut, len(wire), o, err)
			}
		}
		if got, _, err := server.open(wire); got != "hello" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

func TestKeysAreZeroedAtTheEnd(t *testing.T) {
	_, server := pair(t, allSuites[1])
	c, keys := server.conn(), server.keys(server.place())
	server.seal("x")
	if len(bytes.Trim(keys, "\x00")) == 0 {
		t.Fatal("these are not its keys")
	}
	server.End(server.slot)
	if *c != (conn{}) || len(bytes.Trim(keys, "\x00")) > 0 {
		t.Error("something is left of the connection's keys")
	}
	if server.Has(server.slot) || len(server.seal("x")) != 0 || len(server.Close(server.slot, nil)) != 0 {
		t.Error("the connection is there still")
	}
	for _, a := range server.kept.list {
		if a.made != [directions]cipher.AEAD{} || a.of != nil {
			t.Error("its AEAD is kept")
		}
	}
}

func TestKeysOfAWrongSizeOrSuiteAreRefused(t *testing.T) {
	l := New(false)
	for _, k := range []Keys{
		{Suite: 0xc02f, Client: make([]byte, 32), Server: make([]byte, 32)},
		{Suite: AES128GCM, Client: make([]byte, 32)},
		{Suite: AES256GCM, Client: make([]byte, 32), Server: make([]byte, 48)},
	} {
		if err := l.begin(0, k); err != ErrSuite || l.Has(0) {
			t.Errorf("%+v: %v", k, err)
		}
	}
}

// A few places for the AEADs of many connections, in any order.
func TestAFewAEADsServeManyConnections(t *testing.T) {
	const n, places = 40, 7
	client, server := newLayer(true, [lists]int{recent: places}), newLayer(false, [lists]int{recent: places})
	chance := rand.New(rand.NewPCG(1, 2))
	start := func(s transport.Slot) {
		k := keysOf(allSuites[int(s)%3], byte(chance.Uint32()))
		if client.begin(s, k) != nil || server.begin(s, k) != nil {
			t.Fatal("not installed")
		}
	}
	for s := range transport.Slot(n) {
		start(s)
	}
	for i := range 5000 {
		s := transport.Slot(chance.Uint32N(n))
		switch chance.Uint32N(20) {
		case 0:
			client.End(s)
			server.End(s)
			start(s)
		case 1:
			c, _ := client.find(s)
			c.seq[outgoing] = maxSealed
			v, _ := server.find(s)
			v.seq[incoming] = maxSealed
			v.updates = maxUpdates
			v.useless = 0
		}
		text := []byte{byte(i), byte(i >> 8)}
		o, err := server.Open(s, nil, client.Seal(s, nil, text))
		if err != nil || !bytes.Equal(o.Plain, text) {
			t.Fatalf("step %d, slot %d: %x, %v", i, s, o.Plain, err)
		}
		for _, l := range []*Layer{client, server} {
			if len(l.kept.list) > places+lists {
				t.Fatalf("%d AEADs are kept, want %d", len(l.kept.list)-lists, places)
			}
		}
	}
	if a, b := client.Connections(), server.Connections(); a != n || b != n {
		t.Errorf("%d and %d connections, want %d", a, b, n)
	}
}

func TestNoAllocationWithTheAEADAtHand(t *testing.T) {
	for _, id := range allSuites {
		client, server := pair(t, id)
		text := []byte("twenty bytes of text")
		wire, plain := make([]byte, 0, 100), make([]byte, 0, 100)
		if n := testing.AllocsPerRun(100, func() {
			wire = client.Seal(client.slot, wire[:0], text)
			o, _ := server.Open(server.slot, plain[:0], wire)
			if len(o.Plain) != len(text) {
				t.Fatal("not opened")
			}
		}); n != 0 {
			t.Errorf("%x: %v allocations a record", id, n)
		}
	}
}

// What many connections keep alive, the AEADs of the last ones apart: their keys, and four bytes to
// find them by.
func TestManyConnectionsKeepTheirKeysAlone(t *testing.T) {
	const n, kept = 20_000, 16
	alive := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := alive()
	l := newLayer(false, [lists]int{recent: kept})
	k := keysOf(AES128GCM, 1)
	for s := range transport.Slot(n) {
		if err := l.begin(s, k); err != nil {
			t.Fatal(err)
		}
	}
	if each := float64(alive()-before) / n; each > 170 {
		t.Errorf("a connection keeps %.0f bytes", each)
	} else {
		t.Logf("a connection keeps %.0f bytes", each)
	}
	runtime.KeepAlive(l)
}
