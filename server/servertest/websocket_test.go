package servertest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// A client by WebSocket, on the clock of the test: a session as any, whose pings of the transport are
// no life, and whose end is told.
func TestAWebSocketInMemory(t *testing.T) {
	for name, transports := range map[string][]server.Transport{
		"ws": {server.TransportTCP, server.TransportWebSocket}, "wss": {server.TransportTLS, server.TransportSecureWebSocket},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var by []server.Transport
				n := New(t, server.Config{Transports: transports, KeepAlive: time.Hour, WebSocket: server.WebSocket{Path: "/edge"}, Handler: server.Handler{
					Opened:  func(s *server.Session) { by = append(by, s.Transport()) },
					Message: func(s *server.Session, m server.Message) { _ = s.Deliver(m.Body); _ = s.Ack(m.Number) },
				}})
				web := n.DialWebSocket()
				web.Hello(codec.HelloMessage{ClientID: []byte("web")})
				web.ExpectWelcome()
				plain := n.Join("plain")
				if len(by) != 2 || by[0] != server.TransportWebSocket || by[1] != server.TransportTCP {
					t.Errorf("they came by %v", by)
				}
				id := web.Send([]byte("hello"))
				web.ExpectDeliver([]byte("hello"))
				web.ExpectAck(id)
				n.Advance(time.Hour)
				if web.Ended() || plain.Ended() {
					t.Error("somebody who heartbeats was evicted")
				}
				back := web.Return()
				back.ExpectWelcome()
				back.Silence()
				for range 80 { // a ping a second: browsers answer and send those when the page is dead
					n.Advance(time.Second)
					if !back.Ended() {
						back.do(func() { back.conn.arrive([]byte("\x89\x80abcd")) })
					}
				}
				back.ExpectGoAway(codec.CodeHeartbeatTimeout)
				plain.Bye()
			})
		})
	}
}
