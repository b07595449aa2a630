package generator

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// plain holds clients as one writes them in Go: a net.Conn and a goroutine each, which
// reads frames through a bufio.Reader, under a read deadline; a timer sends the PINGs.
func plain(o dial) (map[string]float64, error) {
	var welcomed, pongs atomic.Int64
	failed := make(chan error, o.conns)
	began := time.Now()
	for i := range o.conns {
		time.Sleep(time.Until(began.Add(time.Duration(float64(i) / o.rate * float64(time.Second)))))
		go func() { failed <- talk(o.target, i, o.buffer, &welcomed, &pongs) }()
	}
	for welcomed.Load() < int64(o.conns) {
		select {
		case err := <-failed:
			return nil, err
		case <-time.After(10 * time.Millisecond):
		}
	}
	select {
	case err := <-failed:
		return nil, err
	case <-time.After(o.settled):
	}
	if n := pongs.Load(); n < int64(o.conns) {
		return nil, fmt.Errorf("%d PONGs came to %d clients, each should have one", n, o.conns)
	}
	f := map[string]float64{"ready": float64(welcomed.Load())}
	readMemory(f)
	return f, nil
}

// pongPatience is how long a PONG may take.
const pongPatience = 10 * time.Second

// talk is one client. It returns when the connection ends.
func talk(target string, number, buffer int, welcomed, pongs *atomic.Int64) error {
	conn, err := net.Dial("tcp", target)
	if err != nil {
		return err
	}
	defer conn.Close()
	hello, err := helloFrame(number)
	if err != nil {
		return err
	}
	if _, err := conn.Write(hello); err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, buffer)
	wait := pongPatience
	for {
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return err
		}
		f, size, err := readFrame(in)
		if err != nil {
			return err
		}
		switch f.Type {
		case codec.Welcome:
			w, err := codec.ParseWelcome(f.Payload)
			if err != nil {
				return err
			}
			wait = w.Terms.Interval + pongPatience
			defer keepPinging(conn, w.Terms.Interval).Stop()
			welcomed.Add(1)
		case codec.Pong:
			pongs.Add(1)
		case codec.GoAway:
			return errors.New("the server sent a client away")
		}
		if _, err := in.Discard(size); err != nil {
			return err
		}
	}
}

// keepPinging sends a PING after 0.8 to 1.0 of the interval, again and again.
func keepPinging(conn net.Conn, interval time.Duration) *time.Timer {
	next := func() time.Duration { return time.Duration((0.8 + 0.2*rand.Float64()) * float64(interval)) }
	token := uint64(0)
	var timer *time.Timer
	started := make(chan struct{})
	timer = time.AfterFunc(next(), func() {
		<-started
		token++
		if _, err := conn.Write(codec.AppendPing(nil, token, 0)); err == nil { // an error is the reader's, too
			timer.Reset(next())
		}
	})
	close(started)
	return timer
}

// readFrame leaves the frame in the buffer, for its reader to discard.
func readFrame(in *bufio.Reader) (f codec.Frame, size int, err error) {
	for need := codec.HeaderLen; ; {
		b, err := in.Peek(need)
		if err != nil {
			return f, 0, err
		}
		f, size, err = codec.Decode(b, codec.MaxPayload)
		if !errors.Is(err, codec.ErrIncomplete) {
			return f, size, err
		}
		need = size
	}
}

func helloFrame(number int) ([]byte, error) {
	return codec.AppendHello(nil, &codec.HelloMessage{MinVersion: codec.ProtocolVersion, MaxVersion: codec.ProtocolVersion,
		ClientID: fmt.Appendf(nil, "client-%d", number)})
}
