package messaging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
	"github.com/stormwheel/stormwheel/server"
)

// What back ends and clients ask of the whole cluster goes to all live nodes, and each answers for itself. Who
// does not within a second is left out, and the answer says so.

// The numbers of what is asked, in the Code of an ASK.
const (
	inquireNames uint64 = iota + 1
	inquireUser
	inquireRoom
	inquireRooms
	inquireSessions
	inquireSession
	inquireEnd
	inquireMove
	inquireBroadcast
)

// inquiry is the Body of an ASK.
type inquiry struct {
	Question envelope.Question `json:"question,omitempty"`
	User     string            `json:"user,omitempty"`
	Room     string            `json:"room,omitempty"`
	Prefix   string            `json:"prefix,omitempty"`
	After    string            `json:"after,omitempty"`
	Limit    int               `json:"limit,omitempty"`
	Session  string            `json:"session,omitempty"` // or where a page of sessions begins
	How      *server.Close     `json:"how,omitempty"`
	To       []string          `json:"to,omitempty"`
	Body     []byte            `json:"body,omitempty"` // of a broadcast
}

const (
	inquirers    = 8    // goroutines that answer other nodes, or wait for them for clients
	maxInquiries = 1024 // that wait for one
)

// errNoSuch is what is answered about what a node does not have.
var errNoSuch = errors.New("messaging: this node does not have it")

// inquire asks all other nodes, and returns the answers of those that have one. Partial: a node did not answer in
// time. Errors: ctx's and ErrClosed.
func (h *Hub) inquire(ctx context.Context, what uint64, about *inquiry) (answers [][]byte, partial bool, err error) {
	if h.cfg.Peers == nil {
		return nil, false, nil
	}
	return h.inquireOf(ctx, h.cfg.Peers.Live(), what, about)
}

// inquireOf is inquire of some nodes, of which this one is not asked.
func (h *Hub) inquireOf(ctx context.Context, nodes []string, what uint64, about *inquiry) (answers [][]byte, partial bool, err error) {
	body, err := json.Marshal(about)
	if err != nil {
		return nil, false, err
	}
	m := between.Message{Kind: between.Ask, Code: what, Body: body, Token: h.token.Add(1)}
	c := &call{said: make(chan between.Message, len(nodes))}
	h.calls.begin(m.Token, c)
	defer h.calls.end(m.Token)
	left := 0
	for _, node := range nodes {
		switch {
		case node == h.self:
		case h.tellPeer(node, &m) == nil:
			left++
		default:
			partial = true
		}
	}
	enough := time.NewTimer(gatherTime)
	defer enough.Stop()
	for ; left > 0; left-- {
		select {
		case a := <-c.said:
			switch a.Result {
			case 0:
				answers = append(answers, a.Body)
			case between.No:
				partial = true
			}
		case <-enough.C:
			return answers, true, nil
		case <-ctx.Done():
			return answers, true, ctx.Err()
		case <-h.ctx.Done():
			return answers, true, ErrClosed
		}
	}
	return answers, partial, nil
}

func init() {
	hears[between.Ask] = (*Hub).askCame
	hears[between.Answer] = (*Hub).answeredThere
}

// askCame has another node's question answered.
func (h *Hub) askCame(node string, m *between.Message) {
	token, what, body := m.Token, m.Code, bytes.Clone(m.Body)
	if !h.later(func() { h.answerPeer(node, token, what, body) }) {
		_ = h.tellPeer(node, &between.Message{Kind: between.Answer, Token: token, Result: between.No})
	}
}

// later has something done that may wait, unless so much waits.
func (h *Hub) later(do func()) bool {
	select {
	case h.inquiries <- do:
		return true
	default:
		return false
	}
}

func (h *Hub) inquirer() {
	for {
		select {
		case do := <-h.inquiries:
			do()
		case <-h.ctx.Done():
			return
		}
	}
}

func (h *Hub) answerPeer(node string, token, what uint64, body []byte) {
	answer := between.Message{Kind: between.Answer, Token: token}
	ctx, cancel := context.WithTimeout(h.ctx, gatherTime)
	defer cancel()
	var about inquiry
	err := json.Unmarshal(body, &about)
	var said any
	if err == nil {
		said, err = h.knownHere(ctx, what, &about)
	}
	if err == nil {
		answer.Body, err = json.Marshal(said)
	}
	switch {
	case errors.Is(err, errNoSuch):
		answer.Result = between.NotHere
	case err != nil:
		answer.Result, answer.Reason = between.No, []byte(err.Error())
	}
	_ = h.tellPeer(node, &answer)
}

// knownHere is what this node alone answers.
func (h *Hub) knownHere(ctx context.Context, what uint64, about *inquiry) (any, error) {
	about.Limit = pageLimit(about.Limit)
	switch what {
	case inquireNames:
		return h.namesHere(ctx, &question{about.Question, about.User, about.Room, about.Prefix, about.After, about.Limit})
	case inquireUser:
		return h.userHere(ctx, about.User)
	case inquireRoom:
		st, ok := h.roomHere(about.Room)
		if !ok {
			return nil, errNoSuch
		}
		return st, nil
	case inquireRooms:
		return h.roomsHere(ctx, about.Prefix, about.After, about.Limit)
	case inquireSessions:
		return h.sessionsHere(ctx, about.Session, about.Limit)
	case inquireSession:
		return h.sessionHere(ctx, about.Session)
	case inquireEnd, inquireMove:
		return h.tellHere(about.Session, about)
	case inquireBroadcast:
		return h.broadcastHere(about.Body)
	}
	return nil, errors.New("a question that this node does not know")
}

// merge reads answers, and gives each to add.
func merge[T any](answers [][]byte, add func(*T)) (broken bool) {
	for _, body := range answers {
		var v T
		if json.Unmarshal(body, &v) != nil {
			broken = true
			continue
		}
		add(&v)
	}
	return broken
}

// pageOfAll is page of all nodes. A client is not told a part.
func (h *Hub) pageOfAll(q *question, tell func(page []byte, why *Refusal)) {
	ctx, cancel := context.WithTimeout(h.ctx, 2*gatherTime)
	defer cancel()
	p, err := h.names(ctx, *q)
	if err != nil || p.Partial {
		tell(nil, refuseSilent)
		return
	}
	tell(pageOf(p.Names, uint64(p.Count), p.More), nil)
}
