package messaging

import (
	"context"
	"errors"
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
	defer h.calls.end(m.Token)
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
