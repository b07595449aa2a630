package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
)

// listener is a back end without a socket that hears events.
type listener struct {
	answer func(try int) (status int, after string) // nil: takes all
	err    error                                    // it is not there
	hangs  bool                                     // it says nothing until hang is closed
	hang   chan struct{}

	tries  int
	at     []time.Time // of the tries
	ids    []string
	bodies []string
	heard  []string // what it has taken: seq, type and user
	last   batch
}

func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	l.tries++
	l.at, l.ids, l.bodies = append(l.at, time.Now()), append(l.ids, r.Header.Get(headerID)), append(l.bodies, string(body))
	if l.hang != nil {
		select {
		case <-l.hang:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if l.err != nil {
		return nil, l.err
	}
	resp := &http.Response{StatusCode: 200, Header: make(http.Header), Body: io.NopCloser(strings.NewReader("ignored"))}
	if l.answer != nil {
		var after string
		if resp.StatusCode, after = l.answer(l.tries); after != "" {
			resp.Header.Set("Retry-After", after)
		}
	}
	if resp.StatusCode == 200 {
		l.take(body)
	}
	return resp, nil
}

func (l *listener) take(body []byte) {
	var call struct{ Data batch }
	_ = json.Unmarshal(body, &call)
	l.last = call.Data
	for _, raw := range call.Data.Events {
		var e struct {
			Seq        uint64
			Type, User string
		}
		_ = json.Unmarshal(raw, &e)
		l.heard = append(l.heard, strings.TrimSpace(fmt.Sprint(e.Seq, " ", e.Type, " ", e.User)))
	}
}

var allEvents = []messaging.EventKind{messaging.EventOnline, messaging.EventOffline, messaging.EventUndelivered,
	messaging.EventDelivered, messaging.EventRefused, messaging.EventExpired}

// inBubble runs a test with a back end that hears by l, on a clock of its own.
func inBubble(t *testing.T, l *listener, cfg Config, test func(b *BackEnd)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.URL = "http://localhost/"
		if l.hangs {
			l.hang = make(chan struct{}) // of the bubble
		}
		if cfg.Events == nil {
			cfg.Events = allEvents
		}
		b, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		b.reports.http.Transport = l
		test(b)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = b.Close(ctx)
	})
}

// pass lets time pass, and all that is then done be seen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func online(b *BackEnd, user string) {
	b.Event(messaging.Event{Kind: messaging.EventOnline, At: time.Now(), User: user, Device: user})
}

func (l *listener) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(l.heard, want) {
		t.Fatalf("it heard %q, want %q", l.heard, want)
	}
}

func TestEventsAreTriedAgainInTheirOrderUntilTheyAreTaken(t *testing.T) {
	l := &listener{answer: func(try int) (int, string) {
		if try <= 12 {
			return 500, ""
		}
		return 200, ""
	}}
	inBubble(t, l, Config{}, func(b *BackEnd) {
		online(b, "a")
		b.Start("edge-1")
		synctest.Wait()
		online(b, "b")
		pass(10 * time.Minute)
		l.want(t, "1 node_started", "2 online a", "3 online b")
		if l.tries != 14 || len(slices.Compact(slices.Clone(l.bodies))) != 2 || len(slices.Compact(slices.Clone(l.ids))) != 2 {
			t.Errorf("%d tries of %q", l.tries, l.bodies)
		}
		for i := 1; i <= 12; i++ {
			full := min(firstBackoff<<(i-1), lastBackoff)
			if gap := l.at[i].Sub(l.at[i-1]); gap < full/2 || gap > full {
				t.Errorf("try %d came after %v, want %v to %v", i+1, gap, full/2, full)
			}
		}
		if st := b.Stats().Events; st.Sent != 3 || st.Batches != 2 || st.Retries != 12 || st.Queued != 0 || st.Bytes != 0 || st.Dropped != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestBackoffIsJitteredAndBounded(t *testing.T) {
	for _, c := range []struct {
		tries  int
		chance float64
		want   time.Duration
	}{{1, 0, firstBackoff}, {1, 1, firstBackoff / 2}, {2, 0, 2 * firstBackoff}, {7, 0, lastBackoff}, {1000, 0, lastBackoff}, {1000, 1, lastBackoff / 2}} {
		if got := backoff(c.tries, c.chance); got != c.want {
			t.Errorf("backoff(%d, %v) = %v, want %v", c.tries, c.chance, got, c.want)
		}
	}
}

func TestABackEndThatSaysWhenIsNotAskedSooner(t *testing.T) {
	l := &listener{answer: func(try int) (int, string) {
		if try == 1 {
			return 503, "120"
		}
		return 200, ""
	}}
	inBubble(t, l, Config{}, func(b *BackEnd) {
		b.Start("")
		pass(10 * time.Minute)
		if gap := l.at[1].Sub(l.at[0]); gap != 2*time.Minute {
			t.Errorf("asked again after %v", gap)
		}
	})
	if got := retryAfter(http.Header{"Retry-After": {"86400"}}); got != maxRetryAfter {
		t.Errorf("a day is %v, want %v", got, maxRetryAfter)
	}
	if got := retryAfter(http.Header{"Retry-After": {"Fri, 31 Dec 1999 23:59:59 GMT"}}); got != 0 {
		t.Errorf("a date is %v", got)
	}
}

func TestTheOldestEventsAreDroppedAndTheBackEndIsToldSo(t *testing.T) {
	l := &listener{hangs: true}
	inBubble(t, l, Config{MaxQueued: 3}, func(b *BackEnd) {
		b.Start("")
		synctest.Wait() // node_started is under way
		for _, user := range []string{"a", "b", "c", "d", "e"} {
			online(b, user)
		}
		if st := b.Stats().Events; st.Queued != 4 || st.Dropped != 2 {
			t.Errorf("%+v, want three that wait, one under way and two dropped", st)
		}
		close(l.hang)
		synctest.Wait()
		l.want(t, "1 node_started", "4 online c", "5 online d", "6 online e")
		if l.last.Dropped != 2 || l.last.Boot != b.boot || len(b.boot) != 16 {
			t.Errorf("told %+v", l.last)
		}
	})
}

func TestWaitingEventsAreBoundedInBytes(t *testing.T) {
	l := &listener{hangs: true}
	inBubble(t, l, Config{MaxQueuedBytes: 64 << 10}, func(b *BackEnd) {
		b.Start("")
		synctest.Wait()
		for range 1000 {
			b.Event(messaging.Event{Kind: messaging.EventUndelivered, User: "a", Content: bytes.Repeat([]byte("x"), maxEventContent)})
		}
		if st := b.Stats().Events; st.Bytes > 64<<10 || st.Queued < 10 || st.Dropped != uint64(1001-st.Queued) {
			t.Errorf("%+v", st)
		}
	})
}

func TestABatchIsBounded(t *testing.T) {
	l := &listener{hangs: true}
	inBubble(t, l, Config{}, func(b *BackEnd) {
		b.Start("")
		synctest.Wait()
		for range 1000 {
			online(b, "a")
		}
		for range 200 {
			b.Event(messaging.Event{Kind: messaging.EventUndelivered, User: "a", Content: bytes.Repeat([]byte("x"), maxEventContent)})
		}
		close(l.hang)
		synctest.Wait()
		if len(l.heard) != 1201 {
			t.Errorf("it heard %d events, want 1201", len(l.heard))
		}
		for _, body := range l.bodies {
			if n := strings.Count(body, `"seq"`); n > maxBatchEvents || len(body) > maxBatchBytes+16<<10 {
				t.Errorf("a batch of %d events and %d bytes", n, len(body))
			}
		}
	})
}

// A batch that the back end cannot read holds up the others for a while, and not for ever.
func TestABatchThatCannotBeReadIsDroppedInTheEnd(t *testing.T) {
	l := &listener{answer: func(try int) (int, string) {
		if try <= maxUnreadable {
			return 422, ""
		}
		return 200, ""
	}}
	var log bytes.Buffer
	inBubble(t, l, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(b *BackEnd) {
		b.Start("")
		synctest.Wait()
		online(b, "a")
		pass(time.Hour)
		l.want(t, "2 online a")
		if l.last.Dropped != 1 || b.Stats().Events.Dropped != 1 {
			t.Errorf("told %+v", l.last)
		}
	})
	if !strings.Contains(log.String(), "cannot read a batch") {
		t.Errorf("log %q", log.String())
	}
}

func TestCloseTellsWhatWaits(t *testing.T) {
	l := &listener{err: errors.New("not there")}
	inBubble(t, l, Config{}, func(b *BackEnd) {
		b.Start("")
		online(b, "a")
		pass(10 * time.Minute) // the next try is half a minute away
		l.err = nil
		began := time.Now()
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > closeBackoff {
			t.Errorf("Close took %v", took)
		}
		l.want(t, "1 node_started", "2 online a", "3 node_stopped")
		online(b, "late")
		if err := b.Close(context.Background()); err != nil || b.Stats().Events.Dropped != 1 {
			t.Errorf("closed again: %v, %+v", err, b.Stats().Events)
		}
	})
}

// A node may end just when all was told.
func TestCloseTellsThatTheNodeStopsWheneverThatIs(t *testing.T) {
	for range 1000 {
		b, err := New(Config{URL: "http://localhost/", Events: allEvents})
		if err != nil {
			t.Fatal(err)
		}
		l := &listener{}
		b.reports.http.Transport = l
		b.Start("")
		for i := 1; b.Stats().Events.Queued > 0; i++ {
			if i%1000 == 0 {
				runtime.Gosched()
			}
		}
		if err := b.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		l.want(t, "1 node_started", "2 node_stopped")
	}
}

func TestCloseWaitsNoLongerThanItMayAndSaysWhatIsLost(t *testing.T) {
	l := &listener{hangs: true}
	inBubble(t, l, Config{}, func(b *BackEnd) {
		b.Start("")
		synctest.Wait()
		online(b, "a")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := b.Close(ctx); err == nil || !strings.Contains(err.Error(), "3 events were not told") {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestEventsThatNobodyWantsAreNotTold(t *testing.T) {
	l := new(listener)
	inBubble(t, l, Config{Events: []messaging.EventKind{messaging.EventOffline}}, func(b *BackEnd) {
		b.Start("")
		online(b, "a")
		b.Event(messaging.Event{Kind: messaging.EventOffline, At: time.Now(), User: "b"})
		synctest.Wait()
		l.want(t, "1 node_started", "2 offline b")
	})
	l = new(listener)
	inBubble(t, l, Config{Events: []messaging.EventKind{}}, func(b *BackEnd) {
		b.Start("")
		online(b, "a")
		if err := b.Close(context.Background()); err != nil || l.tries != 0 {
			t.Errorf("%v, %d calls", err, l.tries)
		}
	})
}

func TestALargeContentIsLeftOut(t *testing.T) {
	small := eventOf(messaging.Event{Kind: messaging.EventUndelivered, Content: make([]byte, maxEventContent)})
	large := eventOf(messaging.Event{Kind: messaging.EventUndelivered, Content: make([]byte, maxEventContent+1)})
	if small.content == nil || large.content != nil || *large.Size != maxEventContent+1 {
		t.Errorf("%+v and %+v", small, large)
	}
}
