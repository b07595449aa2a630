package messaging_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

func TestKickReachesAUsersSessionsOnAllNodes(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		all := []*peer{w.nodes[0].join("bob/phone"), w.nodes[1].join("bob/pad"), w.nodes[2].join("bob/laptop")}
		other := w.nodes[1].join("carol")
		w.advance(0)
		n, err := w.nodes[0].hub.CloseUser(w.t.Context(), "bob", server.Close{Code: codec.CodeReplaced, Reason: "out"})
		if n != 3 || err != nil {
			t.Errorf("told %d, %v", n, err)
		}
		w.advance(0)
		for _, p := range all {
			g := p.ExpectGoAway(codec.CodeReplaced)
			if string(g.Reason) != "out" || !p.Ended() {
				t.Errorf("got %+v, ended %v", g, p.Ended())
			}
		}
		if other.Ended() {
			t.Error("another user's session has ended")
		}
		if n, err := w.nodes[0].hub.CloseUser(w.t.Context(), "bob", server.Close{}); n != 0 || err != nil {
			t.Errorf("told %d, %v", n, err)
		}
	})
}

func TestKickTellsThatANodeHasNotAnswered(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		w.nodes[0].join("bob/phone")
		w.nodes[1].join("bob/pad")
		w.advance(0)
		w.f.freeze("c", true)
		began := time.Now()
		n, err := w.nodes[0].hub.CloseUser(w.t.Context(), "bob", server.Close{})
		if n != 2 || !errors.Is(err, messaging.ErrPartial) || time.Since(began) != time.Second {
			t.Errorf("told %d, %v, after %v", n, err, time.Since(began))
		}
	})
}

func TestKickThatMakesNoSenseIsRefused(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		w.nodes[1].join("bob")
		w.advance(0)
		if n, err := w.nodes[0].hub.MoveUser(w.t.Context(), "bob", []string{"no address"}); n != 0 || err == nil {
			t.Errorf("told %d, %v", n, err)
		}
		if _, err := w.nodes[0].hub.CloseUser(w.t.Context(), "bob/phone", server.Close{}); !errors.Is(err, messaging.ErrName) {
			t.Errorf("got %v", err)
		}
		if n, err := w.nodes[0].hub.MoveUser(w.t.Context(), "bob", []string{"127.0.0.1:9"}); n != 1 || err != nil {
			t.Errorf("told %d, %v", n, err)
		}
	})
}
