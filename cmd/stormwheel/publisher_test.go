package main

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

func TestServePublishesWhenItIsDue(t *testing.T) {
	const every = payload.Schedule(100 * time.Millisecond)
	n := serve(t, "--publish", "64B", "--every", "100ms", "--tick", "10ms")
	p := dial(t, n.listen)
	p.join()
	welcomed := payload.Monotonic()
	var first uint64
	for i := range uint64(5) {
		f := p.next()
		number, body, err := codec.ParseMessage(f.Payload)
		m, ok := payload.Parse(body)
		if f.Type != codec.Deliver || err != nil || number != 0 || len(body) != 64 || !ok || !every.Has(m) {
			t.Fatalf("publication %d is a %v of %d bytes: %+v, %v", i, f.Type, len(body), m, err)
		}
		if i == 0 {
			first = m.Number
		}
		if m.Number != first+i || m.Due > payload.Monotonic() {
			t.Errorf("publication %d has the number %d, due %v from now; the first had %d", i, m.Number, m.Due-payload.Monotonic(), first)
		}
	}
	if most := every.Number(welcomed) + 1; first > most {
		t.Errorf("the first after the WELCOME is %d, want %d at most", first, most)
	}
	waitFor(t, "the node counts them", func() bool {
		var stats struct{ Delivers int }
		_, body := n.get("GET", "/stats")
		return json.Unmarshal([]byte(body), &stats) == nil && stats.Delivers >= 5
	})
}

func TestServeOnlyAcknowledgesIfItIsTold(t *testing.T) {
	p := dial(t, serve(t, "--no-echo").listen)
	p.join()
	p.write(codec.AppendSend(nil, 7, []byte("hello")), nil)
	f := p.next()
	if m, err := codec.ParseAck(f.Payload); f.Type != codec.Ack || err != nil || m.First != 7 {
		t.Errorf("a SEND is answered by %v %+v, %v; want its ACK", f.Type, m, err)
	}
}

// A mailbox that is full, and a publication that took too long, cost time and nobody a publication.
func TestThePublisherLeavesNothingOut(t *testing.T) {
	p := newPublisher(payload.HeaderLen, 10*time.Millisecond)
	a, b := refOf(t, "n/0000000000000001-0000000000000001"), refOf(t, "n/0000000000000001-0000000000000002")
	p.sessions = []server.Ref{a, b}
	ctx, cancel := context.WithCancel(t.Context())
	got, busy := map[server.Ref][]uint64{}, 0
	p.run(ctx, func(to server.Ref, body []byte) error {
		m, _ := payload.Parse(body)
		switch {
		case to == a && busy < 3:
			busy++
			return server.ErrBusy
		case len(got[a]) == 2 && to == a:
			time.Sleep(35 * time.Millisecond) // three more are due then
		case len(got[b]) == 9:
			cancel()
		}
		got[to] = append(got[to], m.Number)
		return nil
	})
	if len(got[a]) != 10 || !slices.Equal(got[a], got[b]) {
		t.Fatalf("they got %d and %d", got[a], got[b])
	}
	for i, n := range got[a] {
		if n != got[a][0]+uint64(i) {
			t.Errorf("they got %d, want one after the other", got[a])
		}
	}
}

func refOf(t *testing.T, text string) server.Ref {
	t.Helper()
	r, err := server.ParseRef(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
