package siege

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/netstage"
)

// Socket is a *net.TCPConn or a *net.UnixConn.
type Socket interface {
	net.Conn
	CloseWrite() error
}

// Peer is one connection and what it has heard. One goroutine reads and one may write. Its
// methods return errors, since it mostly runs on a goroutine of its own. Whoever connects it
// closes it.
type Peer struct {
	Socket // nil until Dial

	ID     string
	Joined bool                // it got a session
	Away   codec.GoAwayMessage // what it was told at its end

	staged *netstage.Conn // nil: plain
	target *Target
	began  time.Time // of the connect
	forget func() bool
	buf    []byte // read and not decoded
}

// Dial connects. What the peer waits for is over when the target's patience is; when ctx is, so
// is the connection.
func (p *Peer) Dial(ctx context.Context) error { return p.DialBy(ctx, net.Dialer{}) }

// DialBy is Dial by a dialer of the caller's.
func (p *Peer) DialBy(ctx context.Context, d net.Dialer) error {
	d.Timeout = p.target.patience()
	p.began = time.Now()
	network, addr := "tcp", p.target.Addr
	if path, is := strings.CutPrefix(addr, "unix:"); is {
		network, addr, d.LocalAddr = "unix", path, nil
	}
	c, err := d.DialContext(ctx, network, addr)
	for errors.Is(err, syscall.EAGAIN) && time.Since(p.began) < d.Timeout { // too many wait at a unix socket
		time.Sleep(time.Millisecond)
		c, err = d.DialContext(ctx, network, addr)
	}
	if err != nil {
		return err
	}
	p.Socket = c.(Socket)
	p.forget = context.AfterFunc(ctx, func() { c.Close() })
	if err = p.SetDeadline(p.began.Add(p.target.patience())); err == nil && p.target.Stage != nil {
		p.staged = netstage.New(c, p.target.Stage())
	}
	return err
}

// Read reads of the connection, through its stage.
func (p *Peer) Read(b []byte) (int, error) {
	if p.staged != nil {
		return p.staged.Read(b)
	}
	return p.Socket.Read(b)
}

// Write writes to the connection, through its stage.
func (p *Peer) Write(b []byte) (int, error) {
	if p.staged != nil {
		return p.staged.Write(b)
	}
	return p.Socket.Write(b)
}

// Close closes the connection, if there is one.
func (p *Peer) Close() error {
	if p.Socket == nil {
		return nil
	}
	p.forget()
	err := p.Socket.Close()
	if p.staged != nil {
		_ = p.staged.Close() // without its closing words: it is closed already
	}
	return err
}

// Reset ends the connection with RST, if there is one and it is of TCP.
func (p *Peer) Reset() (err error) {
	if tcp, is := p.Socket.(*net.TCPConn); is {
		err = tcp.SetLinger(0)
	}
	return errors.Join(err, p.Close())
}

// Hello is the HELLO of its id, with a token that is good for an hour.
func (p *Peer) Hello() []byte {
	return Hello(p.ID, p.target.token(p.ID, time.Now().Add(time.Hour)))
}

// Join connects and gets a session.
func (p *Peer) Join(ctx context.Context) error { return p.JoinBy(ctx, net.Dialer{}) }

// JoinBy is Join by a dialer of the caller's.
func (p *Peer) JoinBy(ctx context.Context, d net.Dialer) error {
	if err := p.DialBy(ctx, d); err != nil {
		return err
	}
	if _, err := p.Write(p.Hello()); err != nil {
		return err
	}
	return p.Want(codec.Welcome)
}

// Want takes the next frame, which must be of that type. Terms that a node tells unasked, as it
// does when it is late, may come before it.
func (p *Peer) Want(typ codec.Type) error {
	f, err := p.NextBut(typ)
	if err == nil && f.Type != typ {
		err = fmt.Errorf("%v instead of %v", f.Type, typ)
		if f.Type == codec.GoAway {
			err = fmt.Errorf("GOAWAY %v instead of %v", p.Away.Code, typ)
		}
	}
	return err
}

// NextBut is Next, but passes over terms that were told unasked unless a PONG is wanted.
func (p *Peer) NextBut(wanted codec.Type) (codec.Frame, error) {
	for {
		f, err := p.Next()
		if err != nil || f.Type != codec.Pong || wanted == codec.Pong {
			return f, err
		}
		if m, bad := codec.ParsePong(f.Payload); bad != nil || m.Token != 0 {
			return f, nil // an answer
		}
	}
}

// Next returns the next frame, which is valid for good, or what ended the stream. Of WELCOME and
// GOAWAY it takes note.
func (p *Peer) Next() (codec.Frame, error) {
	for {
		f, n, err := codec.Decode(p.buf, 1<<20)
		if err == nil {
			p.buf = p.buf[n:]
			return f, p.note(f)
		}
		if !errors.Is(err, codec.ErrIncomplete) {
			return f, err
		}
		chunk := make([]byte, 4096)
		got, err := p.Read(chunk)
		if p.buf = append(p.buf, chunk[:got]...); got == 0 {
			return f, err
		}
	}
}

func (p *Peer) note(f codec.Frame) (err error) {
	switch f.Type {
	case codec.Welcome:
		p.Joined = true
	case codec.GoAway:
		p.Away, err = codec.ParseGoAway(f.Payload)
	}
	return err
}

// errStays is of a node that lets an enemy stay.
var errStays = errors.New("it was not closed")

// End reads until the stream ends and returns the code of the GOAWAY, 0 without one. How it ends
// is not an error, but it must end.
func (p *Peer) End() (codec.Code, error) {
	defer p.Close()
	for {
		_, err := p.Next()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return 0, errStays
		case err != nil:
			return p.Away.Code, nil
		}
	}
}

// late is by how much a deadline may be missed: enemies and node share a machine.
const late = 3 * time.Second

// endWithin is End, no earlier than after since then and not much later.
func (p *Peer) endWithin(since time.Time, after time.Duration) (codec.Code, error) {
	code, err := p.End()
	if took := time.Since(since); err == nil && (took < after || took > after+late) {
		err = fmt.Errorf("closed after %v, want %v", took, after)
	}
	return code, err
}
