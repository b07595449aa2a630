package messaging_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// A node that asks for more than there can be, or for less than nothing, is answered a page.
func TestQuestionsWithoutMeaningAreAnswered(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		w.nodes[1].join("bob")
		for what := range uint64(16) {
			for i, limit := range []int{math.MinInt, -5, 0, math.MaxInt} {
				m := between.Message{Kind: between.Ask, Token: what<<8 | uint64(i), Code: what, Body: fmt.Appendf(nil, `{"question":1,"room":"tea","user":"bob","limit":%d}`, limit)}
				if err := w.peers[0].Send("b", between.Append(nil, &m)); err != nil {
					t.Fatal(err)
				}
				w.advance(0)
			}
		}
		if p, err := w.nodes[0].hub.Users(w.t.Context(), "", "", math.MaxInt); err != nil || len(p.Names) != 1 {
			t.Errorf("got %+v, %v", p, err)
		}
	})
}

// A node of another version is logged once, not for each message.
func TestWhatCannotBeReadIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	inTown(t, 2, messaging.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(w *town) {
		for range 10 {
			if err := w.peers[0].Send("b", []byte{between.Version + 1, 1}); err != nil {
				t.Fatal(err)
			}
		}
		w.advance(0)
	})
	if n := strings.Count(log.String(), "cannot be read"); n != 1 {
		t.Errorf("it is logged %d times", n)
	}
}

// What no version of a hub says does no harm.
func FuzzHeard(f *testing.F) {
	for kind := range 80 {
		f.Add(uint8(kind), uint64(1), uint64(math.MaxUint64), []byte("tea"), []byte{3, 't', 'e', 'a', 1, 1, 1}, uint8(1))
	}
	f.Fuzz(func(t *testing.T, kind uint8, a, b uint64, text, list []byte, result uint8) {
		inTown(t, 2, messaging.Config{OpenPresence: true}, func(w *town) {
			w.nodes[1].join("tea")
			m := between.Message{Kind: between.Kind(kind), Token: a, User: text, Room: text, Device: text, Reason: text, Body: list, List: list,
				Result: uint64(result), Code: b, Stamp: b, Due: b, Until: a, Epoch: a, Offset: b}
			if err := w.peers[0].Send("b", between.Append(nil, &m)); err != nil {
				t.Fatal(err)
			}
			w.advance(0)
		})
	})
}
