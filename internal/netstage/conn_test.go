package netstage

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// A peer that asks and does not read has the reader write. What is written meanwhile must not pile up
// unseen: it waits as if nobody were at it, and ends with the connection.
func TestAWriteWaitsBehindTheReadersOwn(t *testing.T) {
	for _, reads := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			peer, socket := net.Pipe()
			c := New(socket, websocket.NewServer(websocket.ServerConfig{}))
			go func() { _, _ = io.Copy(io.Discard, c) }()
			go func() {
				_, _ = peer.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
					"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
			}()
			synctest.Wait() // the answer waits for its reader
			written := make(chan error, 1)
			go func() {
				_, err := c.Write(make([]byte, 1000))
				written <- err
			}()
			synctest.Wait()
			select {
			case err := <-written:
				t.Errorf("Write returned before the peer has read: %v", err)
			default:
			}
			if reads {
				go func() { _, _ = io.Copy(io.Discard, peer) }()
				if err := <-written; err != nil {
					t.Errorf("Write = %v", err)
				}
			}
			_ = c.Close()
			if !reads {
				if err := <-written; !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("Write to what was closed = %v", err)
				}
			}
			_ = peer.Close()
		})
	}
}
