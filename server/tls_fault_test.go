package server

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// from dials from an address of 127.0.0.0/8.
func from(t *testing.T, s *Server, addr net.IP) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: addr}}
	nc, err := d.DialContext(context.Background(), "tcp", s.Addr())
	if err != nil {
		t.Skipf("from %v: %v", addr, err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

// More handshakes than there is room for, that never end, from one address and from many: others are served
// meanwhile, and none is left when their time is over. STORMWHEEL_LONG=1 makes it 8,000.
func TestFloodsOfHandshakesThatNeverEnd(t *testing.T) {
	for name, addr := range map[string]func(i int) net.IP{
		"from one address":    func(int) net.IP { return net.IPv4(127, 0, 0, 1) },
		"from many addresses": func(i int) net.IP { return net.IPv4(127, 1, byte(i>>7), byte(i&127+1)) },
	} {
		t.Run(name, func(t *testing.T) {
			flood := 1300 // 1,000 may wait
			if os.Getenv("STORMWHEEL_LONG") != "" {
				flood = 8000
			}
			s := startTLS(t, Config{Loops: 2, Tick: 20 * time.Millisecond, HelloTimeout: 4 * time.Second, MaxConns: 16000}, nil)
			hello := clientHello()
			served := make(chan error, 1)
			go func() { served <- serveMeanwhile(s, 10) }()
			for i := range flood {
				if _, err := from(t, s, addr(i)).Write(hello); err != nil {
					t.Fatal(err)
				}
			}
			if err := <-served; err != nil {
				t.Errorf("an honest client: %v", err)
			}
			if st := s.Stats(); st.TLSWaiting > 1000 {
				t.Errorf("%d wait for their clients", st.TLSWaiting)
			}
			eventually(t, "their time is over", func() bool {
				st := s.Stats()
				return st.TLSWaiting == 0 && st.TLSQueued == 0 && st.Conns == 0
			})
		})
	}
}

// serveMeanwhile has clients come one after the other. One that waited too long for its turn comes again.
func serveMeanwhile(s *Server, clients int) error {
	for range clients {
		var err error
		for try := 0; try < 10; try++ {
			if err = helloByTLS(s); err == nil {
				break
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func helloByTLS(s *Server) error {
	c, err := tls.Dial("tcp", s.Addr(), clientTLS())
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err = c.Write(helloFrame("honest")); err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	return err
}

// A ClientHello that comes byte by byte has no more time than any.
func TestAClientHelloByteByByteIsCutAtItsDeadline(t *testing.T) {
	s := startTLS(t, Config{Loops: 1, Tick: 10 * time.Millisecond, HelloTimeout: 300 * time.Millisecond}, nil)
	nc := dialStd(t, s, clientTLS()).NetConn()
	for _, b := range clientHello() {
		if _, err := nc.Write([]byte{b}); err != nil {
			break
		}
		if s.Stats().Closes[ReasonHelloTimeout] > 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	eventually(t, "it is cut", func() bool { return s.Stats().Closes[ReasonHelloTimeout] == 1 })
	if st := s.Stats(); st.TLSFull+st.TLSFailed != 0 {
		t.Errorf("a handshake was begun: %+v", st)
	}
}

// Half a record and then nothing is half a frame and then nothing.
func TestHalfARecordThenSilenceIsCutAtItsDeadline(t *testing.T) {
	s := startTLS(t, Config{Loops: 1, Tick: 10 * time.Millisecond, PartialTimeout: 200 * time.Millisecond}, nil)
	c := dialStd(t, s, clientTLS())
	login(t, c, "alice")
	if _, err := c.NetConn().Write([]byte{23, 3, 3, 0, 100, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is cut", func() bool { return s.Stats().Closes[ReasonPartialTimeout] == 1 })
}

// A client that is silent after its handshake is evicted at its time, and told so within TLS.
func TestASilentTLSClientIsEvictedAndTold(t *testing.T) {
	s := startTLS(t, Config{Loops: 1, Tick: 10 * time.Millisecond, Heartbeat: 100 * time.Millisecond, Timeout: time.Second}, nil)
	c := dialStd(t, s, clientTLS())
	login(t, c, "alice")
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("no close_notify: %v", err)
	}
	if f, _, err := codec.Decode(all, codec.MaxPayload); err != nil || f.Type != codec.GoAway {
		t.Errorf("%v, %v; want GOAWAY", f.Type, err)
	}
	eventually(t, "it is counted", func() bool { return s.Stats().Closes[ReasonHeartbeatTimeout] == 1 })
}

// A client that does not read has what waits for it queued as records, and is closed at its bound.
func TestATLSClientThatNeverReadsIsClosed(t *testing.T) {
	opened := make(chan Ref, 1)
	s := startTLS(t, Config{Loops: 1, Tick: 10 * time.Millisecond, MaxQueued: 256 << 10, WriteTimeout: 500 * time.Millisecond,
		Handler: Handler{Opened: func(s *Session) { opened <- s.Ref() }}}, nil)
	c := dialStd(t, s, clientTLS())
	login(t, c, "deaf")
	ref := <-opened
	body := []byte(strings.Repeat("x", 16<<10))
	eventually(t, "it is closed", func() bool {
		_ = s.Deliver(ref, body)
		st := s.Stats()
		return st.Closes[ReasonWriteStall]+st.Closes[ReasonSlowConsumer] > 0
	})
	if st := s.Stats(); st.Queued > 512<<10 {
		t.Errorf("%d bytes wait", st.Queued)
	}
}

// What a peer does wrong after the handshake ends its session with TLS's alert, and no other's.
func TestABadRecordEndsItsSessionWithAnAlert(t *testing.T) {
	s := startTLS(t, Config{Loops: 1}, nil)
	other := dialStd(t, s, clientTLS())
	login(t, other, "bob")
	c := dialStd(t, s, clientTLS())
	login(t, c, "alice")
	if _, err := c.NetConn().Write(append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); err == nil || !strings.Contains(err.Error(), "bad record MAC") {
		t.Errorf("the client reads %v", err)
	}
	if _, err := other.Write(codec.AppendPing(nil, 1, 0)); err != nil {
		t.Fatal(err)
	}
	if f := readFrame(t, other); f.Type != codec.Pong {
		t.Errorf("%v, want PONG", f.Type)
	}
}
