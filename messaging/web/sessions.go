package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// session is one connection of a client.
type session struct {
	Session   string    `json:"session"` // its name on this node, in this run
	Client    string    `json:"client"`
	User      string    `json:"user"`
	Address   string    `json:"address"`
	Transport string    `json:"transport"`
	Since     time.Time `json:"since"`
	LastRead  time.Time `json:"last_read"`
	Queued    int       `json:"queued_bytes"` // that wait for it in the node
	Moving    bool      `json:"moving"`       // it was told to go elsewhere
}

func sessionOf(s *server.Session) session {
	return session{
		Session: s.Ref().SessionID().String(), Client: s.ID(), User: s.User(), Address: addressOf(s), Transport: string(s.Transport()),
		Since: jsonTime(s.Since()), LastRead: jsonTime(s.LastRead()), Queued: s.Queued(), Moving: s.Draining(),
	}
}

// addressOf is empty where the client has none.
func addressOf(s *server.Session) string {
	if addr := s.Addr(); addr.IsValid() {
		return addr.String()
	}
	return ""
}

// jsonTime is a time as answers have it.
func jsonTime(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// sessionPage is a page of sessions.
type sessionPage struct {
	Sessions []session `json:"sessions"`
	After    string    `json:"after,omitempty"` // where the next page begins
}

func (c *call) listSessions() reply {
	name, limit, err := c.page(sessionList)
	if err != nil {
		return c.failed(err)
	}
	var after server.Ref
	if name != "" {
		if after, err = c.ref(name); err != nil {
			return badCursor().reply()
		}
	}
	found := make(chan session, limit) // visits may go on when nobody waits any more
	last, more, err := c.node.Sessions(c.ctx, after, limit, func(s *server.Session) { found <- sessionOf(s) })
	switch {
	case errors.Is(err, server.ErrNode):
		return badCursor().reply()
	case err != nil:
		return c.failed(err)
	}
	page := sessionPage{Sessions: make([]session, 0, len(found))}
	for range len(found) {
		page.Sessions = append(page.Sessions, <-found)
	}
	if more {
		page.After = cursor(sessionList, last.SessionID().String())
	}
	return answered(http.StatusOK, page)
}

// ref is the session of a name that an answer has told.
func (c *call) ref(name string) (server.Ref, error) {
	return server.ParseRef(c.node.Node() + "/" + name)
}

// look describes a session.
func (c *call) look(ctx context.Context, ref server.Ref) (session, error) {
	found := make(chan session, 1)
	if err := c.node.Visit(ctx, ref, func(s *server.Session) { found <- sessionOf(s) }); err != nil {
		return session{}, err
	}
	return <-found, nil
}

func (c *call) showSession() reply {
	ref, err := c.named()
	if err != nil {
		return c.failed(err)
	}
	s, err := c.look(c.ctx, ref)
	if err != nil {
		return c.failed(asNoSession(err))
	}
	return answered(http.StatusOK, s)
}

// named is the session that the path names.
func (c *call) named() (server.Ref, error) {
	ref, err := c.ref(c.names["session"])
	if err != nil || ref.IsZero() {
		return ref, noSession()
	}
	return ref, nil
}

func noSession() *Error {
	return failure(codeNoSession, "The node has no such session: it has ended, or never was.")
}

// asNoSession is an error about one session. Where the node has ended all of them have.
func asNoSession(err error) error {
	if errors.Is(err, server.ErrClosed) || errors.Is(err, server.ErrNode) {
		return noSession()
	}
	return err
}

// told is the answer to who has sessions told something.
type told struct {
	Sessions int `json:"sessions"` // how many
}

// kick is the body of a request that ends sessions. Its members are those of server.Close.
type kick struct {
	Code       uint16   `json:"code"`
	Reason     string   `json:"reason"`
	Delay      string   `json:"delay"`
	Window     string   `json:"window"`
	Alternates []string `json:"alternates"`
}

// kicking reads what sessions are to be told that end.
func (c *call) kicking() (how server.Close, err error) {
	var k kick
	if _, err := c.read(&k); err != nil {
		return how, err
	}
	how = server.Close{Code: codec.Code(k.Code), Reason: k.Reason, Alternates: k.Alternates}
	for _, f := range []struct {
		name, text string
		field      *time.Duration
	}{{"delay", k.Delay, &how.Delay}, {"window", k.Window, &how.Window}} {
		if f.text == "" {
			continue
		}
		if *f.field, err = time.ParseDuration(f.text); err != nil {
			return how, failure(codeBadRequest, "The member %s is a time as in 90s or 24h, not %.40q.", f.name, f.text)
		}
	}
	return how, nil
}

// moving reads where sessions are to go; nil: to the node's own alternates.
func (c *call) moving() (to []string, err error) {
	var m struct {
		To []string `json:"to"`
	}
	if _, err := c.read(&m); err != nil || len(m.To) == 0 {
		return nil, err
	}
	return m.To, nil
}

// telling finds out whether tell makes sense, by a session that cannot be.
func (c *call) telling(tell func(server.Ref) error) (func(server.Ref) error, error) {
	if err := tell(server.Ref{}); !errors.Is(err, server.ErrNode) && !errors.Is(err, server.ErrClosed) {
		return nil, err
	}
	return tell, nil
}

func (c *call) kickSession() reply {
	return c.tellSession(func() (func(server.Ref) error, error) {
		how, err := c.kicking()
		if err != nil {
			return nil, err
		}
		return c.telling(func(ref server.Ref) error { return c.node.Close(ref, how) })
	})
}

func (c *call) moveSession() reply {
	return c.tellSession(func() (func(server.Ref) error, error) {
		to, err := c.moving()
		if err != nil {
			return nil, err
		}
		return c.telling(func(ref server.Ref) error { return c.node.Move(ref, to) })
	})
}

func (c *call) kickUser() reply {
	how, err := c.kicking()
	if err != nil {
		return c.failed(err)
	}
	return c.toldUser(c.hub.CloseUser(c.ctx, c.names["user"], how))
}

func (c *call) moveUser() reply {
	to, err := c.moving()
	if err != nil {
		return c.failed(err)
	}
	return c.toldUser(c.hub.MoveUser(c.ctx, c.names["user"], to))
}

func (c *call) tellSession(read func() (func(server.Ref) error, error)) reply {
	tell, err := read()
	if err != nil {
		return c.failed(err)
	}
	ref, err := c.named()
	if err == nil {
		err = asNoSession(tell(ref))
	}
	if err != nil {
		return c.failed(err)
	}
	return answered(http.StatusOK, told{1})
}

// toldUser is the answer about all sessions of a user.
func (c *call) toldUser(sessions int, err error) reply {
	if err != nil {
		return c.failed(err)
	}
	return answered(http.StatusOK, told{sessions})
}
