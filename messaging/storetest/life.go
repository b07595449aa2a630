package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
)

func badRecords(t *rig) {
	t.begin(messaging.Bounds{})
	for name, spoil := range map[string]func(*messaging.Record){
		"no user":      func(r *messaging.Record) { r.User = "" },
		"long user":    func(r *messaging.Record) { r.User = strings.Repeat("x", 129) },
		"control":      func(r *messaging.Record) { r.User = "a\x00b" },
		"no text":      func(r *messaging.Record) { r.User = "\xff" },
		"no Put":       func(r *messaging.Record) { r.Put = time.Time{} },
		"no Expires":   func(r *messaging.Record) { r.Expires = time.Time{} },
		"early Due":    func(r *messaging.Record) { r.Due = time.UnixMilli(-5) },
		"large record": func(r *messaging.Record) { r.Body = make([]byte, messaging.MaxRecord+1) },
	} {
		bad := rec("bob", "bad")
		spoil(&bad)
		if err := t.s.Put(t.Context(), []messaging.Record{rec("alice", "good"), bad}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	t.wantSays("queue", t.queue("alice", 10))
	if err := t.s.Put(t.Context(), nil); err != nil {
		t.Errorf("Put of nothing: %v", err)
	}
}

func contextEnded(t *rig) {
	t.begin(messaging.Bounds{})
	k := t.put(rec("alice", "hello"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	t.wantAll(ctx, k, context.Canceled)
	t.wantSays("queue", t.queue("alice", 10), "hello")
}

// wantAll calls every method that has an error.
func (t *rig) wantAll(ctx context.Context, k []messaging.Key, want error) {
	t.Helper()
	_, next := t.s.Next(ctx, "alice", 0, 1)
	_, users := t.s.Users(ctx, "", 1)
	_, due := t.s.Due(ctx, at(1), messaging.Moment{}, 1)
	for name, err := range map[string]error{"Put": t.s.Put(ctx, []messaging.Record{rec("alice", "again")}),
		"Drop": t.s.Drop(ctx, "alice", k), "Next": next, "Users": users, "Due": due} {
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func closedStore(t *rig) {
	t.begin(messaging.Bounds{})
	k := t.put(rec("alice", "hello"))
	var putters sync.WaitGroup
	for i := range 4 { // calls that are under way return
		putters.Go(func() {
			for {
				batch := []messaging.Record{rec(fmt.Sprint("user", i), "x")}
				if err := t.s.Put(context.Background(), batch); err != nil {
					if !errors.Is(err, messaging.ErrStoreClosed) {
						t.Errorf("Put while it closes: %v", err)
					}
					return
				}
			}
		})
	}
	if err := t.s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	putters.Wait()
	if err := t.s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	t.wantAll(context.Background(), k, messaging.ErrStoreClosed)
	t.s.Waiting("alice")
}

func manyAtOnce(t *rig) {
	t.begin(messaging.Bounds{UserRecords: -1})
	const callers, each = 16, 25
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			own := fmt.Sprint("user", c)
			for i := range each {
				batch := []messaging.Record{rec("shared", fmt.Sprintf("%d.%d", c, i)), rec(own, fmt.Sprint(i)), late(own, "late", at(c))}
				if err := t.s.Put(context.Background(), batch); err != nil {
					t.Errorf("Put: %v", err)
					return
				}
				if i%2 == 0 {
					if err := t.s.Drop(context.Background(), own, []messaging.Key{batch[1].Key, batch[2].Key}); err != nil {
						t.Errorf("Drop: %v", err)
					}
				}
				t.s.Waiting("shared")
				if _, err := t.s.Users(context.Background(), "", 10); err != nil {
					t.Errorf("Users: %v", err)
				}
			}
		})
	}
	wg.Wait()
	seen := make(map[int]int) // by caller, how many
	for _, r := range t.queue("shared", 64) {
		var c, i int
		fmt.Sscanf(string(r.Body), "%d.%d", &c, &i)
		if i != seen[c] {
			t.Fatalf("caller %d: %d comes where %d should", c, i, seen[c])
		}
		seen[c]++
	}
	for c := range callers {
		if seen[c] != each {
			t.Errorf("caller %d: %d in the queue, want %d", c, seen[c], each)
		}
		t.wantWaiting(messaging.Waiting{User: fmt.Sprint("user", c), Records: each / 2, Delayed: each / 2,
			Bytes: t.bytesOf(fmt.Sprint("user", c)) + int64(each/2)*size(4), Oldest: at(0)})
	}
}

// bytesOf adds up a queue.
func (t *rig) bytesOf(user string) (n int64) {
	for _, r := range t.queue(user, 100) {
		n += size(len(r.Body))
	}
	return n
}

func openedAgain(t *rig) {
	s := t.begin(messaging.Bounds{})
	if !s.Durable() {
		t.Skip("the store is volatile, and says so")
	}
	k := t.put(rec("alice", "1"), rec("alice", "2"), rec("alice", "3"), late("bob", "later", at(5)), late("bob", "never", at(6)), rec("carol", "x"))
	t.drop("alice", k[0])
	t.drop("bob", k[4])
	t.drop("carol", k[5])
	before := []messaging.Waiting{s.Waiting("alice"), s.Waiting("bob"), s.Waiting("carol")}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.begin(messaging.Bounds{UserRecords: 2})
	for _, w := range before {
		t.wantWaiting(w)
	}
	t.wantSays("queue", t.queue("alice", 10), "2", "3")
	t.wantSays("due", t.due(at(9), 10), "later")
	t.refused(rec("alice", "4"), messaging.ErrQueueFull)
	if again := t.put(rec("carol", "y")); again[0] <= k[5] {
		t.Errorf("key %d after %d", again[0], k[5])
	}
	if got := len(t.users(10)); got != 3 {
		t.Errorf("%d users, want 3", got)
	}
}
