package messaging

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/server"
)

// Session is one connection of a client, as its node knows it.
type Session struct {
	Ref       server.Ref       `json:"ref"`
	Client    string           `json:"client"`
	User      string           `json:"user"`
	Address   string           `json:"address,omitempty"` // of the client, as far as the node knows; empty: it has none
	Transport server.Transport `json:"transport"`
	Since     time.Time        `json:"since"`
	LastRead  time.Time        `json:"last_read"`        // when the client was last heard of
	Queued    int              `json:"queued,omitempty"` // bytes that wait for it in the node
	Moving    bool             `json:"moving,omitempty"` // it was told to go elsewhere
}

// sessionOf describes a session. On its loop.
func sessionOf(s *server.Session) Session {
	address := ""
	if addr := s.Addr(); addr.IsValid() {
		address = addr.String()
	}
	return Session{Ref: s.Ref(), Client: s.ID(), User: s.User(), Address: address, Transport: s.Transport(),
		Since: s.Since(), LastRead: s.LastRead(), Queued: s.Queued(), Moving: s.Draining()}
}

// SessionPage is a page of sessions.
type SessionPage struct {
	Sessions []Session  `json:"sessions"`
	Last     server.Ref `json:"last"` // the next page begins behind it
	More     bool       `json:"more,omitempty"`
	Partial  bool       `json:"partial,omitempty"` // a node that should be on the page did not answer
}

// Sessions returns up to limit sessions of all nodes, by node and within one as server.Server.Sessions does, from
// behind after on; the zero Ref begins. It waits: not to be called from a handler. Errors: ctx's, ErrNotStarted,
// ErrClosed, and server.ErrNode where after is of an earlier run of a node that is alone.
func (h *Hub) Sessions(ctx context.Context, after server.Ref, limit int) (p SessionPage, err error) {
	if _, err := h.ready(); err != nil {
		return p, err
	}
	limit = max(1, limit)
	if h.cfg.Peers == nil {
		return h.sessionsHere(ctx, after.String(), limit)
	}
	nodes := h.cfg.Peers.Live()
	first, _ := slices.BinarySearch(nodes, after.Node())
	p.Last = after
	for i, node := range nodes[first:] {
		from := ""
		if node == after.Node() {
			from = after.String()
		}
		if len(p.Sessions) == limit {
			p.More = true
			break
		}
		got, silent, err := h.sessionsOf(ctx, node, from, limit-len(p.Sessions))
		if err != nil {
			return p, err
		}
		p.Partial = p.Partial || silent
		p.Sessions = append(p.Sessions, got.Sessions...)
		if len(got.Sessions) > 0 {
			p.Last = got.Last
		}
		if p.More = got.More; p.More || i == len(nodes[first:])-1 {
			break
		}
	}
	return p, nil
}

// sessionsOf is a page of one node.
func (h *Hub) sessionsOf(ctx context.Context, node, after string, limit int) (p SessionPage, silent bool, err error) {
	if node == h.self {
		p, err = h.sessionsHere(ctx, after, limit)
		return p, false, err
	}
	answers, silent, err := h.inquireOf(ctx, []string{node}, inquireSessions, &inquiry{Session: after, Limit: limit})
	broken := merge(answers, func(o *SessionPage) { p = *o })
	return p, silent || broken, err
}

// sessionsHere is a page of this node. In a cluster, one that begins behind a session of an earlier run begins anew.
func (h *Hub) sessionsHere(ctx context.Context, name string, limit int) (p SessionPage, err error) {
	after, err := server.ParseRef(name)
	if err != nil {
		return p, err
	}
	limit = pageLimit(limit)
	srv := h.srv.Load()
	for {
		found := make(chan Session, limit) // visits may go on when nobody waits any more
		p.Last, p.More, err = srv.Sessions(ctx, after, limit, func(s *server.Session) { found <- sessionOf(s) })
		if errors.Is(err, server.ErrNode) && h.cfg.Peers != nil && !after.IsZero() {
			after = server.Ref{}
			continue
		}
		if err == nil {
			for range len(found) {
				p.Sessions = append(p.Sessions, <-found)
			}
		}
		return p, err
	}
}

// Session describes a session of any node, by its name there, as Ref.SessionID().String() has it. Errors: ctx's,
// ErrNotStarted, ErrClosed, ErrNoSession, and ErrPartial: a node that did not answer may have it.
func (h *Hub) Session(ctx context.Context, name string) (s Session, err error) {
	if _, err := h.ready(); err != nil {
		return s, err
	}
	if s, err = h.sessionHere(ctx, name); !errors.Is(err, errNoSuch) {
		return s, err
	}
	found, err := h.ofOne(ctx, inquireSession, &inquiry{Session: name}, func(o *Session) { s = *o })
	return s, noSession(found, err)
}

// ofOne asks all other nodes for what one of them has.
func (h *Hub) ofOne(ctx context.Context, what uint64, about *inquiry, take func(*Session)) (found bool, err error) {
	answers, partial, err := h.inquire(ctx, what, about)
	merge(answers, func(o *Session) { found = true; take(o) })
	if err == nil && !found && partial {
		err = ErrPartial
	}
	return found, err
}

func noSession(found bool, err error) error {
	if err == nil && !found {
		return ErrNoSession
	}
	return err
}

// CloseSession ends a session of any node, as server.Server.Close does. Errors: those of Session, and of Close that
// how has.
func (h *Hub) CloseSession(ctx context.Context, name string, how server.Close) error {
	return h.tellSession(ctx, inquireEnd, &inquiry{Session: name, How: &how})
}

// MoveSession has a session of any node move, as server.Server.Move does; to is nil for its node's own
// alternates. Errors: those of Session, and of Move.
func (h *Hub) MoveSession(ctx context.Context, name string, to []string) error {
	return h.tellSession(ctx, inquireMove, &inquiry{Session: name, To: to})
}

func (h *Hub) tellSession(ctx context.Context, what uint64, about *inquiry) error {
	srv, err := h.ready()
	if err != nil {
		return err
	}
	if err := about.tell(srv, server.Ref{}); !errors.Is(err, server.ErrNode) && !errors.Is(err, server.ErrClosed) {
		return err // it makes no sense for any session
	}
	if _, err := h.tellHere(about.Session, about); !errors.Is(err, errNoSuch) {
		return err
	}
	found, err := h.ofOne(ctx, what, about, func(*Session) {})
	return noSession(found, err)
}

// tell ends or moves a session.
func (about *inquiry) tell(srv *server.Server, ref server.Ref) error {
	if about.How != nil {
		return srv.Close(ref, *about.How)
	}
	return srv.Move(ref, about.To)
}

// tellHere is tell for a session of this node.
func (h *Hub) tellHere(name string, about *inquiry) (s Session, err error) {
	srv := h.srv.Load()
	ref, err := server.ParseRef(srv.Node() + "/" + name)
	if err != nil || ref.IsZero() {
		return s, errNoSuch
	}
	return Session{Ref: ref}, orNoSuch(about.tell(srv, ref))
}

func (h *Hub) sessionHere(ctx context.Context, name string) (s Session, err error) {
	srv := h.srv.Load()
	ref, err := server.ParseRef(srv.Node() + "/" + name)
	if err != nil || ref.IsZero() {
		return s, errNoSuch
	}
	found := make(chan Session, 1)
	if err := srv.Visit(ctx, ref, func(s *server.Session) { found <- sessionOf(s) }); err != nil {
		return s, orNoSuch(err)
	}
	return <-found, nil
}

// orNoSuch is an error about one session. Where the node has ended all of them have.
func orNoSuch(err error) error {
	if errors.Is(err, server.ErrClosed) || errors.Is(err, server.ErrNode) {
		return errNoSuch
	}
	return err
}
