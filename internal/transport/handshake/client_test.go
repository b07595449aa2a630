package handshake

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// A client keeps its *tls.Conn until its cache has a ticket, or for a second.
func TestAClientWaitsASecondForItsTicket(t *testing.T) {
	own, err := selfsigned.New(time.Hour, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	for _, tickets := range []bool{true, false} {
		config, err := NewConfig(&tls.Config{Certificates: []tls.Certificate{own}, SessionTicketsDisabled: !tickets})
		if err != nil {
			t.Fatal(err)
		}
		now := time.Hour
		stage := NewClient(&tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1)}, func() time.Duration { return now })
		client, server := transport.NewLines(stage), transport.NewLines(NewServer(config, nil))
		up := append([]byte(nil), client.Begin(0)...)
		var down []byte
		for len(up)+len(down) > 0 {
			down = append(down, say(t, server, up)...)
			up = say(t, client, down)
			down = nil
		}
		if kept := len(stage.kept); kept != map[bool]int{true: 0, false: 1}[tickets] {
			t.Errorf("tickets %v: %d are kept", tickets, kept)
		}
		for _, tt := range []struct {
			after time.Duration
			want  int
		}{{ticketTime, 1}, {1, 0}} {
			now += tt.after
			say(t, client, server.Seal(0, []byte("x")))
			if kept := len(stage.kept); !tickets && kept != tt.want {
				t.Errorf("after %v %d are kept, want %d", now-time.Hour, kept, tt.want)
			}
		}
		client.End(0)
		server.End(0)
	}
}

// say lets bytes arrive, and returns what is said to them.
func say(t *testing.T, l *transport.Lines, b []byte) (words []byte) {
	t.Helper()
	if _, ok := l.Whole(0, b); ok {
		return nil
	}
	for {
		in, err := l.Receive(0, b)
		words = append(words, in.Words...)
		l.Keep(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if in.Away == nil {
			return words
		}
		in.Away()()
		l.Resume(0)
		b = nil
	}
}
