package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// What an Authenticator returns to refuse a client. Any other error is its own trouble:
// the client is told to come again.
var (
	ErrUnauthorized = errors.New("server: token does not admit this client") // the client gives up
	ErrTokenExpired = errors.New("server: token has expired")                // the client asks its token source again
)

// InUseError refuses a client because somebody has a session under its id. It is told to come
// back after Delay: the time until that session can have ended, or a client that crashed would
// lock itself out.
type InUseError struct{ Delay time.Duration }

// Error implements error.
func (e *InUseError) Error() string { return "server: the client's id is in use" }

// An Authenticator decides who may have a session.
type Authenticator interface {
	// Authenticate may block until ctx ends; it runs on one of Config.AuthWorkers
	// goroutines and never on an event loop. A panic, or runtime.Goexit, refuses this client only.
	Authenticate(ctx context.Context, req AuthRequest) (AuthGrant, error)
}

// AuthRequest is what a client presents. Its fields may be kept.
type AuthRequest struct {
	ClientID string
	Token    []byte
	Addr     netip.Addr // as Session.Addr

	// Peer is who is at the other end of a unix socket; nil of all others, and of a Renewal.
	Peer *Peer

	// Incarnation and Attempt are as Session tells them: of two connects of one incarnation, the
	// one with the higher attempt is the newer.
	Incarnation uint64
	Attempt     uint32

	// Renewal: the client has a session, whose grant ends, and this is a new token for it. Of the
	// answer Expires alone counts, and takes the place of what was said before; an error changes
	// nothing, and the session ends when it would have.
	Renewal bool

	// TLS is what the client's handshake told: its certificates, the name that it asked for, the
	// protocol. nil without TLS, and of a Renewal.
	TLS *tls.ConnectionState
}

// AuthGrant is what an admitted client gets.
type AuthGrant struct {
	// Expires ends the session with "token expired" at that time, unless the client renews the grant
	// by a new token before (AuthRequest.Renewal), or the application does (Session.Extend); zero:
	// never. The client is told how long that is, not the time of day.
	Expires time.Time
	// User is whose device the client is: Session.User. Empty: its id up to the first "/".
	// Package messaging takes no user whose name has a "/".
	User string
	// Data is the application's: Session.Data in Opened and after.
	Data any
	// Limits are those of this client, for the whole session; nil: those of Config.
	Limits *Limits
}

// Limits are what one client may send; it is told, and keeps below. Zero means what Config says for
// all, negative no limit.
type Limits struct {
	FrameRate      int // frames a second, four seconds' worth at once; as Config.MaxFrameRate, and may be above it
	ByteRate       int // bytes a second, likewise; as Config.MaxByteRate
	UnsettledBytes int // of messages that are not settled; as Config.UnsettledBytes. A frame of MaxFrame always has room
	MaxFrame       int // bytes of the largest payload that it may send, 8 KiB at least and Config.MaxFrame at most
}

// authJob is one question.
type authJob struct {
	handle uint64
	check  time.Duration // of a renewal; 0: it is none
	req    AuthRequest
	loop   *loop
	until  time.Time // when its client has been told to come again
}

// authPool asks the authenticator on a bounded number of goroutines with a bounded queue.
type authPool struct {
	auth    Authenticator
	timeout time.Duration
	log     *slog.Logger
	jobs    chan authJob
	workers int
	wait    authWait

	failures, panics seldom

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// Whoever is being checked is not in yet, so it takes half of those places at most.
func newAuthPool(cfg *Config, pendingMax int64) *authPool {
	places := max(2, int(pendingMax/2))
	workers := min(cfg.AuthWorkers, places-1)
	p := &authPool{auth: cfg.Auth, timeout: cfg.AuthTimeout, log: cfg.Logger, workers: workers, wait: newAuthWait(cfg.AuthTimeout),
		jobs: make(chan authJob, min(cfg.AuthQueue, places-workers))}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for range workers {
		p.wg.Go(p.work)
	}
	return p
}

// Ask has a client of the loop checked.
func (l *loop) Ask(handle uint64, m *codec.HelloMessage, addr netip.Addr) bool {
	return l.srv.auth.submit(authJob{handle: handle, loop: l, req: AuthRequest{
		ClientID: string(m.ClientID),
		Token:    append([]byte(nil), m.Token...),
		Addr:     addr,

		Incarnation: m.Incarnation,
		Attempt:     m.Attempt,

		Peer: l.peer(reactor.SlotOf(handle)),
		TLS:  l.tlsState(reactor.SlotOf(handle)),
	}})
}

// Renew has the new token of one that is in checked.
func (l *loop) Renew(q reactor.Renewal) bool {
	return l.srv.auth.submit(authJob{handle: q.Handle, check: q.Check, loop: l, req: AuthRequest{
		ClientID: string(q.ClientID),
		Token:    append([]byte(nil), q.Token...),
		Addr:     q.Addr,

		Incarnation: q.From.Incarnation,
		Attempt:     q.From.Attempt,
		Renewal:     true,
	}})
}

// submit queues a job, or says that the queue is full, or too slow. It never blocks. Half of the
// queue is for those alone who are not in yet: renewals have time.
func (p *authPool) submit(j authJob) bool {
	if len(p.jobs) >= p.workers && p.wait.long() || j.check != 0 && len(p.jobs) > cap(p.jobs)/2 {
		return false
	}
	j.until = time.Now().Add(p.timeout)
	p.wait.join(len(p.jobs))
	select {
	case p.jobs <- j:
		return true
	default:
		return false
	}
}

// stop ends the workers; jobs that wait are dropped with their connections. It waits a
// second at most for an authenticator that does not heed its context.
func (p *authPool) stop() {
	p.cancel()
	ended := make(chan struct{})
	go func() {
		p.wg.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(time.Second):
	}
}

func (p *authPool) work() {
	returned := false
	defer func() {
		if !returned {
			p.wg.Go(p.work) // the authenticator has ended this goroutine
		}
	}()
	for {
		select {
		case <-p.ctx.Done():
			returned = true
			return
		case j := <-p.jobs:
			began, ok := p.wait.begin(j.until)
			if !ok {
				continue // its deadline tells it to come again
			}
			p.check(j, began)
		}
	}
}

// check asks the authenticator about one client, who gets an answer even if it never returns.
func (p *authPool) check(j authJob, began time.Time) {
	answer := reactor.Answer{Handle: j.handle, Check: j.check, Why: reactor.ReasonInternal}
	defer func() {
		p.wait.end(began, j.check != 0)
		j.loop.reactor.Mailbox().Answer(answer)
		j.loop.ask()
	}()
	var grant AuthGrant
	grant, answer.Delay, answer.Why = p.ask(j)
	answer.Expires, answer.Grant, answer.Limits = grant.Expires, grant, (*reactor.Limits)(grant.Limits)
}

func (p *authPool) ask(j authJob) (grant AuthGrant, delay time.Duration, why reactor.Reason) {
	ctx, cancel := context.WithDeadline(p.ctx, j.until)
	defer cancel()
	grant, err := p.call(ctx, j.req)
	var inUse *InUseError
	switch {
	case err == nil:
		return grant, 0, reactor.ReasonNone
	case errors.Is(err, ErrTokenExpired):
		return AuthGrant{}, 0, reactor.ReasonTokenExpired
	case errors.Is(err, ErrUnauthorized):
		return AuthGrant{}, 0, reactor.ReasonUnauthorized
	case errors.As(err, &inUse):
		return AuthGrant{}, inUse.Delay, reactor.ReasonInUse
	case errors.Is(err, errAuthPanic):
		return AuthGrant{}, 0, reactor.ReasonInternal
	default:
		if n, log := p.failures.noteCause(time.Now(), err.Error()); log {
			p.log.Warn("authenticator failed; the client is told to come again", slog.Any("err", err), slog.Uint64("failures", n))
		}
		return AuthGrant{}, 0, reactor.ReasonBusy
	}
}

var errAuthPanic = errors.New("server: authenticator panicked")

func (p *authPool) call(ctx context.Context, req AuthRequest) (grant AuthGrant, err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover() // nil after a Goexit, which goes on
		if v == nil {
			v = "runtime.Goexit was called"
		}
		if n, log := p.panics.note(time.Now()); log {
			p.log.Error("authenticator panicked", slog.Any("panic", v), slog.Uint64("panics", n), slog.String("stack", string(debug.Stack())))
		}
		err = fmt.Errorf("%w: %v", errAuthPanic, v)
	}()
	grant, err = p.auth.Authenticate(ctx, req)
	returned = true
	return grant, err
}
