package servertest_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

func TestLimitsOnWhatAClientSends(t *testing.T) {
	h := server.Handler{Message: func(s *server.Session, m server.Message) { _ = s.Ack(m.Number) }}
	inBubble(t, server.Config{MaxFrameRate: 10, Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		for !c.Ended() {
			c.Send(nil)
		}
		if all := c.Received(); len(all) < 40 || all[len(all)-1].Type != codec.GoAway {
			t.Errorf("%d frames, the last a %v; want 40 ACKs and GOAWAY", len(all), all[len(all)-1].Type)
		}
		if st := n.Stats(); st.Closes[server.ReasonRateLimit] != 1 {
			t.Errorf("closes %v, want one for its rate", st.Closes)
		}
		d := n.Join("bob")
		d.Write([]byte("this is no frame of ours"))
		d.ExpectGoAway(codec.CodeProtocolError)
		e := n.Join("carol")
		e.Reset()
		e.ExpectEnd()
		f := n.Dial()
		n.Advance(5*time.Second + 500*time.Millisecond)
		f.ExpectGoAway(codec.CodeHelloTimeout)
		if st := n.Stats(); st.Conns != 0 || st.Closes[server.ReasonPeerReset] != 1 {
			t.Errorf("%d connections are left, closes %v", st.Conns, st.Closes)
		}
	})
}

func TestLimitsByAddress(t *testing.T) {
	inBubble(t, server.Config{AddrConns: 2}, func(t *testing.T, n *servertest.Node) {
		n.Join("alice")
		n.Join("bob")
		third, elsewhere := n.Dial(), n.DialFrom(netip.MustParseAddr("198.51.100.7"))
		for _, c := range []*servertest.Client{third, elsewhere} {
			c.Hello(codec.HelloMessage{ClientID: []byte("carol")})
		}
		third.ExpectGoAway(codec.CodeBusy)
		elsewhere.ExpectWelcome()
	})
}

func TestHalfAFrameHasItsOwnDeadline(t *testing.T) {
	inBubble(t, server.Config{PartialTimeout: 3 * time.Second}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		c.Silence() // or its heartbeat would be the rest of the frame
		b := codec.AppendSend(nil, 1, []byte("hello"))
		c.Write(b[:len(b)-1])
		n.Advance(3*time.Second - 1)
		c.ExpectNothing()
		n.Advance(time.Second)
		c.ExpectGoAway(codec.CodePartialTimeout)
	})
}
