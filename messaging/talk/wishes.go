package talk

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// wish is what is to hold in every session: to be in a room, or to watch a user or a room.
type wish struct {
	watch bool
	user  string
	room  string
}

// wanted is the state of a wish.
type wanted struct {
	over    bool   // it is to end: Leave or Unwatch goes out, then it is forgotten
	asked   string // the session in which it was asked for
	retry   time.Time
	waits   time.Duration     // before the latest retry
	at      envelope.Position // of a room: heard up to here; zero: from now on
	past    uint64            // of a room: the epoch before; the node that a client leaves may still speak of it
	joining bool              // of a room: publications do not count until the node says Joined
}

// The waits after "try later".
const (
	retryMin = time.Second
	retryMax = time.Minute
)

// want adds a wish, or renews one that was to end.
func (t *Talk) want(w wish, at envelope.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.wishes[w]; old == nil || old.over {
		t.wishes[w] = &wanted{at: at, joining: true}
	}
	t.stir()
}

// unwant ends a wish.
func (t *Talk) unwant(w wish) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.wishes[w]; old != nil && !old.over {
		t.wishes[w] = &wanted{over: true}
		t.stir()
	}
}

// stir wakes the goroutine that keeps the wishes.
func (t *Talk) stir() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// stateChange notes a new session: all wishes are asked for anew.
func (t *Talk) stateChange(i client.Info) {
	t.mu.Lock()
	if i.State == client.Ready {
		t.session = i.Node + " " + i.Session
	} else {
		t.session = ""
	}
	t.stir()
	t.mu.Unlock()
	if t.cfg.Client.StateChange != nil {
		t.cfg.Client.StateChange(i)
	}
}

// keepWishes asks for what is wanted and was not asked for in this session.
func (t *Talk) keepWishes(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		w, body, wait := t.nextWish()
		if body != nil {
			t.ask(ctx, w, body)
			if ctx.Err() != nil {
				return
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-timer.C:
		}
	}
}

// nextWish returns what to ask for now; nil if nothing for so long.
func (t *Talk) nextWish() (w wish, body *envelope.Envelope, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait = time.Hour
	if t.session == "" {
		return w, nil, wait
	}
	now := t.cfg.now()
	for w, s := range t.wishes {
		if s.asked == t.session {
			continue
		}
		if left := s.retry.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		s.asked = t.session
		if s.over {
			delete(t.wishes, w)
		}
		return w, w.envelope(s), 0
	}
	return w, nil, wait
}

func (w wish) envelope(s *wanted) *envelope.Envelope {
	e := &envelope.Envelope{User: []byte(w.user), Room: []byte(w.room)}
	switch {
	case w.watch && s.over:
		e.Kind = envelope.Unwatch
	case w.watch:
		e.Kind = envelope.Watch
	case s.over:
		e.Kind = envelope.Leave
	default:
		e.Kind, e.Position = envelope.Join, s.at
	}
	return e
}

// ask sends a wish and hears what becomes of it.
func (t *Talk) ask(ctx context.Context, w wish, body *envelope.Envelope) {
	ends := body.Kind == envelope.Leave || body.Kind == envelope.Unwatch
	t.mu.Lock()
	session := t.session
	t.mu.Unlock()
	_, err := t.send(ctx, body, &sending{tell: func(o Outcome) {
		switch {
		case ends:
		case o.State == Refused:
			t.refused(w, o.Refusal)
		case o.State == Taken && w.watch && w.room == "":
			t.watching(w.user, session)
		}
	}}, false)
	if err != nil && ctx.Err() == nil && !ends { // what no envelope can hold
		t.end(w, Refusal{envelope.CodeMalformed, err.Error()})
	}
}

// refused asks again later, if that may help.
func (t *Talk) refused(w wish, why Refusal) {
	if !why.Code.Again() {
		t.end(w, why)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.wishes[w]; s != nil && !s.over {
		s.waits = min(max(2*s.waits, retryMin), retryMax)
		s.retry = t.cfg.now().Add(s.waits/2 + rand.N(s.waits))
		s.asked = ""
		t.stir()
	}
}

// end forgets a wish that the node does not grant, and tells.
func (t *Talk) end(w wish, why Refusal) {
	t.mu.Lock()
	s := t.wishes[w]
	told := s != nil && !s.over
	if told {
		delete(t.wishes, w)
	}
	t.mu.Unlock()
	switch {
	case !told:
	case w.watch && t.cfg.Unwatched != nil:
		t.cfg.Unwatched(w.user, w.room, why)
	case !w.watch && t.cfg.Left != nil:
		t.cfg.Left(w.room, why)
	}
}
