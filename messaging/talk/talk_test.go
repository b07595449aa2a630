package talk_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/talk"
	"github.com/stormwheel/stormwheel/server"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// node is a server that answers by what a message says: what a hub does is for package messaging's tests.
type node struct {
	*testing.T
	*server.Server

	mu    sync.Mutex
	refs  []server.Ref // of sessions, in order
	asked []string
	ends  []string // what became of what was delivered
}

func newNode(t *testing.T) *node {
	n := &node{T: t}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: server.Handler{
		Opened: func(s *server.Session) {
			n.mu.Lock()
			n.refs = append(n.refs, s.Ref())
			n.mu.Unlock()
		},
		Message: n.message,
	}})
	if err != nil {
		t.Fatal(err)
	}
	n.Server = srv
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *node) message(s *server.Session, m server.Message) {
	e, err := envelope.Parse(m.Body)
	if err != nil {
		s.Nack(m.Number, envelope.CodeMalformed, err.Error())
		return
	}
	n.mu.Lock()
	n.asked = append(n.asked, fmt.Sprintf("%v %s%s %v %s", e.Kind, e.User, e.Room, e.Position, e.Content))
	n.mu.Unlock()
	switch {
	case e.Kind == envelope.Ask:
		page := envelope.AppendName(envelope.AppendName(nil, []byte("alice")), []byte("bob"))
		s.Reply(m.Number, encode(&envelope.Envelope{Kind: envelope.Page, After: []byte("bob"), Count: 9, Content: page}))
	case e.Kind == envelope.Join:
		s.Ack(m.Number)
		state, at := envelope.Fresh, envelope.Position{Epoch: 7, Offset: 3}
		if e.Position != (envelope.Position{}) {
			state, at = envelope.Recovered, e.Position
		}
		s.Deliver(encode(&envelope.Envelope{Kind: envelope.Joined, Room: e.Room, State: state, Position: at}))
		at.Offset++
		s.Deliver(encode(&envelope.Envelope{Kind: envelope.Publication, Room: e.Room, Position: at, Taken: time.Now(),
			ID: envelope.ID{Sender: []byte("alice"), Incarnation: 1, Number: at.Offset}, Content: []byte("x")}))
	case string(e.Content) == "refuse":
		s.Nack(m.Number, envelope.CodeQueueFull, "full")
	case string(e.Content) == "durable":
		s.AckRange(m.Number, m.Number, envelope.AckDurable)
	case string(e.Content) == "held":
		s.AckRange(m.Number, m.Number, envelope.AckHeld)
	case string(e.Content) == "silent":
	case e.Kind == envelope.ToUser:
		s.AckRange(m.Number, m.Number, envelope.AckDelivered)
	default:
		s.Ack(m.Number)
	}
}

func encode(e *envelope.Envelope) []byte {
	body, err := envelope.Append(nil, e)
	if err != nil {
		panic(err)
	}
	return body
}

func (n *node) session(i int) server.Ref {
	n.Helper()
	n.wait("session", func() bool { n.mu.Lock(); defer n.mu.Unlock(); return len(n.refs) > i })
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.refs[i]
}

// push delivers a message to a session and notes what becomes of it.
func (n *node) push(to server.Ref, number uint64, taken time.Time, content string) {
	n.Helper()
	body := encode(&envelope.Envelope{Kind: envelope.Message, ID: envelope.ID{Sender: []byte("alice/phone"), Incarnation: 5, Number: number},
		Taken: taken, Content: []byte(content)})
	if err := n.DeliverFunc(to, body, func(o server.Outcome) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.ends = append(n.ends, fmt.Sprint(number, " ", o.Result, " ", o.Code, " ", o.Reason))
	}); err != nil {
		n.Fatal(err)
	}
}

func (n *node) wantEnds(want ...string) {
	n.Helper()
	n.wait(fmt.Sprint("ends ", want), func() bool { n.mu.Lock(); defer n.mu.Unlock(); return len(n.ends) >= len(want) })
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.ends, want) {
		n.Errorf("ends %q, want %q", n.ends, want)
	}
	n.ends = nil
}

func (n *node) wait(what string, done func() bool) { wait(n.T, what, done) }

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s within %v", what, patience)
		}
	}
}

// start runs a Talk with the node until the test ends.
func (n *node) start(cfg talk.Config) *talk.Talk {
	n.Helper()
	cfg.Client.Endpoints, cfg.Client.ID = []string{n.Addr()}, "bob/tv"
	cfg.Client.BackoffMin = 10 * time.Millisecond
	cfg.Client.Policy = client.Fixed
	cfg.Client.Logger = slog.New(slog.DiscardHandler) // panics are the tests' own
	t, err := talk.New(cfg)
	if err != nil {
		n.Fatal(err)
	}
	var run sync.WaitGroup
	run.Go(func() { t.Run(context.Background()) })
	n.Cleanup(func() { t.Close(); run.Wait() })
	return t
}

func TestOutcomes(t *testing.T) {
	n := newNode(t)
	talker := n.start(talk.Config{Settled: func(number uint64, o talk.Outcome) { t.Errorf("Settled tells of %d", number) }})
	for content, want := range map[string]talk.State{"hi": talk.Delivered, "durable": talk.Durable, "held": talk.Held, "refuse": talk.Refused} {
		o, err := talker.SendAcked(t.Context(), "alice", []byte(content), talk.Options{})
		if err != nil || o.State != want || o.To != "alice" || o.InRoom {
			t.Errorf("%s: %+v, %v", content, o, err)
		}
		var refused *client.RefusedError
		if want == talk.Refused && (o.Code != envelope.CodeQueueFull || o.Reason != "full" || !errors.As(o.Err, &refused)) {
			t.Errorf("%s: %+v", content, o)
		}
	}
	if o, err := talker.PublishAcked(t.Context(), "kitchen", []byte("hi")); err != nil || o.State != talk.Taken || !o.InRoom {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := talker.Send(t.Context(), "", nil, talk.Options{}); !errors.Is(err, envelope.ErrField) {
		t.Errorf("Send to nobody: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() {
		if o, err := talker.SendAcked(ctx, "alice", []byte("silent"), talk.Options{}); !errors.Is(err, context.Canceled) || o.State != talk.Unknown {
			t.Errorf("no answer: %+v, %v", o, err)
		}
	})
	defer asking.Wait()
	defer cancel()
	n.wait("question that nobody answers", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return slices.ContainsFunc(n.asked, func(said string) bool { return strings.HasSuffix(said, " silent") })
	})
}

func TestSettledTellsOfEachOnce(t *testing.T) {
	n := newNode(t)
	var mu sync.Mutex
	told := make(map[uint64]int)
	talker := n.start(talk.Config{Settled: func(number uint64, o talk.Outcome) {
		mu.Lock()
		defer mu.Unlock()
		told[number]++
		if o.State != talk.Delivered || o.To != "alice" {
			t.Errorf("%d: %+v", number, o)
		}
	}})
	var sent sync.Map
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				number, err := talker.Send(t.Context(), "alice", []byte("hi"), talk.Options{})
				if err != nil {
					t.Error(err)
				}
				sent.Store(number, true)
			}
		})
	}
	wg.Wait()
	wait(t, "400 outcomes", func() bool { mu.Lock(); defer mu.Unlock(); return len(told) == 400 })
	mu.Lock()
	defer mu.Unlock()
	for number, times := range told {
		if _, ok := sent.Load(number); !ok || times != 1 {
			t.Errorf("%d was told %d times", number, times)
		}
	}
}

func TestDuplicateIsAcknowledgedWhenItsFirstCopyIs(t *testing.T) {
	n := newNode(t)
	var mu sync.Mutex
	var got []*talk.Message
	n.start(talk.Config{Message: func(m *talk.Message) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, m)
		switch string(m.Content) {
		case "later":
			m.AckLater()
		case "no":
			m.Nack(1000, "not that")
		}
	}})
	s, now := n.session(0), time.Now().Add(time.Second)
	n.push(s, 1, now, "hi")
	n.wantEnds("1 acknowledged code 0 ")
	n.push(s, 1, now, "hi")
	n.wantEnds("1 acknowledged code 0 ")
	n.push(s, 2, now, "no")
	n.push(s, 2, now, "no")
	n.wantEnds("2 refused code 1000 not that", "2 refused code 1000 not that")
	n.push(s, 4, now, "later")
	n.push(s, 4, now, "later")
	n.push(s, 5, now, "hi")
	n.wantEnds("5 acknowledged code 0 ")
	n.Close(s, server.Close{}) // both copies go with their connection
	n.wantEnds("4 lost code 0 ", "4 lost code 0 ")
	s = n.session(1)
	n.push(s, 4, now, "later")
	n.push(s, 6, now, "hi")
	n.wantEnds("6 acknowledged code 0 ")
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 5 {
		t.Fatalf("%d messages were handled, want 5", len(got))
	}
	later := got[2]
	if later.From != "alice" || later.PossiblyKnown || later.ID != (talk.ID{Sender: "alice/phone", Incarnation: 5, Number: 4}) {
		t.Errorf("%+v", later)
	}
	if err := later.Ack(); err != nil {
		t.Error(err)
	}
	if err := later.Nack(1, ""); !errors.Is(err, talk.ErrAnswered) {
		t.Errorf("a second answer: %v", err)
	}
	n.wantEnds("4 acknowledged code 0 ")
}

func TestAMessageThatIsPanickedOnIsRefused(t *testing.T) {
	n := newNode(t)
	n.start(talk.Config{Message: func(*talk.Message) { panic("as the test wants") }})
	n.push(n.session(0), 3, time.Now().Add(time.Second), "hi")
	n.wantEnds("3 refused internal ")
}

// kept is a Keeper.
type kept struct {
	mu  sync.Mutex
	ids []talk.Known
	at  time.Time
}

func (k *kept) Load() ([]talk.Known, time.Time, error) { return k.ids, k.at, nil }
func (k *kept) Keep(id talk.Known) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ids = append(k.ids, id)
}

func TestWhatIsKeptIsKnownAfterARestart(t *testing.T) {
	n := newNode(t)
	k := &kept{at: time.Now().Add(-time.Hour)}
	var mu sync.Mutex
	var marks []bool
	cfg := talk.Config{Keeper: k, Message: func(m *talk.Message) {
		mu.Lock()
		defer mu.Unlock()
		marks = append(marks, m.PossiblyKnown)
	}}
	first := n.start(cfg)
	n.push(n.session(0), 1, time.Now(), "hi")
	n.wantEnds("1 acknowledged code 0 ")
	first.Close()
	n.start(cfg)
	n.push(n.session(1), 1, time.Now(), "hi")
	n.push(n.session(1), 2, time.Now().Add(-time.Minute), "sent while it was away")
	n.push(n.session(1), 3, time.Now().Add(-2*time.Hour), "sent before anything was kept")
	n.wantEnds("1 acknowledged code 0 ", "2 acknowledged code 0 ", "3 acknowledged code 0 ")
	mu.Lock()
	defer mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if !slices.Equal(marks, []bool{false, false, true}) || len(k.ids) != 3 {
		t.Errorf("marks %v, %d kept", marks, len(k.ids))
	}
}

func TestRoomsAreJoinedInEverySession(t *testing.T) {
	n := newNode(t)
	heard := make(chan talk.Publication, 10)
	talker := n.start(talk.Config{Publication: func(p talk.Publication) { heard <- p }})
	talker.Join("kitchen")
	if p := <-heard; p.Position.Offset != 4 || p.From != "alice" {
		t.Errorf("%+v", p)
	}
	n.Close(n.session(0), server.Close{})
	if p := <-heard; p.Position.Offset != 5 {
		t.Errorf("%+v", p)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if want := []string{"join kitchen {0 0} ", "join kitchen {7 4} "}; !slices.Equal(n.asked, want) {
		t.Errorf("asked %q, want %q", n.asked, want)
	}
}

func TestQuestions(t *testing.T) {
	n := newNode(t)
	talker := n.start(talk.Config{})
	p, err := talker.Online(t.Context(), "a", "", 2)
	if err != nil || !slices.Equal(p.Names, []string{"alice", "bob"}) || p.After != "bob" || p.Count != 9 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := talker.Members(t.Context(), "", "", 2); !errors.Is(err, envelope.ErrField) {
		t.Errorf("Members of no room: %v", err)
	}
}

func TestWhatNoEnvelopeIs(t *testing.T) {
	n := newNode(t)
	receipts := make(chan talk.Receipt, 1)
	n.start(talk.Config{Receipt: func(r talk.Receipt) { receipts <- r }})
	s := n.session(0)
	deliver := func(body []byte) {
		n.DeliverFunc(s, body, func(o server.Outcome) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.ends = append(n.ends, fmt.Sprint(o.Result, " ", o.Code))
		})
	}
	deliver([]byte("hello"))
	deliver(encode(&envelope.Envelope{Kind: envelope.Leave, Room: []byte("r")}))
	deliver([]byte{envelope.Version, 99, 0, 0, 0, 'x'}) // of a later version of this one
	deliver(encode(&envelope.Envelope{Kind: envelope.Receipt, ID: envelope.ID{Sender: []byte("bob/tv"), Incarnation: 1, Number: 2},
		State: envelope.Refused, User: []byte("alice"), Code: codec.NackRefused}))
	n.wantEnds("refused code 1010", "refused code 1010", "acknowledged code 0", "acknowledged code 0")
	if r := <-receipts; r.To != "alice" || r.State != envelope.Refused || r.Code != codec.NackRefused || r.ID.Number != 2 {
		t.Errorf("%+v", r)
	}
}
