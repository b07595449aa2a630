package tlsrecord

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// A heartbeat's record, with its AEAD kept, and with one that must be made each time.
func BenchmarkRecord(b *testing.B) {
	text := make([]byte, 20)
	for _, id := range allSuites {
		for name, kept := range map[string]int{"kept": maxRecent, "made": 1} {
			client, server := newLayer(true, [lists]int{recent: kept}), newLayer(false, [lists]int{recent: kept})
			for s := range transport.Slot(2) {
				if client.begin(s, keysOf(id, byte(s))) != nil || server.begin(s, keysOf(id, byte(s))) != nil {
					b.Fatal("not installed")
				}
			}
			b.Run(fmt.Sprintf("%x", id)+"/seal/"+name, func(b *testing.B) {
				b.ReportAllocs()
				var wire []byte
				s := transport.Slot(0)
				for b.Loop() {
					wire = client.Seal(s, wire[:0], text)
					s ^= 1
				}
			})
			b.Run(fmt.Sprintf("%x", id)+"/open/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for s := range transport.Slot(2) {
					_, _ = client.begin(s, keysOf(id, byte(s))), server.begin(s, keysOf(id, byte(s)))
				}
				wires := [2][]byte{client.Seal(0, nil, text), client.Seal(1, nil, text)}
				var plain []byte
				s := transport.Slot(0)
				for b.Loop() {
					c, _ := server.find(s)
					c.seq[incoming] = 0
					o, err := server.Open(s, plain[:0], wires[s])
					if err != nil {
						b.Fatal(err)
					}
					plain = o.Plain
					s ^= 1
				}
			})
		}
	}
}

// A heartbeat's two records on a loop of many connections whose AEADs are kept: few of them are in the
// processor's caches.
func BenchmarkHeartbeatsOfMany(b *testing.B) {
	const all = 4096
	for _, n := range []transport.Slot{1, all} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			client, server := New(true), New(false)
			var wires [all][]byte
			for s := range n {
				if client.begin(s, keysOf(AES128GCM, byte(s))) != nil || server.begin(s, keysOf(AES128GCM, byte(s))) != nil {
					b.Fatal("not installed")
				}
				wires[s] = client.Seal(s, nil, make([]byte, 20))
			}
			var plain, wire []byte
			s := transport.Slot(0)
			beat := func() {
				server.Tick(time.Hour)
				c, _ := server.find(s)
				c.seq[incoming] = 0
				o, err := server.Open(s, plain[:0], wires[s])
				if err != nil {
					b.Fatal(err)
				}
				plain = o.Plain
				wire = server.Seal(s, wire[:0], plain)
				s = (s + 1297) % n
			}
			for range 3 * n { // so that all are busy
				beat()
			}
			b.ReportAllocs()
			for b.Loop() {
				beat()
			}
		})
	}
}
