package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// session is one connection of a client.
type session struct {
	Session   string    `json:"session"` // its name, on all nodes and for ever
	Node      string    `json:"node"`    // where it is
	Client    string    `json:"client"`
	User      string    `json:"user"`
	Address   string    `json:"address"`
	Transport string    `json:"transport"`
	Since     time.Time `json:"since"`
	LastRead  time.Time `json:"last_read"`
	Queued    int       `json:"queued_bytes"` // that wait for it in the node
	Moving    bool      `json:"moving"`       // it was told to go elsewhere
}

func sessionOf(s messaging.Session) session {
	return session{
		Session: s.Ref.SessionID().String(), Node: s.Ref.Node(), Client: s.Client, User: s.User, Address: s.Address, Transport: string(s.Transport),
		Since: jsonTime(s.Since), LastRead: jsonTime(s.LastRead), Queued: s.Queued, Moving: s.Moving,
	}
}

// jsonTime is a time as answers have it.
func jsonTime(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// sessionPage is a page of sessions.
type sessionPage struct {
	Sessions []session `json:"sessions"`
	After    string    `json:"after,omitempty"` // where the next page begins
	Partial  bool      `json:"partial,omitempty"`
}

func (c *call) listSessions() reply {
	name, limit, err := c.page(sessionList)
	if err != nil {
		return c.failed(err)
	}
	after, err := server.ParseRef(name)
	if err != nil {
		return badCursor().reply()
	}
	p, err := c.hub.Sessions(c.ctx, after, limit)
	switch {
	case errors.Is(err, server.ErrNode):
		return badCursor().reply()
	case err != nil:
		return c.failed(err)
	}
	page := sessionPage{Sessions: make([]session, 0, len(p.Sessions)), Partial: p.Partial}
	for _, s := range p.Sessions {
		page.Sessions = append(page.Sessions, sessionOf(s))
	}
	if p.More {
		page.After = cursor(sessionList, p.Last.String())
	}
	return answered(http.StatusOK, page)
}

func (c *call) showSession() reply {
	s, err := c.hub.Session(c.ctx, c.names["session"])
	if err != nil {
		return c.failed(err)
	}
	return answered(http.StatusOK, sessionOf(s))
}

func noSession() *Error {
	return failure(codeNoSession, "There is no such session: it has ended, or never was.")
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

func (c *call) kickSession() reply {
	how, err := c.kicking()
	if err == nil {
		err = c.hub.CloseSession(c.ctx, c.names["session"], how)
	}
	return c.toldSessions(1, err)
}

func (c *call) moveSession() reply {
	to, err := c.moving()
	if err == nil {
		err = c.hub.MoveSession(c.ctx, c.names["session"], to)
	}
	return c.toldSessions(1, err)
}

func (c *call) kickUser() reply {
	how, err := c.kicking()
	if err != nil {
		return c.failed(err)
	}
	return c.toldSessions(c.hub.CloseUser(c.ctx, c.names["user"], how))
}

func (c *call) moveUser() reply {
	to, err := c.moving()
	if err != nil {
		return c.failed(err)
	}
	return c.toldSessions(c.hub.MoveUser(c.ctx, c.names["user"], to))
}

// toldSessions is the answer to who has told some.
func (c *call) toldSessions(sessions int, err error) reply {
	if err != nil {
		return c.failed(err)
	}
	return answered(http.StatusOK, told{sessions})
}
