package messaging

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// Policy decides what a client may do: nil allows it, a *Refusal refuses it with its code, and any
// other error, or one that comes too late, has the client told to try later. It runs on one of
// Config.PolicyWorkers goroutines and may block until ctx ends. What a client asks is decided at the
// same time and done in its order.
type Policy func(ctx context.Context, q Request) error

// Request is what a client wants to do. It may be kept.
type Request struct {
	Client string // its id
	User   string // whose device it is
	Data   any    // AuthGrant.Data

	Kind    envelope.Kind     // ToUser, ToRoom, Join, Watch or Ask
	ToUser  string            // of ToUser, Watch, and an Ask about devices
	Room    string            // of ToRoom, Join, Watch, and an Ask about members
	Member  bool              // it is in Room now
	Ask     envelope.Question // of Ask
	At      time.Time         // of ToUser: deliver not before
	Content []byte            // of ToUser and ToRoom
}

// asked is something that a client wants to do and that the policy has not decided, or that waits for
// something before it. Its envelope and body are the hub's.
type asked struct {
	d      *device
	number uint64
	reply  bool
	e      envelope.Envelope
	q      Request
	at     time.Duration // since the hub was made

	plain   bool          // it is decided by default, when it is its turn
	began   time.Duration // when it began to wait for another node; 0: it has not
	decided bool          // guarded by the shard's lock
	verdict error         // with decided
}

// policyPool brings questions to the workers.
type policyPool struct {
	tasks chan *asked
	calls atomic.Int64 // of Policy that have not returned, those that nobody waits for included

	undecided undecided
}

// undecided has the log say at most once a second that the policy does not decide.
type undecided struct {
	mu    sync.Mutex
	next  time.Duration // no line before
	calls int           // since the last line
}

func (l *undecided) note(h *Hub, client string, err error) {
	l.mu.Lock()
	l.calls++
	calls, now := l.calls, h.since()
	if now < l.next {
		l.mu.Unlock()
		return
	}
	l.next, l.calls = now+time.Second, 0
	l.mu.Unlock()
	h.cfg.Logger.Warn("the policy has not decided", "calls", calls, "client", client, "error", err)
}

// maxAsked is how many questions of one session may be with the policy, beyond what the server's window
// allows.
const maxAsked = 256

// byDefault is the policy of a hub without one. On the session's loop.
func (h *Hub) byDefault(q *Request) error {
	switch {
	case q.Kind == envelope.ToUser, q.Kind == envelope.ToRoom, q.Kind == envelope.Join, ends(q.Kind), h.cfg.OpenPresence, q.Member:
		return nil
	case q.Room != "":
		return refuseStranger
	case q.ToUser == q.User && q.ToUser != "":
		return nil // his own devices
	}
	return refuseForbidden
}

// ends tells whether a client wants less than it has, about which there is nothing to decide.
func ends(kind envelope.Kind) bool { return kind == envelope.Leave || kind == envelope.Unwatch }

// decides tells whether there is a policy for what clients ask so.
func (h *Hub) decides(kind envelope.Kind) bool {
	return h.cfg.Policy != nil && !ends(kind) && (len(h.cfg.PolicyKinds) == 0 || slices.Contains(h.cfg.PolicyKinds, kind))
}

// waits tells whether a client asked something that is not done yet. On the session's loop.
func (h *Hub) waits(d *device) bool {
	sh := d.user.sh
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return len(d.asked)+len(d.ready) > 0
}

// askPolicy has the policy decide, if that is its to do, and the client's order be kept. On the session's
// loop.
func (h *Hub) askPolicy(a *asked, decides bool) {
	sh := a.d.user.sh
	sh.mu.Lock()
	defer sh.unlock()
	if len(a.d.asked) >= maxAsked {
		h.refuse(a.d.from(), a.number, refuseBusy)
		return
	}
	a.d.asked = append(a.d.asked, a)
	if !decides {
		a.decided, a.plain = true, true
		h.release(a.d)
		return
	}
	select {
	case h.policy.tasks <- a:
	default:
		a.decided, a.verdict = true, refuseBusy
		h.release(a.d)
	}
}

func (h *Hub) policyWorker() {
	for {
		select {
		case a := <-h.policy.tasks:
			h.decide(a)
		case <-h.ctx.Done():
			return
		}
	}
}

// decide asks the policy, and does what is decided, in the order in which the client has asked.
func (h *Hub) decide(a *asked) {
	verdict := error(refuseUndecided)
	if left := h.cfg.PolicyTimeout - (h.since() - a.at); left > 0 {
		verdict = h.consult(a, left)
	}
	sh := a.d.user.sh
	sh.mu.Lock()
	a.decided, a.verdict = true, verdict
	h.release(a.d)
	sh.unlock()
}

// consult calls the policy, which it does not wait for longer than it may.
func (h *Hub) consult(a *asked, left time.Duration) error {
	if h.policy.calls.Add(1) > 4*int64(h.cfg.PolicyWorkers) { // it does not return when its time is over
		h.policy.calls.Add(-1)
		return refuseUndecided
	}
	ctx, cancel := context.WithTimeout(h.ctx, left)
	defer cancel()
	answer := make(chan error, 1)
	go func() {
		defer func() {
			h.policy.calls.Add(-1)
			if p := recover(); p != nil {
				answer <- fmt.Errorf("the policy panicked: %v", p)
			}
		}()
		answer <- h.cfg.Policy(ctx, a.q)
	}()
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		err = ctx.Err()
	}
	var refusal *Refusal
	if err == nil || errors.As(err, &refusal) && refusal != nil {
		if refusal != nil {
			return refusal
		}
		return nil
	}
	h.policy.undecided.note(h, a.d.id, err)
	return refuseUndecided
}

// release has the session's loop do what is decided of what its client asked. With the shard's lock
// held, so that the order is that of the client.
func (h *Hub) release(d *device) {
	n := 0
	for n < len(d.asked) && d.asked[n].decided {
		n++
	}
	if n == 0 {
		return
	}
	d.ready = append(d.ready, d.asked[:n]...)
	if d.asked = slices.Delete(d.asked, 0, n); len(d.asked) == 0 {
		d.asked = nil
	}
	if d.gone || h.srv.Load().Do(d.ref, func(s *server.Session) { h.doReady(s, d) }) != nil {
		d.giveUp()
	}
}

// doReady does what the policy has decided. On the session's loop.
func (h *Hub) doReady(s *server.Session, d *device) {
	sh := d.user.sh
	sh.mu.Lock()
	ready := d.ready
	d.ready = nil
	sh.mu.Unlock()
	for _, a := range ready {
		if !h.stalls(d, a) {
			h.run(s, a)
		}
	}
}

// giveUp has what is decided be done without the session. With the shard's lock held.
func (d *device) giveUp() {
	d.user.sh.undone = append(d.user.sh.undone, d.ready...)
	d.ready = nil
}
