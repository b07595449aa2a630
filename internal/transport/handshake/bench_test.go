package handshake_test

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
)

// Handshakes of our server with a client of crypto/tls in the same goroutine, beside those of
// crypto/tls's server with the same client: both ends are in the figure.
func BenchmarkHandshake(b *testing.B) {
	server, client := configs(b)
	for name, resumed := range map[string]bool{"full": false, "resumed": true} {
		client := client.Clone()
		if resumed {
			client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		}
		config := newConfig(b, server)
		b.Run(name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			lines := transport.NewLines(handshake.NewServer(config, nil))
			for b.Loop() {
				a := &across{piece: 1 << 20, flip: -1, lines: lines}
				a.in = append(a.in, lines.Begin(0)...)
				c := tls.Client(a, client)
				if err := c.Handshake(); err != nil {
					b.Fatal(err)
				}
				_, _ = c.Write([]byte("x"))
				a.pump()
				if string(a.got) != "x" {
					b.Fatalf("%q, %v", a.got, a.err)
				}
				a.in = append(a.in, lines.Seal(0, []byte("y"))...)
				if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
					b.Fatal(err)
				}
				lines.End(0)
			}
		})
		b.Run(name+"/crypto-tls", func(b *testing.B) {
			b.ReportAllocs()
			server := server.Clone() // its tickets are good for all of its connections
			for b.Loop() {
				ours, theirs := net.Pipe()
				done := make(chan error, 1)
				go func() {
					c := tls.Server(ours, server)
					var x [1]byte
					_, err := io.ReadFull(c, x[:])
					if err == nil {
						_, err = c.Write([]byte("y"))
					}
					done <- err
				}()
				c := tls.Client(theirs, client)
				if _, err := c.Write([]byte("x")); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
					b.Fatal(err)
				}
				if err := <-done; err != nil {
					b.Fatal(err)
				}
				_ = ours.Close()
				_ = theirs.Close()
			}
		})
	}
}
