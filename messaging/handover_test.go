package messaging_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// leave has a node leave for good, in the background.
func (w *town) leave(r *rig, most time.Duration) error {
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), most)
		defer cancel()
		ended <- r.hub.Leave(ctx)
	}()
	for range int(most/(100*time.Millisecond)) + 2 {
		w.advance(100 * time.Millisecond)
		select {
		case err := <-ended:
			return err
		default:
		}
	}
	return errors.New("Leave does not return")
}

func TestNodeThatLeavesHandsOverWhatWaits(t *testing.T) {
	inTown(t, 3, messaging.Config{MessageRate: -1}, func(w *town) {
		alice, carol := w.nodes[1].join("alice"), w.nodes[2].join("carol")
		const users, each = 4, 70
		leaver := w.nodes[0]
		for i := range each {
			for u := range users {
				if err := leaver.hub.Push(fmt.Sprint("u", u), messaging.Message{From: "alice", Content: []byte(fmt.Sprint(i))}, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		later := time.Now().Add(time.Hour)
		if err := leaver.hub.Push("u0", messaging.Message{Content: []byte("later"), At: later}, nil); err != nil {
			t.Fatal(err)
		}
		if err := leaver.hub.Push("carol", messaging.Message{From: "alice", Content: []byte("under way")}, nil); err != nil {
			t.Fatal(err)
		}
		w.advance(time.Second)
		if err := w.leave(leaver, 30*time.Second); err != nil {
			t.Fatal(err)
		}
		if st := leaver.hub.Stats(); st.Queued != 0 || st.Storing != 0 {
			t.Errorf("it still has %+v", st)
		}
		if err := leaver.hub.Push("u0", messaging.Message{}, nil); err == nil {
			t.Error("it takes messages")
		}
		w.f.dies("a")
		w.advance(0)
		carol.gets("under way")
		for u := range users {
			p := w.nodes[1+u%2].join(fmt.Sprint("u", u))
			for i := range each {
				p.gets(fmt.Sprint(i))
				w.advance(0)
			}
			p.nothing()
			p.Close()
		}
		u0 := w.nodes[2].join("u0")
		w.advance(2 * time.Hour)
		u0.gets("later")
		w.advance(time.Second)
		receipts := 0
		for alice.take(isDeliver) {
			receipts++
		}
		if receipts < 64 { // they come as far as alice acknowledges
			t.Errorf("%d receipts", receipts)
		}
	})
}

func TestNodeThatLeavesKeepsWhatNobodyTakes(t *testing.T) {
	inTown(t, 1, messaging.Config{}, func(w *town) {
		r := w.nodes[0]
		if err := r.hub.Push("bob", messaging.Message{Content: []byte("a")}, nil); err != nil {
			t.Fatal(err)
		}
		w.advance(time.Second)
		if err := w.leave(r, 10*time.Second); !errors.Is(err, messaging.ErrAlone) {
			t.Errorf("alone: %v", err)
		}
		full := w.add(messaging.Config{}, newFaulty(messaging.Bounds{UserRecords: 1}))
		w.advance(0)
		if err := full.hub.Push("bob", messaging.Message{Content: []byte("b")}, nil); err != nil {
			t.Fatal(err)
		}
		w.advance(time.Second)
		if err := w.leave(r, 10*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("where the other is full: %v", err)
		}
		if st := r.hub.Stats(); st.Queued != 1 {
			t.Errorf("it has %+v", st)
		}
		bob := full.join("bob")
		for want := map[string]bool{"a": true, "b": true}; len(want) > 0; { // of two senders, in any order
			n, e := bob.delivered(envelope.Message)
			if !want[string(e.Content)] {
				t.Fatalf("got %q, want one of %v", e.Content, want)
			}
			delete(want, string(e.Content))
			bob.Client.Ack(n)
			w.advance(time.Second)
		}
		if st := r.hub.Stats(); st.Queued != 0 {
			t.Errorf("it still has %+v", st)
		}
	})
}

// What a device takes while it is handed over is told to its sender by who had it.
func TestReceiptOfWhatIsTakenDuringTheHandover(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice, leaver := w.nodes[1].join("alice"), w.nodes[0]
		if err := leaver.hub.Push("carol", messaging.Message{From: "alice", Content: []byte("a")}, nil); err != nil {
			t.Fatal(err)
		}
		w.advance(time.Second)
		w.f.mu.Lock()
		w.f.deaf = func(string, string) bool { return true } // the leaver does not hear of her
		w.f.mu.Unlock()
		carol := w.nodes[1].join("carol")
		ended := make(chan error, 1)
		go func() { ended <- leaver.hub.Leave(context.Background()) }()
		w.advance(100 * time.Millisecond)
		carol.gets("a")
		w.advance(6 * time.Second) // the receipt is not acknowledged, and handed over as well
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("Leave does not return")
		}
		if _, e := alice.delivered(envelope.Receipt); e.State != envelope.Delivered {
			t.Errorf("got %+v", e)
		}
	})
}
