package siege

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stormwheel/stormwheel/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is as much of a node as enemies can tell from one, with a goroutine a connection.
type fake struct {
	Target
	t      *testing.T
	listen net.Listener
	app    App[codec.SessionID]
	wg     sync.WaitGroup

	lax   bool // it lets everybody in and ends nobody
	loses bool // it ends everybody at the third PING

	pings atomic.Int64

	mu    sync.Mutex
	conns map[*net.TCPConn]bool
}

const fakeDeadline = 500 * time.Millisecond

func startFake(t *testing.T, set func(f *fake)) *fake {
	t.Helper()
	f := &fake{t: t, conns: make(map[*net.TCPConn]bool)}
	f.HelloTimeout, f.PartialTimeout, f.FrameRate, f.Token = fakeDeadline, fakeDeadline, 20, fakeToken
	if set != nil {
		set(f)
	}
	var err error
	if f.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	f.Addr = f.listen.Addr().String()
	f.wg.Go(f.accept)
	t.Cleanup(func() {
		f.listen.Close()
		f.mu.Lock()
		for c := range f.conns {
			c.Close()
		}
		f.mu.Unlock()
		f.wg.Wait()
	})
	return f
}

// patient makes a fake one that well-behaved clients of a busy machine can please.
func patient(f *fake) {
	f.FrameRate, f.HelloTimeout, f.PartialTimeout = 1000, 2*time.Second, 2*time.Second
}

// fakeToken has the id in the middle, where a forger changes a letter.
func fakeToken(id string, until time.Time) string {
	return fmt.Sprint(until.UnixNano(), " ", id, " ", until.UnixNano())
}

func (f *fake) accept() {
	for {
		c, err := f.listen.Accept()
		if err != nil {
			return
		}
		conn := c.(*net.TCPConn)
		conn.SetWriteBuffer(16 << 10)
		f.mu.Lock()
		f.conns[conn] = true
		f.mu.Unlock()
		f.wg.Go(func() {
			f.serve(&visitor{f: f, conn: conn, limit: codec.MaxPayloadBeforeAuth, deadline: time.Now().Add(f.HelloTimeout)})
			f.mu.Lock()
			delete(f.conns, conn)
			f.mu.Unlock()
			conn.Close()
		})
	}
}

// visitor is one connection of the fake.
type visitor struct {
	f        *fake
	conn     *net.TCPConn
	buf      []byte
	limit    int
	deadline time.Time
	id       string // once it has a session
	frames   int
}

func (f *fake) serve(v *visitor) {
	for {
		code, err := v.turn()
		switch {
		case err != nil:
			return
		case code != 0 && !f.lax:
			v.sendAway(code)
			return
		}
	}
}

// turn reads once and says why the visitor must go.
func (v *visitor) turn() (codec.Code, error) {
	if !v.f.lax {
		v.conn.SetReadDeadline(v.deadline)
	}
	chunk := make([]byte, 64<<10)
	n, err := v.conn.Read(chunk)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && v.id == "":
		return codec.CodeHelloTimeout, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return codec.CodePartialTimeout, nil
	case err == io.EOF && v.f.lax:
		time.Sleep(time.Millisecond) // until the test ends
		return 0, nil
	case err != nil:
		return 0, err
	}
	had := len(v.buf)
	v.buf = append(v.buf, chunk[:n]...)
	for len(v.buf) > 0 {
		frame, size, err := codec.Decode(v.buf, v.limit)
		if errors.Is(err, codec.ErrIncomplete) {
			if v.id != "" && (had == 0 || had > len(v.buf)) { // it has just begun
				v.deadline = time.Now().Add(v.f.PartialTimeout)
			}
			return 0, nil
		}
		if err != nil {
			return codec.CodeFor(err), nil
		}
		v.buf = v.buf[size:]
		if code, err := v.take(frame); code != 0 || err != nil {
			return code, err
		}
	}
	if v.id != "" {
		v.deadline = time.Time{}
	}
	return 0, nil
}

func (v *visitor) take(frame codec.Frame) (codec.Code, error) {
	if v.frames++; v.frames > v.f.FrameRate*4 {
		return codec.CodeRateLimit, nil
	}
	switch {
	case v.id == "" && frame.Type == codec.Hello:
		return v.hello(frame)
	case v.id == "":
		return codec.CodeProtocolError, nil
	case frame.Type == codec.Ping:
		v.f.pings.Add(1)
		if v.f.loses && v.frames > 3 {
			return 0, io.EOF
		}
		token, _, err := codec.ParsePing(frame.Payload)
		return 0, errors.Join(err, v.write(codec.AppendPong(nil, codec.PongMessage{Token: token})))
	case frame.Type == codec.Send:
		id, body, err := codec.ParseMessage(frame.Payload)
		return 0, errors.Join(err, v.write(codec.AppendAck(codec.AppendDeliver(nil, id, body), codec.AckOf(id))))
	case frame.Type == codec.Ack:
		if _, err := codec.ParseAck(frame.Payload); err != nil {
			return codec.CodeFor(err), nil
		}
	case !frame.Type.Known() && frame.Flags&codec.FlagIgnorable == 0:
		return codec.CodeProtocolError, nil
	}
	return 0, nil
}

func (v *visitor) hello(frame codec.Frame) (codec.Code, error) {
	m, err := codec.ParseHello(frame.Payload)
	if err != nil {
		return codec.CodeFor(err), nil
	}
	var until int64
	var id string
	if _, err := fmt.Sscan(string(m.Token), &until, &id); v.f.Token != nil && !v.f.lax {
		switch {
		case err != nil || id != string(m.ClientID):
			return codec.CodeUnauthorized, nil
		case until < time.Now().UnixNano():
			return codec.CodeTokenExpired, nil
		}
	}
	v.id, v.limit, v.deadline = string(m.ClientID), codec.MaxPayload, time.Time{}
	b, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: 1, Session: codec.SessionID{Epoch: 1, Handle: 1},
		Terms: codec.Terms{Interval: time.Minute, Timeout: 3 * time.Minute, Number: 1}})
	if err != nil {
		v.f.t.Errorf("WELCOME: %v", err)
	}
	if err := v.write(b); err != nil || v.f.lax {
		return 0, err
	}
	v.f.app.Opened(v.id, codec.SessionID{}, func(body []byte) { v.write(codec.AppendDeliver(nil, 1, body)) })
	for strings.HasPrefix(v.id, sinkPrefix) {
		if err := v.write(codec.AppendDeliver(nil, 1, make([]byte, 32<<10))); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

func (v *visitor) write(b []byte) error {
	if v.f.lax && v.frames > 1 {
		return nil
	}
	v.conn.SetWriteDeadline(time.Now().Add(fakeDeadline))
	_, err := v.conn.Write(b)
	return err
}

// sendAway has what the visitor still says not throw the GOAWAY away, as far as a node does: who floods says
// hundreds of MiB in half a second.
func (v *visitor) sendAway(code codec.Code) {
	b, err := codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: code})
	if err != nil {
		v.f.t.Errorf("GOAWAY: %v", err)
	}
	v.write(b)
	v.conn.CloseWrite()
	v.conn.SetReadDeadline(time.Now().Add(fakeDeadline))
	io.Copy(io.Discard, io.LimitReader(v.conn, 64<<10))
}
