package messaging

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
	"github.com/stormwheel/stormwheel/server"
)

// kickTime is how long other nodes may take to say how many sessions they have told.
const kickTime = time.Second

// CloseUser ends all sessions of a user, on all nodes, and returns how many were told. It waits for other nodes, for a second at most: not
// to be called from a handler. Errors: ErrName, ErrNotStarted, ErrClosed, ErrPartial, ctx's, and those of
// server.Server.Close that how has.
func (h *Hub) CloseUser(ctx context.Context, user string, how server.Close) (sessions int, err error) {
	m := between.Message{Kind: between.Kick, Code: uint64(how.Code), Reason: []byte(how.Reason), Result: between.Ends,
		Due: uint64(how.Delay.Milliseconds()), Until: uint64(how.Window.Milliseconds()), List: between.AppendNames(nil, how.Alternates)}
	return h.kick(ctx, user, &m, func(srv *server.Server, to server.Ref) error { return srv.Close(to, how) })
}

// MoveUser has all sessions of a user move to one of the addresses, nil for the nodes' own alternates, as
// server.Server.Move does; else it is as CloseUser.
func (h *Hub) MoveUser(ctx context.Context, user string, to []string) (sessions int, err error) {
	m := between.Message{Kind: between.Kick, Result: between.Moves, List: between.AppendNames(nil, to)}
	return h.kick(ctx, user, &m, func(srv *server.Server, ref server.Ref) error { return srv.Move(ref, to) })
}

func (h *Hub) kick(ctx context.Context, user string, m *between.Message, tell func(*server.Server, server.Ref) error) (int, error) {
	srv, err := h.ready()
	if err != nil {
		return 0, err
	}
	if !ValidUser(user) {
		return 0, ErrName
	}
	if err := tell(srv, server.Ref{}); !errors.Is(err, server.ErrNode) && !errors.Is(err, server.ErrClosed) {
		return 0, err // it makes no sense for any session
	}
	m.User = []byte(user)
	answers, partial := h.callAll(m)
	n := h.kickHere(user, func(to server.Ref) error { return tell(srv, to) })
	said, err := h.answers(ctx, answers, kickTime)
	for _, a := range said {
		n += int(a.Due)
	}
	if err == nil && partial {
		err = ErrPartial
	}
	return n, err
}

// kickHere tells the sessions on this node, and returns how many took it.
func (h *Hub) kickHere(user string, tell func(server.Ref) error) (n int) {
	sh := h.shardOf(user)
	sh.mu.Lock()
	var refs []server.Ref
	if u := sh.users[user]; u != nil {
		for _, d := range u.devices {
			refs = append(refs, d.ref)
		}
	}
	sh.mu.Unlock()
	for _, to := range refs {
		if tell(to) == nil {
			n++
		}
	}
	return n
}

// kickedHere is KICK.
func (h *Hub) kickedHere(node string, m *between.Message) {
	srv := h.srv.Load()
	var names []string
	for name, rest, ok := between.NextName(m.List); ok; name, rest, ok = between.NextName(rest) {
		names = append(names, string(name))
	}
	tell := func(to server.Ref) error { return srv.Move(to, names) }
	if m.Result == between.Ends {
		how := server.Close{Code: codec.Code(m.Code), Reason: string(m.Reason), Alternates: names,
			Delay: time.Duration(m.Due) * time.Millisecond, Window: time.Duration(m.Until) * time.Millisecond}
		tell = func(to server.Ref) error { return srv.Close(to, how) }
	}
	n := h.kickHere(string(m.User), tell)
	_ = h.tellPeer(node, &between.Message{Kind: between.Kicked, Token: m.Token, Due: uint64(n)})
}

// calls are questions to other nodes for whose answers somebody waits.
type calls struct {
	mu sync.Mutex
	of map[uint64]*call // by token
}

// call is one of them.
type call struct {
	token uint64
	said  chan between.Message // has room for all answers; they have numbers and results only
}

// callAll asks all other nodes. The call has room for as many answers as there will be; partial: a node
// could not be asked. Whoever calls ends it.
func (h *Hub) callAll(m *between.Message) (c *call, partial bool) {
	if h.cfg.Peers == nil {
		return &call{}, false
	}
	live := h.cfg.Peers.Live()
	c = &call{token: h.token.Add(1), said: make(chan between.Message, max(0, len(live)-1))}
	h.calls.begin(c)
	m.Token = c.token
	for _, node := range live {
		if node != h.cfg.Peers.Node() && h.tellPeer(node, m) != nil {
			partial = true
		}
	}
	return c, partial
}

// answers waits until all have answered, and ends the call. Errors: ErrPartial, ErrClosed, and ctx's.
func (h *Hub) answers(ctx context.Context, c *call, most time.Duration) (all []between.Message, err error) {
	defer h.calls.end(c)
	timeout := time.NewTimer(most)
	defer timeout.Stop()
	for len(all) < cap(c.said) {
		select {
		case a := <-c.said:
			all = append(all, a)
		case <-timeout.C:
			return all, ErrPartial
		case <-ctx.Done():
			return all, ctx.Err()
		case <-h.ctx.Done():
			return all, ErrClosed
		}
	}
	return all, nil
}

func (l *calls) begin(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = make(map[uint64]*call)
	}
	l.of[c.token] = c
}

func (l *calls) end(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.of, c.token)
}

// answeredThere is KICKED, and HANDED.
func (h *Hub) answeredThere(_ string, m *between.Message) {
	h.calls.mu.Lock()
	c := h.calls.of[m.Token]
	h.calls.mu.Unlock()
	if c == nil {
		return
	}
	select {
	case c.said <- between.Message{Kind: m.Kind, Due: m.Due, Result: m.Result, Code: m.Code, Reason: append([]byte(nil), m.Reason...)}:
	default: // one too many
	}
}
